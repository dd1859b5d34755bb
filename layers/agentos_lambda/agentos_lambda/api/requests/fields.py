"""Types of fields, the same in forms and in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from agentos_lambda.protocol.ids import (
    ID_PATTERN,
    MAX_EVENT_INDEX,
    MAX_FOREIGN_ID_LENGTH,
    MAX_ID_LENGTH,
    is_id,
    is_session_id,
    is_user_id,
)
from agentos_lambda.protocol.strict_json import TooDeep, parse_json
from agentos_lambda.runs.errors import NotFound


class RequestForm(BaseModel):
    """The fields of a body. It is built at the first request that has one."""

    model_config = ConfigDict(defer_build=True)


def from_text(value: Any) -> Any:
    """The value of a field that holds JSON: forms send it as text."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except TooDeep as error:
        raise PydanticCustomError("json_depth", "Input should not be {reason}", {"reason": str(error)}) from error
    except ValueError as error:
        raise PydanticCustomError("json", "Input should be valid JSON") from error


def none_if_empty(value: Any) -> Any:
    """An empty field of a form counts as left out."""
    return None if value == "" else value


def _checked(is_valid: Callable[[str], bool], rule: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_valid(text):
            raise PydanticCustomError("id", "{rule}", {"rule": rule})
        return text

    return AfterValidator(check)


IdText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_LENGTH, pattern=ID_PATTERN),
    _checked(is_id, "String should not be . or .."),
]
UserIdText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_FOREIGN_ID_LENGTH),
    _checked(is_user_id, "String should have no control characters"),
]
SessionIdText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_FOREIGN_ID_LENGTH),
    _checked(is_session_id, "String should have no control characters and no /, and not be . or .."),
]
Id = Annotated[IdText | None, BeforeValidator(none_if_empty)]
UserId = Annotated[UserIdText | None, BeforeValidator(none_if_empty)]
AskedUser = (
    Annotated[
        str,
        Field(max_length=MAX_FOREIGN_ID_LENGTH),
        _checked(lambda text: not text or is_user_id(text), "String should have no control characters"),
    ]
    | None
)
"""The user whose things are asked about. An empty one is nobody's: it must not widen a request to everybody's."""
SessionId = Annotated[SessionIdText | None, BeforeValidator(none_if_empty)]
Flag = Annotated[bool | None, BeforeValidator(none_if_empty)]
Index = Annotated[Annotated[int, Field(ge=-1, le=MAX_EVENT_INDEX)] | None, BeforeValidator(none_if_empty)]
JsonDict = Annotated[dict[str, Any] | None, BeforeValidator(from_text)]


async def known_run_id(run_id: Annotated[str, Path(description="The id of a run")]) -> str:
    """A dependency of routes with ``{run_id}``. What cannot be an id is the id of no run: raises ``NotFound``."""
    if not is_id(run_id):
        raise NotFound("Run not found")
    return run_id


RunId = Annotated[str, Depends(known_run_id)]
