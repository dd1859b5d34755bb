"""The fields of a request for a run, the same for all kinds and content types."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_core import PydanticCustomError

from agentos_lambda.api.errors import FieldErrors, field_errors
from agentos_lambda.api.requests.body import Body
from agentos_lambda.api.requests.fields import Flag, Id, JsonDict, RequestForm, SessionId, UserId, from_text
from agentos_lambda.api.requests.filters import check_filters
from agentos_lambda.api.requests.uploads import media_objects, refuse_internal_hosts
from agentos_lambda.protocol.output_schema import SchemaRefused, check_schema
from agentos_lambda.runs.model import Media, RunInput


def _message(value: Any) -> Any:
    if value == "":
        raise PydanticCustomError("missing", "Field required")
    if not isinstance(value, str | dict):
        raise PydanticCustomError("message_type", "Input should be a string or an object")
    return value


def _object_schema(value: Any) -> Any:
    if isinstance(value, dict) and value.get("type") != "object":
        raise PydanticCustomError("schema_type", 'root must declare "type": "object"')
    if isinstance(value, dict):
        try:
            check_schema(value)
        except SchemaRefused as refused:
            raise PydanticCustomError("schema", "{reason}", {"reason": str(refused)}) from refused
    return value


JsonFilters = Annotated[dict[str, Any] | list[Any] | None, BeforeValidator(check_filters), BeforeValidator(from_text)]
OutputSchema = Annotated[dict[str, Any] | None, BeforeValidator(_object_schema), BeforeValidator(from_text)]
MediaList = Annotated[list[dict[str, Any]] | None, BeforeValidator(from_text)]


_NOT_FURTHER = frozenset(
    {"message", "input", "files", "version", "factory_input", "monitor", "stream_events", "use_json_schema"}
)
"""Names that AgentOS does not hand to a component, or under another name."""

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "none": None}
"""What AgentOS reads in further fields of a form, in any case of letters."""


class RunForm(RequestForm):
    """What a client may send to start a run. Further fields are for the component, if it knows them."""

    model_config = ConfigDict(extra="allow")

    message: Annotated[str | dict[str, Any], BeforeValidator(_message)] = Field(
        validation_alias=AliasChoices("message", "input"), description="Text, or an object; also taken as `input`"
    )
    stream: Flag = Field(False, description="Answer with server-sent events")
    background: Flag = Field(False, description="Answer at once and go on")
    session_id: SessionId = None
    user_id: UserId = None
    run_id: Id = None
    session_state: JsonDict = None
    dependencies: JsonDict = None
    metadata: JsonDict = None
    knowledge_filters: JsonFilters = None
    output_schema: OutputSchema = None
    images: MediaList = None
    audio: MediaList = None
    videos: MediaList = None
    input_files: MediaList = None
    files_metadata: str | None = Field(None, description="A JSON array of objects, one for each uploaded file")
    additional_data: JsonDict = Field(None, description="What a workflow's functions get beside their input")
    add_history_to_context: Flag = Field(None, description="Whether the model sees the session's earlier runs")
    add_dependencies_to_context: Flag = Field(None, description="Whether the model sees the `dependencies`")
    add_session_state_to_context: Flag = Field(None, description="Whether the model sees the session state")

    _is_form: bool = PrivateAttr(default=False)

    @classmethod
    def of(cls, body: Body) -> Self:
        """The validated form. Raises ``FieldErrors``."""
        if body.fields.get("files") not in (None, []):
            raise FieldErrors([("files", "expected uploads; media objects go into input_files")])
        fields = dict(body.fields)
        if fields.get("message") in (None, "") and "input" in fields:
            fields.pop("message", None)  # an empty field is one that was left out
        try:
            form = cls.model_validate(fields)
        except ValidationError as error:
            raise field_errors(error) from error
        form._is_form = body.is_form  # noqa: SLF001 - its own
        return form

    def _further(self) -> dict[str, Any] | None:
        further = {name: value for name, value in (self.model_extra or {}).items() if name not in _NOT_FURTHER}
        if self._is_form:
            further = {name: _WORDS.get(value.lower(), value) for name, value in further.items()}
        return further or None

    async def run_input(self, uploads: tuple[Media, ...]) -> RunInput:
        """What the component gets. Raises ``FieldErrors`` for a media object that cannot be read or must not be."""
        fields = {"images": self.images, "audio": self.audio, "videos": self.videos, "input_files": self.input_files}
        media = media_objects(**fields)
        await refuse_internal_hosts(**fields)
        return RunInput(
            message=self.message,
            media=(*uploads, *media),
            session_state=self.session_state,
            dependencies=self.dependencies,
            metadata=self.metadata,
            knowledge_filters=self.knowledge_filters,
            output_schema=self.output_schema,
            additional_data=self.additional_data,
            add_history_to_context=self.add_history_to_context,
            add_dependencies_to_context=self.add_dependencies_to_context,
            add_session_state_to_context=self.add_session_state_to_context,
            further=self._further(),
        )
