"""Errors, by what the caller does next.

RunsError
├── InvalidRequest        answer the client: the request cannot be served as it is
│   ├── NotFound          this caller has no such component, run or session
│   ├── Conflict          the id is taken, or the run's state forbids what was asked
│   │   ├── SessionExists  the session's id is taken
│   │   └── NameTaken      ``identity.accounts``: the name of a service account is taken
│   ├── QueueFull         try later: as many runs wait for a worker as may
│   ├── LimitReached      try later: the caller has as many runs as it may
│   ├── TooManyRuns       ``websocket.ports``: the connection follows as many runs as it may
│   └── AlreadyFollows    ``websocket.ports``: the connection already follows the run
├── LostRace              look at ``record``: another write came first
│   ├── RunExists         the run id is in use
│   ├── ClaimLost         another executor has the run, or it has ended
│   ├── Fenced            this attempt is over: nothing of it may be written any more
│   └── CancelWins        a cancel is flagged: commit as CANCELLED
├── ModelFailed           tell the client: a model gave no usable answer, and nothing has changed
├── ComponentUnusable     end the run as ERROR: the component, or the engine, cannot be loaded
│   ├── ComponentChanged  a run cannot be carried on, because a deployment has changed its component
│   └── ComponentsError   ``engine.errors``: the deployer's components cannot be loaded
├── SessionTaken          end the run as ERROR without touching the session: it belongs to another user
├── NotStorable           end the run as ERROR: its result can never be stored
└── StoreUnavailable      try later: nothing is known to have been written, and nothing may be announced
    ├── KeysUnavailable   ``identity.errors``: what tokens are verified with cannot be read
    └── AccountsUnavailable  ``identity.errors``: service accounts cannot be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentos_lambda.runs.model import RunRecord


class RunsError(Exception):
    """Base of all errors of runs. Its text is fit for a caller's eyes."""


class InvalidRequest(RunsError):
    """The request cannot be served as it is."""


class NotFound(InvalidRequest):
    """No such component, run or session, or none that this caller may see."""


class Conflict(InvalidRequest):
    """The id is taken by another request, or the run's state forbids what was asked."""


class SessionExists(Conflict):
    """The session's id is taken."""


class QueueFull(InvalidRequest):
    """As many runs wait for a worker as may."""


class LimitReached(InvalidRequest):
    """The caller has as many runs as it may."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class LostRace(RunsError):
    """A condition failed because another write came first."""

    def __init__(self, message: str, record: RunRecord | None) -> None:
        super().__init__(message)
        self.record = record
        """The record as that write left it; None if there is none."""


class RunExists(LostRace):
    """The run id is in use."""


class ClaimLost(LostRace):
    """The run cannot be claimed: it is unknown, has a living executor, or has ended."""


class Fenced(LostRace):
    """The writer's attempt is over."""


class CancelWins(LostRace):
    """The run's cancel is flagged: only an ending as CANCELLED is accepted."""


class ComponentUnusable(RunsError):
    """The component, or the engine, cannot be loaded."""


class ComponentChanged(ComponentUnusable):
    """The component is not the one any more that has begun the run."""


class ModelFailed(RunsError):
    """A model that was asked besides a run gave no usable answer."""


class SessionTaken(RunsError):
    """The session has become another user's since it was read."""


class NotStorable(RunsError):
    """The store will never accept this value, for example because it is too large."""


class StoreUnavailable(RunsError):
    """The store did not answer, or not in time, after a bounded number of tries."""
