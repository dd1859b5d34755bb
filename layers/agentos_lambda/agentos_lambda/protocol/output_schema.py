"""JSON Schemas that callers send for an answer (draft 2020-12): what may be in one, and whether an answer fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time
from urllib.parse import unquote

from agentos_lambda.protocol.values import Json, JsonObject

_MAX_SIZE = 10_000
"""Schemas within a schema, each counted as often as it is referred to; and values in the text of one."""
_MAX_TYPES = 7
"""Of JSON: as many names as ``type`` can have."""

_REFUSED = (
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "pattern",
    "patternProperties",
    "dependencies",
)
"""References beyond the schema itself, regular expressions, which may take for ever, and what earlier drafts meant by a
keyword that says nothing any more."""

_SCHEMA = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames")
_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED_SCHEMAS = ("properties", "$defs", "definitions", "dependentSchemas")


_FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Those that jsonschema checks without further packages, besides times, which are checked here."""

_TIME = r"\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:[Zz]|[+-]\d{2}:\d{2})"


class SchemaRefused(ValueError):
    """The schema cannot be carried out. The text names the place and the reason."""


def check_schema(schema: JsonObject) -> None:
    """Raise ``SchemaRefused`` if the schema is invalid, or has something that is not supported."""
    # Imported by the requests that have one: few, and it brings some hundred modules.
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]  # noqa: PLC0415

    _check_bounds(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SchemaRefused(f"{_place(error.absolute_path)}: {error.message}") from error
    except RecursionError as error:
        raise SchemaRefused("is nested too deep") from error
    _Size(schema).of(schema, "")


def mismatch(answer: Json, schema: JsonObject) -> str | None:
    """In words, the first thing in the answer that does not fit the schema; None if it fits."""
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    formats = FormatChecker(_FORMATS)
    formats.checkers = {**formats.checkers, "date-time": (_is_date_time, ()), "time": (_is_time, ())}
    try:
        error = best_match(Draft202012Validator(schema, format_checker=formats).iter_errors(answer))
    except RecursionError:
        return "the schema refers to itself without an end"
    return None if error is None else f"{_place(error.absolute_path)}: {error.message}"


def _check_bounds(schema: JsonObject) -> None:
    """Raise ``SchemaRefused`` for what jsonschema would check for minutes, before any limit counts the run: it takes a
    millisecond for each schema, and compares all items of ``type`` with each other."""
    left = _MAX_SIZE
    waiting: list[Json] = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            types, inner = value.get("type"), list(value.values())
            if isinstance(types, list) and len(types) > _MAX_TYPES:
                raise SchemaRefused(f"type: has over {_MAX_TYPES} items")
        else:
            inner = [item for item in value if isinstance(item, dict | list | bool)] if isinstance(value, list) else []
        left -= len(inner)
        if left < 0:
            raise SchemaRefused("is too large")
        waiting += inner


class _Size:
    """How large a schema is with all that it refers to. On the way everything that is not carried out is found."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._known: dict[int, int] = {}

    def of(self, schema: Json, place: str) -> int:
        if not isinstance(schema, dict):
            return 1
        if id(schema) not in self._known:
            self._known[id(schema)] = 1  # while it is counted: one that refers to itself
            size = 1 + sum(self.of(inner, where) for inner, where in self._within(schema, place))
            if size > _MAX_SIZE:
                raise SchemaRefused("is too large")
            self._known[id(schema)] = size
        return self._known[id(schema)]

    def _within(self, schema: JsonObject, place: str) -> Iterator[tuple[Json, str]]:
        for keyword in _REFUSED:
            if keyword in schema:
                raise SchemaRefused(f"{place}{keyword}: is not supported")
        if "$ref" in schema:
            yield self._target(schema["$ref"], place), place
        for keyword in _SCHEMA:
            if keyword in schema:
                yield schema[keyword], f"{place}{keyword}."
        for keyword in _SCHEMAS:
            for number, inner in enumerate(schema.get(keyword, ())):
                yield inner, f"{place}{keyword}.{number}."
        for keyword in _NAMED_SCHEMAS:
            for name, inner in schema.get(keyword, {}).items():
                yield inner, f"{place}{keyword}.{name}."

    def _target(self, reference: str, place: str) -> Json:
        if not reference.startswith("#"):
            raise SchemaRefused(f"{place}$ref: must refer to a part of the schema")
        target: Json = self._root
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(name) if isinstance(target, list) else name]
            except (KeyError, IndexError, TypeError, ValueError):
                raise SchemaRefused(f"{place}$ref: there is no {reference}") from None
        if target is not self._root and reference[1:2] != "/":
            raise SchemaRefused(f"{place}$ref: there is no {reference}")
        return target


def _is_date_time(value: Json) -> bool:
    """A ``date-time`` of RFC 3339, or no text, which the format says nothing about."""
    return not isinstance(value, str) or _is_iso(value, rf"\d{{4}}-\d{{2}}-\d{{2}}[Tt ]{_TIME}", datetime.fromisoformat)


def _is_time(value: Json) -> bool:
    """A ``full-time`` of RFC 3339, or no text."""
    return not isinstance(value, str) or _is_iso(value, _TIME, time.fromisoformat)


def _is_iso(text: str, form: str, parse: Callable[[str], object]) -> bool:
    if re.fullmatch(form, text, re.ASCII) is None:
        return False
    try:
        parse(text.upper())
    except ValueError:
        return False
    return True


def _place(path: object) -> str:
    return ".".join(map(str, path)) or "it"  # type: ignore[call-overload]
