"""The soak in short. Runs whose worker was killed are swept by a clock that is ahead, so that nobody waits a minute."""

from pathlib import Path

import pytest

from tests.soak.ledger import MUST_BE_NONE, summary
from tests.soak.soak import Soak

pytestmark = pytest.mark.sample


def test_what_clients_were_promised_is_what_they_find_though_workers_are_killed(tmp_path: Path, seed: int) -> None:
    soak = Soak(seconds=8, clients=5, runs_each=3, kill_every=2.0, seed=seed, impatient=True)
    lines = summary(soak.run(tmp_path / "state"))
    assert soak.killed > 0
    assert lines["accepted"] >= 15
    assert lines["completed"] > 0
    assert [(promise.log_differs, promise) for promise in soak.promises if promise.wrong] == []
    assert {name: lines[name] for name in MUST_BE_NONE} == dict.fromkeys(MUST_BE_NONE, 0)
    assert soak.wrong_conversations == []
    assert soak.wrong_memories == []
    assert "COMPLETED" in {status for user in soak.users for status in user.statuses.values()}
