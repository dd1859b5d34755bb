"""The kills in short."""

from pathlib import Path

import pytest

from tests.kills.kills import Kills

pytestmark = pytest.mark.sample


def test_runs_whose_executors_are_killed_end_as_their_owner_wants(tmp_path: Path, seed: int) -> None:
    kills = Kills(seconds=300, seed=seed, most=2, at_once=2)
    runs = kills.run(tmp_path)
    assert kills.kills
    assert [(each.wrong(), each) for each in runs if each.wrong()] == []
