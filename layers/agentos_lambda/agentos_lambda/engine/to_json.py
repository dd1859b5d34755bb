"""Values of the engine as JSON: what comes out is equal after ``json.dumps`` and ``json.loads``."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from agno.utils.serialize import json_serializer

from agentos_lambda.protocol.values import Json, JsonObject

_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(value: object) -> Json:
    """The value as JSON, as agno writes it to the wire; bytes as base64.

    JSON knows no NaN and no infinity: they become null. UTF-8 knows no lone surrogate: it becomes U+FFFD.
    """
    if isinstance(value, Mapping):
        return plain_object(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Enum) or not (value is None or isinstance(value, str | int | float)):
        value = json_serializer(value)
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain_object(value: Mapping[Any, object]) -> JsonObject:
    """A mapping as a JSON object. Keys become text as ``json.dumps`` would write them."""
    return {_key(key): plain(item) for key, item in value.items()}


def _key(key: object) -> str:
    named = plain(key)
    return named if isinstance(named, str) else json.dumps(named)
