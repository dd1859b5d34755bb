"""JSON from clients, read strictly: no value is changed silently."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from agentos_lambda.protocol.values import Json

MAX_DEPTH = 64
"""Levels of nesting."""


_BOM = "\ufeff"


class TooDeep(ValueError):
    """The text has more levels of nesting than are allowed."""

    def __init__(self) -> None:
        super().__init__(f"nested over {MAX_DEPTH} levels deep")


def parse_json(text: str) -> Json:
    """The value of the text. A byte order mark before it is ignored, as RFC 8259 allows.

    Raises ``TooDeep``; ``UnicodeError`` for half of a surrogate pair; ``ValueError`` for anything else that is not
    JSON, including NaN, Infinity, and numbers that Python would read as Infinity.
    """
    try:
        value = json.loads(text.removeprefix(_BOM), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise TooDeep from error
    if _deeper_than(value, MAX_DEPTH):
        raise TooDeep
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _deeper_than(value: Json, levels: int) -> bool:
    layer: list[Json] = [value]
    for _ in range(levels):
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return any(isinstance(node, dict | list) for node in layer)
