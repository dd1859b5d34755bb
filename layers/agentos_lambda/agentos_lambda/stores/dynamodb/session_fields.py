"""A session's fields in its item: each as an attribute of its own and, when these become too many, in parts.

Runs that end at once merge their fields without knowing of each other, because each field is an attribute. But an item
has room for 400 KB and an update for some hundred attributes. So fields are moved into 16 parts, by a hash of their
names, before there are too many: JSON objects that lie in the item, or in S3 where they are large. What is an attribute
since then lies over what is in the parts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from string import ascii_lowercase, digits
from typing import Any

from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.errors import NotStorable
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.stores.dynamodb.attributes import Item, text
from agentos_lambda.stores.dynamodb.blobs import FIELD_LIMIT, Blobs, packed

MAX_FIELDS = 250
"""Attributes of fields that a commit leaves. As many changes fit into the 4 KB of an update's expression."""
MAX_FIELD_BYTES = 32 * 1024
"""Of these attributes, names included: every commit and every run pays for them."""
MAX_MOVED = 400
"""Attributes that a commit moves into the parts, by the same 4 KB."""
_MAX_NAME = 1024
"""Bytes of the name of a field that is an attribute."""
_NAME_IN_S3 = 128
"""About the bytes of an attribute whose value is in S3."""

_PARTS = 16
_FIELD = "field:"
_PART = "part:"
_REMOVED: Item = {"NULL": True}
"""Lies over a field in a part that has been removed since."""
CHANGED_BY = "fields_changed_by"
"""The token of the last commit that changed a field."""
_MOVED_BY = "fields_moved_by"
"""The token of the last commit that moved fields. An item without it has no parts."""
_DIGITS = digits + ascii_lowercase


@dataclass(slots=True)
class FieldsUpdate:
    """What an update of the session's item has to do for its fields."""

    set: dict[str, Item] = field(default_factory=dict)
    """By the name of the attribute."""
    remove: list[str] = field(default_factory=list)
    unless: list[tuple[str, str | None]] = field(default_factory=list)
    """Pairs of an attribute and the text that it has to have; None: it must not be there."""


class SessionFields:
    """Reads and changes the fields in a session's item, which is None for a session that is new."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def read(self, item: Mapping[str, Any]) -> dict[str, Json]:
        """All fields."""
        parts = [name for name in item if name.startswith(_PART)]
        over = [name for name in item if name.startswith(_FIELD)]
        values = [name for name in over if item[name] != _REMOVED]
        found = self._blobs.values([item[name] for name in (*parts, *values)])
        fields: dict[str, Json] = {}
        for part in found[: len(parts)]:
            fields |= part
        for name in over:
            fields.pop(name.removeprefix(_FIELD), None)
        return fields | {
            name.removeprefix(_FIELD): value for name, value in zip(values, found[len(parts) :], strict=True)
        }

    def update(
        self, item: Mapping[str, Any] | None, changes: SessionDelta, folder: str, *, token: str, move: bool = False
    ) -> FieldsUpdate:
        """The update that makes these changes to the item as it was read. ``folder`` is that of large values in S3.

        ``move``: whether fields have to go into the parts, even if the item as it was read has room for them.
        """
        removed = changes.remove - changes.set.keys()
        if not changes.set and not removed:
            return FieldsUpdate()
        there = {name: value for name, value in (item or {}).items() if name.startswith(_FIELD)}
        values = {_attribute_name(name): packed(value) for name, value in changes.set.items()}
        gone = {_attribute_name(name) for name in removed}
        if move or not _has_room(there, values, gone):
            update = self._moved(item or {}, there, changes, folder, token)
        else:
            update = FieldsUpdate()
            update.set = {name: self._blobs.stored(data, folder, limit=FIELD_LIMIT) for name, data in values.items()}
            if item is not None and _MOVED_BY in item:
                update.set |= dict.fromkeys(gone, _REMOVED)
            elif gone:
                # They are in no part: nobody has moved fields since the item was read.
                update.remove = sorted(gone)
                update.unless.append((_MOVED_BY, None))
        update.set[CHANGED_BY] = text(token)
        return update

    def _moved(
        self, item: Mapping[str, Any], there: Mapping[str, Any], changes: SessionDelta, folder: str, token: str
    ) -> FieldsUpdate:
        changed = changes.set.keys() | changes.remove
        # Those that change come first: they must not lie over their new values.
        moved = sorted(there, key=lambda name: name.removeprefix(_FIELD) not in changed)[:MAX_MOVED]
        gone = {name.removeprefix(_FIELD) for name in moved} | changed
        if any(name.removeprefix(_FIELD) in changed for name in there.keys() - set(moved)):
            raise NotStorable("Too many fields of the session change at once.")
        kept = [name for name in moved if there[name] != _REMOVED and name.removeprefix(_FIELD) not in changed]
        values = self._blobs.values([there[name] for name in kept])
        new = {name.removeprefix(_FIELD): value for name, value in zip(kept, values, strict=True)} | dict(changes.set)
        touched = sorted({_part_of(name) for name in gone})
        present = [part for part in touched if part in item]
        parts = dict(zip(present, self._blobs.values([item[part] for part in present]), strict=True))
        update = FieldsUpdate(remove=moved)
        for part in touched:
            left = {name: value for name, value in parts.get(part, {}).items() if name not in gone}
            left |= {name: value for name, value in new.items() if _part_of(name) == part}
            # Sorted, so that equal contents are equal bytes.
            data = packed({name: left[name] for name in sorted(left)})
            update.set[part] = self._blobs.stored(data, folder, limit=FIELD_LIMIT)
        update.set[_MOVED_BY] = text(token)
        # Nobody has changed a field since the item was read.
        changed_by = item.get(CHANGED_BY)
        update.unless.append((CHANGED_BY, changed_by["S"] if changed_by else None))
        return update


def aliases() -> Iterator[str]:
    """Short names in an expression, which is limited to 4 KB."""
    return map(_base_36, count())


def _has_room(there: Mapping[str, Any], values: Mapping[str, bytes], gone: set[str]) -> bool:
    sizes = {name: len(value.get("B", value.get("S", b""))) for name, value in there.items()}
    sizes |= {name: len(data) if len(data) <= FIELD_LIMIT else _NAME_IN_S3 for name, data in values.items()}
    changed = len(values) + len(gone)
    return (
        max(len(sizes), changed) <= MAX_FIELDS
        and sum(len(name.encode()) + size for name, size in sizes.items()) <= MAX_FIELD_BYTES
        and all(len(name.encode()) <= _MAX_NAME for name in (*values, *gone))
    )


def _part_of(field_name: str) -> str:
    return f"{_PART}{zlib.crc32(field_name.encode()) % _PARTS:02d}"


def _attribute_name(field_name: str) -> str:
    try:
        field_name.encode()
    except UnicodeEncodeError as error:
        raise NotStorable("A key of the session is not valid Unicode.") from error
    return _FIELD + field_name


def _base_36(place: int) -> str:
    return _DIGITS[place] if place < len(_DIGITS) else _base_36(place // len(_DIGITS)) + _DIGITS[place % len(_DIGITS)]
