"""Cancelling runs: agno asks about once per event whether its run was cancelled, so the answer lies in memory."""

from __future__ import annotations

import threading
from functools import cache

from agno.exceptions import RunCancelledException
from agno.run.cancel import set_cancellation_manager
from agno.run.cancellation_management.base import BaseRunCancellationManager

from agentos_lambda.protocol.events import cancel_reason


class Cancellations(BaseRunCancellationManager):
    """The runs of this process that are to stop.

    A flag stays until ``forget``: the engine's clean-up after a run must not lose one that came just before. A run
    stops also when the run that it works for is to stop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flagged: set[str] = set()
        self._active: set[str] = set()
        self._members: dict[str, set[str]] = {}
        self._leader: dict[str, str] = {}

    def forget(self, run_id: str) -> None:
        """The run has ended, and with it all that worked for it."""
        with self._lock:
            ended = [run_id]
            while ended:
                current = ended.pop()
                self._flagged.discard(current)
                self._active.discard(current)
                self._leader.pop(current, None)
                ended += self._members.pop(current, ())

    def cancel_run(self, run_id: str) -> bool:
        with self._lock:
            self._flagged.add(run_id)
            return run_id in self._active

    def is_cancelled(self, run_id: str) -> bool:
        with self._lock:
            current: str | None = run_id
            while current is not None and current not in self._flagged:
                current = self._leader.get(current)
            return current is not None

    def raise_if_cancelled(self, run_id: str) -> None:
        if self.is_cancelled(run_id):
            raise RunCancelledException(cancel_reason(run_id))

    def register_run(self, run_id: str) -> None:
        with self._lock:
            self._active.add(run_id)

    def cleanup_run(self, run_id: str) -> None:
        with self._lock:
            self._active.discard(run_id)

    def get_active_runs(self) -> dict[str, bool]:
        with self._lock:
            return {run_id: run_id in self._flagged for run_id in self._active}

    def register_member_run(self, team_run_id: str, member_run_id: str) -> None:
        with self._lock:
            self._members.setdefault(team_run_id, set()).add(member_run_id)
            self._leader[member_run_id] = team_run_id

    def get_member_run_ids(self, team_run_id: str) -> set[str]:
        with self._lock:
            return set(self._members.get(team_run_id, ()))

    def cleanup_member_runs(self, team_run_id: str) -> None:
        """Nothing: a member may still be on its way to its end when its leader has ended. See ``forget``."""

    async def acancel_run(self, run_id: str) -> bool:
        return self.cancel_run(run_id)

    async def ais_cancelled(self, run_id: str) -> bool:
        return self.is_cancelled(run_id)

    async def araise_if_cancelled(self, run_id: str) -> None:
        self.raise_if_cancelled(run_id)

    async def aregister_run(self, run_id: str) -> None:
        self.register_run(run_id)

    async def acleanup_run(self, run_id: str) -> None:
        self.cleanup_run(run_id)

    async def aget_active_runs(self) -> dict[str, bool]:
        return self.get_active_runs()

    async def aregister_member_run(self, team_run_id: str, member_run_id: str) -> None:
        self.register_member_run(team_run_id, member_run_id)

    async def aget_member_run_ids(self, team_run_id: str) -> set[str]:
        return self.get_member_run_ids(team_run_id)

    async def acleanup_member_runs(self, team_run_id: str) -> None:
        self.cleanup_member_runs(team_run_id)


@cache
def cancellations() -> Cancellations:
    """This process's cancellations, known to agno from the first call on."""
    manager = Cancellations()
    set_cancellation_manager(manager)
    return manager
