"""The fields of a request that continues a paused run, the same for all kinds and content types."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, ValidationError

from agentos_lambda.api.errors import ApiError, field_errors
from agentos_lambda.api.requests.body import Body
from agentos_lambda.api.requests.fields import Flag, RequestForm, SessionId, UserId, from_text, none_if_empty
from agentos_lambda.runs.model import Continuation

Decisions = Annotated[list[dict[str, Any]] | None, BeforeValidator(from_text), BeforeValidator(none_if_empty)]

_ONLY_IN_AGENTOS = ("input", "fork", "regenerate", "replace_original", "additional_instructions")
"""Ways to go on from a run that has ended: AgentOS has them, this API does not."""


class ContinueForm(RequestForm):
    """What a client may send to continue a paused run. Unknown fields are ignored, as in AgentOS."""

    model_config = ConfigDict(extra="ignore")

    tools: Decisions = Field(None, description="An agent's tool executions, confirmed, refused or with results")
    requirements: Decisions = Field(
        None,
        validation_alias=AliasChoices("requirements", "step_requirements"),
        description="An agent's or a team's requirements; a workflow's are also taken as `step_requirements`",
    )
    stream: Flag = Field(False, description="Answer with server-sent events")
    background: Flag = Field(False, description="Answer at once and go on")
    session_id: SessionId = None
    user_id: UserId = None

    @classmethod
    def of(cls, body: Body) -> Self:
        """The validated form. Raises ``FieldErrors``, or ``ApiError`` for what this API cannot do."""
        if body.files:
            raise ApiError(400, "Files are not supported when a run is continued")
        asked = [name for name in _ONLY_IN_AGENTOS if body.fields.get(name) not in (None, "", "false", "False", False)]
        if body.fields.get("continue_from") not in (None, "", "end"):
            asked.append("continue_from")
        if asked:
            raise ApiError(400, f"Not supported: {', '.join(asked)}. Only a paused run can be continued")
        try:
            return cls.model_validate(body.fields)
        except ValidationError as error:
            raise field_errors(error) from error

    def continuation(self) -> Continuation:
        """What the client has decided."""
        return Continuation(
            tools=None if self.tools is None else tuple(self.tools),
            requirements=None if self.requirements is None else tuple(self.requirements),
        )
