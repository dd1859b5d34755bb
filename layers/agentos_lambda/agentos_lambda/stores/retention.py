"""How long sessions and runs are kept."""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.protocol.values import RunStatus

DAY_MS = 24 * 3_600_000
PAUSED_DAYS = 90
"""How long a paused run waits for its caller, where runs expire: longer or shorter than one that has ended."""
PAUSED_MARGIN_MS = DAY_MS
"""How much longer is kept what a paused run has left: one that is continued on its last day still has to wait for a
worker and to end, and until then it continues from that."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days; 0 for ever. What a shorter retention would have removed already keeps the time that it was given."""

    sessions_days: int = 0
    runs_days: int = 0

    def of_session(self, written_at: int) -> int | None:
        """When a session expires that was last written to at this time; None if never. In milliseconds."""
        return written_at + self.sessions_days * DAY_MS if self.sessions_days else None

    def of_run(self, status: RunStatus, ended_at: int) -> int | None:
        """When a run expires that ended or paused at this time; None if never. In milliseconds."""
        if not self.runs_days:
            return None
        return ended_at + (PAUSED_DAYS if status is RunStatus.PAUSED else self.runs_days) * DAY_MS


FOREVER = Retention()
"""Nothing expires."""
