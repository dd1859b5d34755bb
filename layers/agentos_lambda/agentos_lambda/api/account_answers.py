"""What the routes of accounts and of usage answer: types like those of ``api.answers``, imported as seldom."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from agentos_lambda.api.answers import Count, ObjectOrNull, PageInfo

TextOrNull = Annotated[str | None, WithJsonSchema({"type": ["string", "null"]})]
NumberOrNull = Annotated[int | None, WithJsonSchema({"type": ["integer", "null"]})]


class GrantedScope(TypedDict):
    id: None
    raw: Annotated[str, Field(description="The scope", examples=["agents:*:run"])]
    namespace: str
    sub_namespace: TextOrNull
    permission: str
    value: Literal["allow"]


class ServiceAccount(TypedDict):
    """A caller that is a machine."""

    id: str
    name: str
    principal: Annotated[str, Field(description="The user of its runs")]
    user_id: Annotated[TextOrNull, Field(description="Whose account it is; null if it is the operator's")]
    token_prefix: Annotated[str, Field(description="How its token begins")]
    scopes: list[GrantedScope]
    created_at: Annotated[int, Field(description="Seconds since the epoch, as all its times")]
    expires_at: NumberOrNull
    last_used_at: Annotated[None, Field(description="Always null: `GET /usage` tells what it has done")]
    revoked_at: NumberOrNull
    created_by: TextOrNull
    limits: Annotated[ObjectOrNull, Field(description="`runs_per_month` and `runs_at_once`, where it has any")]


class NewServiceAccount(ServiceAccount):
    token: Annotated[str, Field(description="A bearer token, which is shown this once", examples=["agno_pat_…"])]


class ServiceAccountPage(TypedDict):
    data: list[ServiceAccount]
    meta: PageInfo


class Used(TypedDict):
    runs: Count
    input_tokens: Annotated[int, Field(description="Of all models of all components of the runs")]
    output_tokens: int
    seconds: Annotated[float, Field(description="For which the runs executed")]


class UsageLine(Used):
    day: Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
    account: Annotated[TextOrNull, Field(description="The account or the user; null for runs of nobody")]


Usage = TypedDict(
    "Usage",
    {
        "from": Annotated[str, WithJsonSchema({"type": "string", "format": "date"})],
        "to": Annotated[str, WithJsonSchema({"type": "string", "format": "date"})],
        "data": list[UsageLine],
        "total": Used,
    },
)
"""``from`` is a keyword of Python."""
