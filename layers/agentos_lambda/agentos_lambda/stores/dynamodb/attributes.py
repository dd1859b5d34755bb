"""DynamoDB's notation of values, and dataclasses in it: the type of a field says how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from agentos_lambda.runs.usage import Usage

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Item = dict[str, Any]
"""Attribute name -> value in DynamoDB's notation: ``{"S": "text"}``."""

VERSION: Item = {"version": {"N": "1"}}
"""On every item, so that a later version of this package knows what it reads. Unknown attributes are ignored."""


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def attributes_of(value: DataclassInstance, names: Mapping[str, str] | None = None) -> Item:
    """The fields that are not None. ``names`` gives those attributes that are not named like their field."""
    names = names or {}
    return {
        names.get(name, name): {codec.tag: codec.write(field)}
        for name, codec in _codecs(type(value)).items()
        if (field := getattr(value, name)) is not None
    }


def fields_of(cls: type[DataclassInstance], item: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Any:
    """The arguments of ``cls`` for an item that ``attributes_of`` wrote.

    A missing attribute is None if the field can be None. Otherwise, in an item of another version, it has its default.
    """
    arguments: dict[str, Any] = {}
    for name, codec in _codecs(cls).items():
        attribute = item.get((names or {}).get(name, name))
        if attribute is not None:
            arguments[name] = codec.value(attribute)
        elif codec.optional:
            arguments[name] = None
    return arguments


@dataclass(frozen=True, slots=True)
class _Codec:
    tag: str
    """DynamoDB's name of the type."""
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    optional: bool

    def value(self, attribute: Mapping[str, Any]) -> Any:
        return self.read(attribute[self.tag])


@cache
def _codecs(cls: type[DataclassInstance]) -> dict[str, _Codec]:
    hints = get_type_hints(cls)
    return {field.name: _codec(hints[field.name]) for field in fields(cls)}


def _codec(hint: Any) -> _Codec:
    if hint == Mapping[int, int]:
        return _Codec("M", _numbers, _from_numbers, optional=False)
    if hint is Usage:
        return _Codec("M", attributes_of, _usage, optional=False)
    kinds = set(get_args(hint) or [hint])
    optional = NoneType in kinds
    (kind,) = kinds - {NoneType}
    if kind is bool:
        return _Codec("BOOL", _unchanged, bool, optional)
    if kind is int:
        return _Codec("N", str, int, optional)
    if isinstance(kind, type) and issubclass(kind, str):
        return _Codec("S", _unchanged, kind, optional)
    raise TypeError(f"There is no attribute for a field of the type {hint}.")


def _usage(attributes: Mapping[str, Any]) -> Usage:
    return Usage(**fields_of(Usage, attributes))


def _unchanged(value: Any) -> Any:
    return value


def _numbers(values: Mapping[int, int]) -> Item:
    return {str(key): number(value) for key, value in values.items()}


def _from_numbers(attributes: Mapping[str, Any]) -> dict[int, int]:
    return {int(key): int(attribute["N"]) for key, attribute in attributes.items()}
