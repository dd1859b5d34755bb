"""Types of fields that come by form and by JSON alike."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from agentos_lambda.api.body import parse_json


def from_text(value: Any) -> Any:
    """The value of a field that holds JSON: forms send it as text."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError as error:
        raise PydanticCustomError("json", "Input should be valid JSON") from error


def none_if_empty(value: Any) -> Any:
    """A form's empty field is one that was left out."""
    return None if value == "" else value


Id = Annotated[
    Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9\-_.:@]+$")] | None,
    BeforeValidator(none_if_empty),
]
Flag = Annotated[bool | None, BeforeValidator(none_if_empty)]
Index = Annotated[Annotated[int, Field(ge=-1, le=2**53)] | None, BeforeValidator(none_if_empty)]
JsonDict = Annotated[dict[str, Any] | None, BeforeValidator(from_text)]
