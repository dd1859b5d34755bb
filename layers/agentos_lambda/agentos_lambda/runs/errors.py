"""Errors, by what the caller does next.

RunsError
├── InvalidRequest        answer the client: the request can not be served as it is
│   ├── NotFound          there is no such component, run or session for this caller
│   └── Conflict          the id is taken, or the run is in a state that forbids it
├── LostRace              look at ``record``: somebody else's write came first
│   ├── RunExists         the run id is in use
│   ├── ClaimLost         another executor has the run, or it has ended
│   ├── Fenced            this attempt is over: nothing of it may be written any more
│   └── CancelWins        a cancel is flagged: commit as CANCELLED
├── SessionTaken          end the run as ERROR without touching the session: it belongs to another user
├── NotStorable           end the run as ERROR: what it left can not be stored, now or later
└── StoreUnavailable      try later: nothing is known to have been written, and nothing may be announced
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentos_lambda.runs.model import RunRecord


class RunsError(Exception):
    """Base of all errors of this package's runs. Its text is fit for a caller's eyes."""


class InvalidRequest(RunsError):
    """The request can not be served as it is."""


class NotFound(InvalidRequest):
    """No such component, run or session, or none that this caller may see."""


class Conflict(InvalidRequest):
    """The id is taken by another request, or the run's state forbids what was asked."""


class QueueFull(InvalidRequest):
    """As many runs wait for a worker as may."""


class LostRace(RunsError):
    """A condition failed because of an earlier write of somebody else."""

    def __init__(self, message: str, record: RunRecord | None) -> None:
        super().__init__(message)
        self.record = record
        """The record that won, or None where there is none."""


class RunExists(LostRace):
    """The run id is in use."""


class ClaimLost(LostRace):
    """The run can not be claimed: it is unknown, has an executor that lives, or has ended."""


class Fenced(LostRace):
    """The writer's attempt is over."""


class CancelWins(LostRace):
    """The run's cancel is flagged: only an ending as CANCELLED is taken."""


class ComponentUnusable(RunsError):
    """The component, or the engine, can not be loaded."""


class SessionTaken(RunsError):
    """The session belongs to another user since after it was read."""


class NotStorable(RunsError):
    """The store refuses this value for good, for example because it is too large."""


class StoreUnavailable(RunsError):
    """The store did not answer, or not in time, after bounded retries."""
