import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from agentos_lambda.engine.to_json import plain, plain_object


class Order(BaseModel):
    price: Decimal
    by: UUID = Field(serialization_alias="orderedBy")


class Bytes(BaseModel):
    raw: bytes


@dataclass
class Point:
    x: int
    seen: set[Any]


class Plain:
    def __init__(self) -> None:
        self.kept = (1,)
        self._own = 2

    def to_dict(self) -> dict[str, Any]:
        return {"of": "no interest to AgentOS"}


class Slotted:
    __slots__ = ("_own", "kept", "unset")

    def __init__(self) -> None:
        self.kept, self._own = 1, {2}


class Colour(StrEnum):
    RED = "red"


class Pair(Enum):
    TWO = (1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Pair.TWO, "TWO"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
        (b"\x00\xff", "AP8="),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (float("inf"), None),
        ("half \ud83d", "half \ufffd"),
        (True, True),
        ({1: {None: True}, Colour.RED: 1}, {"1": {"null": True}, "red": 1}),
        (Order(price=Decimal("1.5"), by=UUID(int=1)), {"price": "1.5", "orderedBy": str(UUID(int=1))}),
        (Bytes(raw=b"\xff"), {"raw": "/w=="}),
        (Point(1, {2}), {"x": 1, "seen": [2]}),
        ([Point(1, {UUID(int=2)})], [{"x": 1, "seen": [str(UUID(int=2))]}]),
        (Decimal("1.50"), 1.5),
        (Decimal(3), 3),
        (Decimal("NaN"), None),
        (UUID(int=3), str(UUID(int=3))),
        (timedelta(minutes=1.5), 90.0),
        (PurePosixPath("/etc/x"), "/etc/x"),
        (deque([1, Decimal(2)]), [1, 2]),
        (ValueError("too late"), "too late"),
        (Order, "Order"),
        (Plain(), {"kept": [1], "_own": 2}),
        (Slotted(), {"_own": [2], "kept": 1}),
        (object(), "object"),
    ],
)
def test_values_of_the_engine_become_json(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_an_object_within_itself_becomes_null() -> None:
    circle: dict[str, Any] = {"name": "circle"}
    circle["self"] = [circle]

    assert plain(circle) == {"name": "circle", "self": [None]}


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.booleans(), inner) | st.tuples(inner)
    ),
    max_leaves=10,  # a hundred take a second to make ten of
)


@given(st.dictionaries(st.text(), anything))
def test_json_keeps_what_comes_out(value: dict[str, object]) -> None:
    result = plain_object(value)

    assert json.loads(json.dumps(result, allow_nan=False, ensure_ascii=False).encode()) == result
