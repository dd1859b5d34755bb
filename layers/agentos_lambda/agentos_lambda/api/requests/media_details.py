"""What a media object may say of its medium beside its content, its type and its names: agno's own fields (3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentos_lambda.api.errors import FieldErrors
from agentos_lambda.protocol.values import JsonObject

_Types = tuple[type, ...]

_TEXT: _Types = (str,)
_COUNT: _Types = (int,)
_NUMBER: _Types = (int, float)
_FLAG: _Types = (bool,)

_MADE = {"original_prompt": _TEXT, "revised_prompt": _TEXT}
_DETAILS: dict[str, dict[str, _Types]] = {
    "image": {"format": _TEXT, "detail": _TEXT, "alt_text": _TEXT, **_MADE},
    "audio": {
        "format": _TEXT, "duration": _NUMBER, "sample_rate": _COUNT, "channels": _COUNT, "transcript": _TEXT,
        "expires_at": _COUNT,
    },
    "video": {
        "format": _TEXT, "duration": _NUMBER, "width": _COUNT, "height": _COUNT, "fps": _NUMBER, "eta": _TEXT, **_MADE,
    },
    "file": {"format": _TEXT, "name": _TEXT, "file_type": _TEXT, "size": _COUNT, "citations": _FLAG},
}  # fmt: skip
_EXPECTED = {_TEXT: "text", _COUNT: "a whole number", _NUMBER: "a number", _FLAG: "true or false"}


def media_details(kind: str, place: str, item: Mapping[str, Any]) -> JsonObject | None:
    """The details that a media object of this kind has; None if it has none. Raises ``FieldErrors``."""
    details: JsonObject = {}
    for name, types in _DETAILS[kind].items():
        value = item.get(name)
        if value is None:
            continue
        if not isinstance(value, types) or (isinstance(value, bool) and types is not _FLAG):
            raise FieldErrors([(f"{place}.{name}", f"expected {_EXPECTED[types]}")])
        details[name] = value
    return details or None
