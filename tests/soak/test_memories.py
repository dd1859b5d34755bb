"""The ledger of memories finds what is lost and what is doubled."""

import pytest

from tests.soak.memories import wrong_memories

RUNS = {"a": "COMPLETED", "b": "COMPLETED", "c": "ERROR", "d": "CANCELLED"}


def test_a_ledger_balances_if_each_completed_run_is_remembered_once_and_no_other() -> None:
    assert wrong_memories(RUNS, ["b", "a"]) == []


@pytest.mark.parametrize(
    ("memories", "told"),
    [
        (["a"], "'b' is lost"),
        (["a", "b", "b"], "'b' is known 2 times"),
        (["a", "b", "c"], "'c' is known, though its run is ERROR"),
        (["a", "b", "d"], "'d' is known, though its run is CANCELLED"),
        (["a", "b", "x"], "nobody has said 'x'"),
    ],
)
def test_each_fault_is_found(memories: list[str], told: str) -> None:
    assert wrong_memories(RUNS, memories) == [told]


def test_a_run_that_goes_on_is_a_fault() -> None:
    assert wrong_memories({"a": "RUNNING"}, []) == ["the run of 'a' has not ended"]
