"""What sessions need from outside. The guarantees of ``runs.ports`` hold here, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.runs.ports import RunStore
from agentos_lambda.sessions.model import BuriedRun, Deletion, SessionEntry, SessionFilter


class SessionDirectory(Protocol):
    """All sessions, by index. No method reads more than it gives back, and none reads runs but ``whole``.

    What has expired is not there, but ``entries`` and ``count`` know of it until it is deleted.
    """

    def create(self, session: Session) -> None:
        """Store a session without runs. Raises ``SessionExists``."""

    def find(self, session_id: str) -> Session | None:
        """The session without its runs, read consistently; None if there is none."""

    def bare(self, session_id: str, *, expired: bool = False) -> Session | None:
        """The session without fields and runs, read consistently; None if there is none. Also one that has ``expired``.

        One request, however large the session is.
        """

    def whole(self, session_id: str) -> Session | None:
        """The session with all its runs, oldest first, read consistently; None if there is none."""

    def change(self, session: Session, changes: SessionDelta, *, name: str | None, now: int) -> Session | None:
        """Change fields of the session, and its name unless None. Gives it as it is then, without runs.

        Demands that ``session`` is still there with the same owner: else None, and nothing has changed.
        """

    def entries(self, chosen: SessionFilter, *, limit: int, ascending: bool = False) -> Sequence[SessionEntry]:
        """The newest of the chosen sessions, or the oldest, in this order; not more than ``limit``.

        Eventually consistent. If both a component and a user are given, the component does not count.
        """

    def count(self, chosen: SessionFilter) -> int:
        """How many sessions are chosen, by a kind, a component or a user. Eventually consistent."""

    def heads(self, session_ids: Sequence[str]) -> Sequence[Session]:
        """These sessions without their runs, in this order; without those that are not there any more."""

    def bury(self, session_id: str, session: Session | None, *, now: int) -> bool:
        """Delete the session as it was read, or note that there is to be none of the runs accepted until now.

        Readers see it gone at once. Demands that ``session`` is still there with the same owner, and was not written to
        since if it has expired by ``now``; or that there is still none: else False, and nothing has changed.
        """

    def active_runs(self, session_id: str) -> Sequence[str]:
        """Ids of the session's PENDING and RUNNING runs. Eventually consistent: a hint."""


class ExpiringSessions(Protocol):
    """Sessions that expire."""

    def expiring(self, *, before: int, limit: int) -> Sequence[Session]:
        """Sessions that have to be looked at since a time before this one, without fields and runs; about ``limit`` of
        them. They may have been written to meanwhile."""

    def look_again(self, session: Session, *, at: int) -> None:
        """Have ``expiring`` give the session at this time, if it still expires."""

    def bury(self, session_id: str, session: Session | None, *, now: int) -> bool:
        """As in ``SessionDirectory``."""

    def active_runs(self, session_id: str) -> Sequence[str]:
        """As in ``SessionDirectory``."""


class SessionRemains(Protocol):
    """What is left of a deleted session. Every method may be repeated."""

    def buried_runs(self, session_id: str, *, until: int, limit: int) -> Sequence[BuriedRun]:
        """Runs that the session keeps and that were accepted until then; fewer than ``limit`` only if there are no
        more."""

    def remove_run(self, session_id: str, run: BuriedRun) -> bool:
        """Remove the run's events, payloads, followers and record, and last what the session keeps of it.

        False, and nothing has changed, if the run is PENDING or RUNNING. Else it is hidden at once, and its id is free
        when all is gone: where this comes to no end, it counts as expired, for ``RunStore.remove_expired``.
        """

    def remove_values(self, session_id: str, *, until: int, media: bool) -> None:
        """Remove large values of the session that were written until then, and its media where ``media``."""

    def close(self, session_id: str, *, deleted_at: int, expires_at: int) -> None:
        """Let the note of the deletion expire (in milliseconds), unless a session or deletion has come after it."""


class DeletionStore(SessionDirectory, ExpiringSessions, SessionRemains, RunStore, Protocol):
    """All that a deletion needs, in one database."""


class DeletionQueue(Protocol):
    """Deletions that wait for a worker. Delivers at least once, in any order."""

    def send_deletion(self, deletion: Deletion, *, delay_seconds: int = 0) -> None:
        """Have a worker go on with the deletion. Raises ``StoreUnavailable``."""


class MediaLinks(Protocol):
    """Lends media to those who fetch them by a URL."""

    def link(self, session_id: str, content: bytes, media_type: str) -> str:
        """A URL that gives this content for five minutes."""
