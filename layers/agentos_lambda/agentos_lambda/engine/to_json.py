"""Values of the engine as JSON: what comes out is equal after ``json.dumps`` and ``json.loads``."""

from __future__ import annotations

import base64
import json
import math
import re
from collections import UserList, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, NoneType
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from agentos_lambda.protocol.values import Json, JsonObject

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNCHANGED = frozenset({NoneType, bool, int})
"""Types whose values are JSON as they are. Not those derived from them, which may be written in another way."""
_LISTS = (list, tuple, deque, range, AbstractSet, ValuesView, UserList)
"""Types whose values become lists."""


def plain(value: object) -> Json:
    """The value as JSON, as AgentOS answers it; bytes as base64.

    Models, dataclasses and other objects become objects, those without a text of their own with all that they have;
    sets and tuples lists; decimals and durations (seconds) numbers; dates, UUIDs, paths and the like text. JSON knows
    no NaN and no infinity: they become null. UTF-8 knows no lone surrogate: it becomes U+FFFD. An object within itself
    becomes null.
    """
    return _plain(value, ())


def plain_object(value: Mapping[Any, object]) -> JsonObject:
    """A mapping as a JSON object. Keys become text as ``json.dumps`` would write them."""
    return _object(value, ())


def is_plain(value: object) -> bool:
    """Whether the value is made of lists, objects, text, numbers, booleans and null alone."""
    # Python prints the class of most that is derived from these, but not of a caller's objects.
    if isinstance(value, dict) and type(value).__repr__ is dict.__repr__:
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def _plain(value: Any, around: tuple[int, ...]) -> Json:
    """``around``: the ids of the objects that hold the value."""
    kind = type(value)
    if kind is str:  # as nearly all of a run is
        return _text(value)
    if kind is not dict and kind is not list:
        if isinstance(value, Enum):
            value = value.value if isinstance(value.value, str | int | float | None) else value.name
        if value is None or isinstance(value, str | int | float):
            return _scalar(value)
    if id(value) in around:
        return None
    around = (*around, id(value))
    if kind is dict or (kind is not list and isinstance(value, Mapping)):  # an abstract class is slow to ask
        return _object(value, around)
    if isinstance(value, _LISTS):
        return [_plain(item, around) for item in value]
    return _written(value, around)


def _written(value: Any, around: tuple[int, ...]) -> Json:
    """A value of none of JSON's kinds."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return _scalar(write(value))
    if isinstance(value, BaseModel):
        return _plain(_fields_of_model(value), around)
    if callable(to_list := getattr(value, "tolist", None)):  # arrays and their numbers
        return _plain(to_list(), around)
    if is_dataclass(value):
        return _object({field.name: getattr(value, field.name, None) for field in fields(value)}, around)
    classes = type(value).__mro__[:-1]
    if any("__str__" in vars(kind) for kind in classes):
        return _scalar(str(value))
    attributes = {name: getattr(value, name) for name in _slots(classes) if hasattr(value, name)}
    attributes |= getattr(value, "__dict__", {})
    # As AgentOS does, which takes no notice of methods that would write the object, nor of underscores.
    return _object(attributes, around) if attributes else type(value).__qualname__


def _slots(classes: Iterable[type]) -> Iterator[str]:
    for kind in reversed(list(classes)):
        names = vars(kind).get("__slots__", ())
        yield from (names,) if isinstance(names, str) else names


def _number(value: Decimal) -> float:
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


_WRITERS: tuple[tuple[Any, Callable[[Any], str | float]], ...] = (
    (bytes | bytearray | memoryview, lambda value: base64.b64encode(value).decode("ascii")),
    (date | time, lambda value: value.isoformat()),
    (timedelta, timedelta.total_seconds),
    (Decimal, _number),
    (UUID | PurePath | BaseException | complex, str),
    (re.Pattern, lambda value: str(value.pattern)),
    (type | FunctionType | BuiltinFunctionType | MethodType, lambda value: value.__qualname__),
)
"""What has one value, and how it is written."""


def _object(value: Mapping[Any, Any], around: tuple[int, ...]) -> JsonObject:
    return {
        key if type(key) is str and key.isascii() else _key(key): item
        if (kind := type(item)) in _UNCHANGED or (kind is str and item.isascii())
        else _plain(item, around)
        for key, item in value.items()
    }


def _key(key: object) -> str:
    """The name of an entry."""
    named = _plain(key, ())
    return named if isinstance(named, str) else json.dumps(named)


def _fields_of_model(model: BaseModel) -> object:
    try:
        return model.model_dump(mode="json", by_alias=True, warnings=False)
    except (PydanticSerializationError, ValueError):  # bytes that are not text, objects that pydantic does not know
        return model.model_dump(by_alias=True, warnings=False)


def _scalar(value: Any) -> Json:
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text(value: str) -> str:
    return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
