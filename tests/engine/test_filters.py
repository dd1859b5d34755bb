"""The filters that the API accepts are those that agno can read."""

import pytest
from agno.filters import from_dict
from pydantic_core import PydanticCustomError

from agentos_lambda.api.requests.filters import check_filters
from agentos_lambda.engine.arguments import run_arguments
from agentos_lambda.protocol.values import Json, JsonObject
from tests.engine.playing import request_of

EQ = {"op": "EQ", "key": "a", "value": 1}


def nested(levels: int) -> JsonObject:
    return EQ if levels == 0 else {"op": "NOT", "condition": nested(levels - 1)}


GOOD: list[JsonObject] = [
    *({"op": op, "key": "a", "value": None} for op in ("EQ", "NEQ", "GT", "GTE", "LT", "LTE")),
    *({"op": op, "key": "a", "value": "x"} for op in ("CONTAINS", "STARTSWITH")),
    {"op": "IN", "key": "a", "values": []},
    {"op": "AND", "conditions": [EQ, {"op": "OR", "conditions": [EQ]}]},
    nested(10),
]

BAD: list[tuple[Json, str]] = [
    (1, "Input should be an object or an array"),
    ([1], "[0] should be an object"),
    ({"op": "LIKE", "key": "a"}, "op is no operator"),
    ({"op": ["EQ"]}, "op is no operator"),
    ([{"plain": 1}, {"op": "EQ", "key": 5, "value": 1}], "[1].key should be a string"),
    ({"op": "EQ", "key": "a"}, "value is missing"),
    ({"op": "IN", "key": "a", "values": "abc"}, "values should be an array"),
    ({"op": "AND", "conditions": {"a": 1}}, "conditions should be an array"),
    ({"op": "AND", "conditions": [EQ, {"a": 1}]}, "conditions[1] should be an object with an `op`"),
    ({"op": "NOT"}, "condition should be an object with an `op`"),
]


@pytest.mark.parametrize("expression", GOOD)
def test_an_expression_that_agno_reads_is_accepted(expression: JsonObject) -> None:
    from_dict(expression)

    assert check_filters(expression) is expression
    assert check_filters([expression, {"plain": "one"}]) is not None


@pytest.mark.parametrize("filters", [None, {}, [], {"topic": ["a", None]}])
def test_plain_filters_are_accepted(filters: Json) -> None:
    assert check_filters(filters) is filters
    run_arguments(request_of("agent/a", "hi"), request_of("agent/a", "hi", knowledge_filters=filters).work)


@pytest.mark.parametrize(("filters", "reason"), BAD)
def test_what_is_no_filter_is_refused_and_named(filters: Json, reason: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        check_filters(filters)

    assert str(refused.value) == reason


def test_what_is_nested_too_deep_for_agno_is_refused() -> None:
    with pytest.raises(ValueError, match="depth"):
        from_dict(nested(11))
    with pytest.raises(PydanticCustomError, match="nested over 10 levels deep"):
        check_filters(nested(11))
