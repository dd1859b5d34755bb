"""The bodies of requests about memories (the AgentOS 3.1 API)."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.fields import AskedUser, RequestForm, UserId
from agentos_lambda.identity.principal import Principal

MAX_LENGTH = 5_000
"""Characters of a memory."""
MAX_TOPICS = 50
MAX_DELETED = 500
"""Memories that one request may delete."""

ModelName = Annotated[str, Field(max_length=256, description="As `provider:id`; the deployment's if left out")]
Topic = Annotated[str, Field(max_length=200)]


def owner_of(user_id: str | None, principal: Principal) -> str:
    """The user whom a request of this principal is about. Raises ``ApiError`` if it names none."""
    user_id = principal.acts_for(user_id)
    if user_id is None:
        raise ApiError(400, "User ID is required")
    return user_id


class MemoryForm(RequestForm):
    """A memory to create, or what it is replaced by."""

    model_config = ConfigDict(extra="ignore")

    memory: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
    user_id: UserId = None
    topics: Annotated[list[Topic], Field(max_length=MAX_TOPICS)] | None = None

    def owner(self, principal: Principal) -> str:
        """Whose memory it is, if this principal asks. Raises ``ApiError``."""
        return owner_of(self.user_id, principal)


class OptimizationForm(RequestForm):
    """Whose memories a model says in one."""

    model_config = ConfigDict(extra="ignore")

    user_id: UserId
    model: ModelName | None = None
    apply: Annotated[bool, Field(description="`false`: only show the summary")] = True

    def owner(self, principal: Principal) -> str:
        """Whose memories they are, if this principal asks. Raises ``ApiError``."""
        return owner_of(self.user_id, principal)


class MemoryDeletionForm(RequestForm):
    """Memories to delete, of this user if one is named."""

    model_config = ConfigDict(extra="ignore")

    memory_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_DELETED)]
    user_id: AskedUser = None
