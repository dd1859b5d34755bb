"""What imports alone cost, and the goals that are raised by it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.bench import floors
from scripts.bench.floors import FLOORS, IMPORTS, floor, measure
from scripts.bench.goals import Goal


def test_a_floor_is_what_the_imports_of_a_request_take_and_a_tenth() -> None:
    name = FLOORS["cold agent run"]
    results = {f"imports: {name}, M instructions": [3800, 3900, 3820], f"imports: {name}, peak MiB": [74]}
    assert floor("cold agent run, M instructions", results) == pytest.approx(1.1 * 3820)
    assert floor("cold agent run, peak MiB", results) == pytest.approx(1.1 * 74)


def test_the_floor_of_a_warm_run_is_what_an_app_of_the_libraries_takes_and_a_tenth() -> None:
    results = {"libraries: warm agent run, CPU ms": [9.5, 10, 10.1], "naive: warm agent run, CPU ms": [33, 34, 33]}
    assert floor("warm agent run, CPU ms", results) == pytest.approx(11)
    assert floor("served whole run, own time ms", results) == pytest.approx(11)
    assert Goal("warm agent run, CPU ms", 1 / 4).limit(results) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", ["warm config, CPU ms", "cold agent run, CPU s", "ConfigFunction, MiB"])
def test_there_is_no_floor_of_what_was_not_measured(name: str) -> None:
    assert floor(name, {f"imports: {each}, peak MiB": [74] for each in IMPORTS}) == 0


def test_imports_are_measured_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text("held = b'x' * 64 * 1024**2\n")
    monkeypatch.setattr(floors, "IMPORTS", {"nothing": "pass", "large": "import large"})
    found: dict[str, float] = {}
    measure(
        sys.executable, (tmp_path,), lambda whose, what, value: found.update({f"{whose}: {what}": value}), count=False
    )
    assert 60 < found["imports: large, peak MiB"] - found["imports: nothing, peak MiB"] < 70


def test_a_goal_below_its_floor_is_replaced_by_it() -> None:
    measure, naive = "cold agent run, M instructions", [23_600]
    goal = Goal(measure, 1 / 5.2, exact=True)
    results = {f"ours: {measure}": [4_800], f"naive: {measure}": naive}
    assert goal.verdict(results) == "FALLS SHORT"
    results[f"imports: {FLOORS['cold agent run']}, M instructions"] = [4_400]
    assert goal.verdict(results) == "met"
    assert goal.row(results)[2] == "1/4.9 (floor)"
