import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentos_lambda.engine.session_fields import difference, to_fields
from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.session_fields import EMPTY_STATE, STATE, from_fields

names = st.text(max_size=3).map("state:".__add__) | st.text(max_size=3).map("data:".__add__)
fields = st.dictionaries(names.filter(lambda name: name != "data:session_state"), st.integers())


def test_a_session_is_taken_apart_by_top_level_keys() -> None:
    session = {
        "session_data": {
            "session_state": {"cart": [1], "current_run_id": "r"},
            "session_metrics": {"total": 1},
            "x": None,
        },
        "metadata": {"plan": "free"},
        "summary": None,
        "runs": [],
    }
    assert to_fields(session) == {
        "state:cart": [1],
        "data:session_metrics": {"total": 1},
        "metadata": {"plan": "free"},
    }


def test_a_session_without_data_has_no_fields() -> None:
    assert to_fields({"session_data": None}) == {}


@given(fields)
def test_fields_survive_the_way_there_and_back(given_fields: dict[str, int]) -> None:
    kept = {
        name: value
        for name, value in given_fields.items()
        if name not in ("state:current_session_id", "state:current_user_id", "state:current_run_id")
    }
    has_state = any(name.startswith(STATE) for name in kept)
    assert to_fields(from_fields(kept)) == (kept if has_state else {**kept, EMPTY_STATE: {}})


@given(fields, fields)
def test_a_difference_leads_from_one_to_the_other(loaded: dict[str, int], left: dict[str, int]) -> None:
    delta = difference(loaded, left)

    result = {name: value for name, value in {**loaded, **delta.set}.items() if name not in delta.remove}
    assert result == left
    assert not delta.set.keys() & delta.remove


@pytest.mark.parametrize(("before", "after"), [(1, True), (False, 0), (1, 1.0), ({"a": [1]}, {"a": [True]})])
def test_a_value_that_python_takes_for_the_same_has_changed_all_the_same(before: Json, after: Json) -> None:
    delta = difference({"state:x": before}, {"state:x": after})
    assert repr(delta.set) == repr({"state:x": after})


def test_a_value_whose_keys_come_in_another_order_has_not_changed() -> None:
    assert not difference({"state:x": {"a": 1, "b": 2}}, {"state:x": {"b": 2, "a": 1}}).set


def test_what_tells_of_a_component_is_not_removed_by_one_of_another_kind() -> None:
    assert difference({"agent_data": {"agent_id": "a"}}, {"team_data": {}}).remove == frozenset()


def test_fields_of_others_are_not_removed() -> None:
    assert difference({"title": "x", "summary": "y"}, {}).remove == {"summary"}
