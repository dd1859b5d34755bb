"""The bodies of requests about service accounts (the AgentOS 3.1 API)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from agentos_lambda.api.requests.fields import RequestForm
from agentos_lambda.identity.accounts.model import DEFAULT_SCOPES
from agentos_lambda.identity.accounts.service import NewAccount
from agentos_lambda.runs.limits import limits_of

DEFAULT_DAYS = 90
MAX_DAYS = 3_650
MAX_SCOPES = 200

_NAME = re.compile("[a-z0-9][a-z0-9_-]*")
_NAME_RULE = (
    "Name must be a lowercase slug: start with a letter or digit, then letters, digits, '_' or '-' (max 63 chars)"
)


class ScopeForm(BaseModel):
    """A scope that an account is to have."""

    scope: Annotated[str, Field(max_length=300)]
    effect: Literal["allow", "deny"] = "allow"


class LimitsForm(BaseModel):
    """How much an account may run. This project's own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    runs_per_month: Annotated[int, Field(ge=1, le=10**9)] | None = None
    runs_at_once: Annotated[int, Field(ge=1, le=5_000)] | None = None


class NewAccountForm(RequestForm):
    """A service account to create."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(max_length=63)]
    scopes: Annotated[list[ScopeForm], Field(max_length=MAX_SCOPES)] | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = DEFAULT_DAYS
    never_expires: bool = False
    allow_privileged_scopes: bool = False
    limits: LimitsForm | None = None

    @field_validator("name")
    @classmethod
    def _is_slug(cls, name: str) -> str:
        # No colon, which would be another kind of principal; nothing that looks like a person's id.
        if _NAME.fullmatch(name) is None:
            raise PydanticCustomError("name", "{rule}", {"rule": _NAME_RULE})
        return name

    @field_validator("scopes")
    @classmethod
    def _grants(cls, scopes: list[ScopeForm] | None) -> list[ScopeForm] | None:
        for each in scopes or ():
            if each.effect != "allow":
                rule = f"Token scopes are grants: effect must be 'allow' (got '{each.effect}' for '{each.scope}')"
                raise PydanticCustomError("effect", "{rule}", {"rule": rule})
        return scopes

    def wanted(self) -> NewAccount:
        """What the account is to be."""
        scopes = DEFAULT_SCOPES if self.scopes is None else tuple(each.scope for each in self.scopes)
        days = None if self.never_expires else self.expires_in_days or DEFAULT_DAYS
        limits = None if self.limits is None else limits_of(self.limits.model_dump())
        return NewAccount(self.name, scopes, days, allow_privileged=self.allow_privileged_scopes, limits=limits)
