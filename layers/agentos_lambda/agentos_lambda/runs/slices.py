"""Runs that take longer than a function may: an executor works on a run for a slice, and hands it over to the next.

All durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.endings import DEADLINE_EXCEEDED
from agentos_lambda.runs.model import RunRecord

LONGEST_RUN_MS = 24 * 3_600_000
MAX_SLICES = 200

STEP_TOO_LONG = (
    f"{DEADLINE_EXCEEDED}: a single step, model call or batch of tools took longer than a function may run. "
    "Split it into smaller ones"
)
RUN_TOO_LONG = f"{DEADLINE_EXCEEDED}: the run took longer, or more slices, than a run may"


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """When a slice has to come to what end."""

    until: int | None
    """When the run has to have ended; None if only the function's deadline counts."""
    deadline: int | None
    hand_over_at: int | None
    """From when on the run is to stop at its next safe point; None if nobody would carry it on."""
    overrun: str
    """The error of a run that is still there at the deadline."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """How runs are cut."""

    slice_ms: int | None = None
    """How long a slice works before it looks for a safe point. None: two thirds of the time that its function has, so
    that the step under way may take the other third."""
    longest_run_ms: int = LONGEST_RUN_MS
    max_slices: int = MAX_SLICES

    def plan(self, record: RunRecord, carried: Carried | None, *, now: int, deadline: int | None) -> SlicePlan:
        """The plan of the slice that ``record`` claims. ``deadline``: when its function is over."""
        until = carried.until if carried is not None else now + self.longest_run_ms
        if deadline is None or deadline >= until:
            return SlicePlan(until, until, None, RUN_TOO_LONG)
        if record.slices + 1 >= self.max_slices:
            return SlicePlan(until, deadline, None, RUN_TOO_LONG)
        slice_ms = (deadline - now) * 2 // 3
        if self.slice_ms is not None:
            slice_ms = min(slice_ms, self.slice_ms)
        return SlicePlan(until, deadline, now + slice_ms, STEP_TOO_LONG)


def uncut(deadline: int | None) -> SlicePlan:
    """The plan of an attempt that nobody would carry on."""
    return SlicePlan(None, deadline, None, DEADLINE_EXCEEDED)
