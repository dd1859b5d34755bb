"""A keeper without a thread: its turns come when a test says so, and at once where an attempt asks for one."""

from __future__ import annotations

import pytest

from agentos_lambda.runs.supervisor import Keeper


class HandDrivenKeeper(Keeper):
    """Everything a keeper does in a turn is real; only who calls for the turn is not."""

    def start(self) -> None:
        pass

    def nudge(self) -> None:
        self.turn()

    def stop(self) -> None:
        pass


def drive_keepers_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all attempts have such keepers."""
    monkeypatch.setattr("agentos_lambda.runs.execution.Keeper", HandDrivenKeeper)
