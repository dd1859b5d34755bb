"""Filters of a knowledge search: plain ones (metadata by name), and expressions (objects with an ``op``).

The operators and their fields are those of agno 3.1 (``agno.filters``), which no function of ours imports before it
runs a component.
"""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from agentos_lambda.protocol.values import Json, JsonObject

_MAX_DEPTH = 10
"""Expressions within an expression."""

_COMPARISONS = frozenset({"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "CONTAINS", "STARTSWITH"})
_LISTS = frozenset({"AND", "OR"})


def check_filters(value: Json) -> Json:
    """The value, if it is a filter or a list of filters. Raises ``PydanticCustomError``."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            if not isinstance(item, dict):
                raise _wrong(f"[{place}]", "should be an object")
            _check(item, f"[{place}]")
    elif isinstance(value, dict):
        _check(value, "")
    elif value is not None:
        raise PydanticCustomError("filters_type", "Input should be an object or an array")
    return value


def _check(value: JsonObject, place: str) -> None:
    if "op" in value:
        _check_expression(value, place, 0)


def _check_expression(value: Json, place: str, depth: int) -> None:
    if not isinstance(value, dict) or "op" not in value:
        raise _wrong(place, "should be an object with an `op`")
    if depth > _MAX_DEPTH:
        raise _wrong(place, f"is nested over {_MAX_DEPTH} levels deep")
    match value["op"]:
        case str(op) if op in _COMPARISONS:
            _check_fields(value, place, "value")
        case "IN":
            _check_fields(value, place, "values")
            if not isinstance(value["values"], list):
                raise _wrong(f"{place}.values", "should be an array")
        case str(op) if op in _LISTS:
            if not isinstance(value.get("conditions"), list):
                raise _wrong(f"{place}.conditions", "should be an array")
            for number, condition in enumerate(value["conditions"]):
                _check_expression(condition, f"{place}.conditions[{number}]", depth + 1)
        case "NOT":
            _check_expression(value.get("condition"), f"{place}.condition", depth + 1)
        case _:
            raise _wrong(f"{place}.op", "is no operator")


def _check_fields(value: JsonObject, place: str, operand: str) -> None:
    if not isinstance(value.get("key"), str):
        raise _wrong(f"{place}.key", "should be a string")
    if operand not in value:
        raise _wrong(f"{place}.{operand}", "is missing")


def _wrong(place: str, reason: str) -> PydanticCustomError:
    named = place.removeprefix(".")
    return PydanticCustomError("filter", "{told}", {"told": f"{named} {reason}" if named else f"Input {reason}"})
