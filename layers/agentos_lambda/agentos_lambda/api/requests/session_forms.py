"""The bodies of requests about sessions (the AgentOS 3.1 API)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from agentos_lambda.api.errors import ApiError, FieldErrors, field_errors
from agentos_lambda.api.requests.body import read_body
from agentos_lambda.api.requests.fields import RequestForm, SessionId, UserId
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.runs.session_fields import EMPTY_STATE, STATE, state_fields

MAX_NAME_LENGTH = 1024
"""Characters: three indexes hold the name."""
MAX_DELETED = 100
"""Sessions that one request may delete."""


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("time", "Input should be a time in ISO 8601") from error
    return text


Name = Annotated[str, StringConstraints(max_length=MAX_NAME_LENGTH)]
ComponentId = Annotated[str, StringConstraints(max_length=256)]
Time = Annotated[str, AfterValidator(_time)]
"""As the engine reads it: it would fail in every later run of the session."""

_OF_THE_ENGINE = frozenset({"agno_component_version", "agno_dispatch_chain", "agno_dispatch_depth"})
"""Keys of a run's metadata that no caller may set, since a session's metadata becomes part of its runs' (agno 3.1)."""

_Form = TypeVar("_Form", bound=BaseModel)


class _SessionForm(RequestForm):
    model_config = ConfigDict(extra="ignore")

    session_name: Name | None = None
    session_state: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None

    def own_metadata(self) -> JsonObject | None:
        """The metadata that a caller may set."""
        if not self.metadata:
            return self.metadata
        return {key: value for key, value in self.metadata.items() if key not in _OF_THE_ENGINE} or None


class NewSessionForm(_SessionForm):
    """A session to create. The id of its component is taken as it is: it need not be there yet."""

    session_id: SessionId = None
    user_id: UserId = None
    agent_id: ComponentId | None = None
    team_id: ComponentId | None = None
    workflow_id: ComponentId | None = None

    def component_id(self, kind: Kind) -> str | None:
        """The id under the name of the kind."""
        given: str | None = getattr(self, f"{kind}_id")
        return given or None

    def fields(self) -> JsonObject:
        """The session's fields, without its name."""
        fields = _state(self.session_state)
        metadata = self.own_metadata()
        return fields if metadata is None else {**fields, "metadata": metadata}


class SummaryForm(RequestForm):
    """What a session was about. Further keys are kept out, as agno does."""

    summary: str
    topics: list[str] | None = None
    updated_at: Time | None = None


class SessionChangeForm(_SessionForm):
    """What is to change in a session: each of its parts is replaced as a whole."""

    summary: SummaryForm | None = None

    def changes(self, fields: Any) -> SessionDelta:
        """What changes in a session that has these fields."""
        new: JsonObject = {}
        gone: set[str] = set()
        if self.session_state is not None:
            new |= _state(self.session_state)
            gone |= {name for name in fields if name.startswith(STATE) or name == EMPTY_STATE} - new.keys()
        if self.metadata is not None:
            metadata = self.own_metadata()
            if metadata is None:
                gone.add("metadata")
            else:
                new["metadata"] = metadata
        if self.summary is not None:
            new["summary"] = self.summary.model_dump(exclude_none=True)
        return SessionDelta(new, frozenset(gone))


class RenameForm(RequestForm):
    session_name: Name


class DeletionForm(RequestForm):
    """Sessions to delete. AgentOS wants the kind of each, and looks at their number only."""

    session_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_DELETED)]
    session_types: Annotated[list[Kind], Field(min_length=1)]

    @model_validator(mode="after")
    def _of_one_length(self) -> DeletionForm:
        if len(self.session_ids) != len(self.session_types):
            raise ApiError(400, "Session IDs and session types must have the same length")
        return self


async def read_form(request: Request, form: type[_Form], *, required: bool = False) -> _Form:
    """The body as this form; without a body an empty one, unless it is ``required``. Raises ``ApiError``."""
    if required and not await request.body():
        raise FieldErrors([("body", "Field required")])
    body = await read_body(request)
    try:
        return form.model_validate(body.fields)
    except ValidationError as error:
        raise field_errors(error) from error


def _state(state: JsonObject | None) -> JsonObject:
    """The fields of a session state; one that is empty is told from none at all."""
    return {EMPTY_STATE: {}} if state == {} else state_fields(state or {})
