import json
from datetime import UTC, datetime
from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentos_lambda.engine.to_json import plain, plain_object


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
    ],
)
def test_values_of_the_engine_become_json(value: object, expected: object) -> None:
    assert plain(value) == expected


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
)


@given(st.dictionaries(st.text(), anything))
def test_json_keeps_what_comes_out(value: dict[str, object]) -> None:
    result = plain_object(value)

    assert json.loads(json.dumps(result, allow_nan=False, ensure_ascii=False).encode()) == result
