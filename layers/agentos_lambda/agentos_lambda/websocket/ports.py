"""What the WebSocket needs from outside: connections, followers of runs, and a way to post.

The stores are synchronous and may be called from any thread. Every method of a store may raise ``StoreUnavailable``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agentos_lambda.identity.authority import Grant
from agentos_lambda.runs.errors import InvalidRequest

CONNECTION_LIFETIME_MS = 2 * 3_600_000
"""After this time API Gateway closes a connection in any case.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


class TooManyRuns(InvalidRequest):
    """The connection follows as many runs as it may."""


class AlreadyFollows(InvalidRequest):
    """The connection already follows the run."""


class PostFailed(Exception):
    """A text did not reach its connection."""


class Gone(PostFailed):
    """The connection is closed, or not open yet. Drop it."""


class Refused(PostFailed):
    """This connection will never accept this text. Drop it."""


class Slow(PostFailed):
    """The connection accepts no more now, or it is unknown whether it got this. Post the same text again later."""


class Form(StrEnum):
    """How a run's events look on the wire (the AgentOS 3.1 API)."""

    SSE = "sse"
    """Text like a server-sent event: the live events of a run that this connection started or continued."""
    FLAT = "flat"
    """A JSON object: every event after ``reconnect``."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection."""

    connection_id: str
    grant: Grant | None = None
    """What the client has shown when it authenticated; None if it has not."""
    greeted: bool = False
    """``connected`` was posted."""
    run_ids: frozenset[str] = frozenset()
    """The runs that it follows."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A connection that follows a run: it gets the run's events from ``next_index`` on."""

    run_id: str
    connection_id: str
    token: str
    """Distinguishes this follower from an earlier or later one of the same run and connection."""
    next_index: int
    form: Form
    attempt: int | None = None
    """The last attempt whose executor has begun to send it events; None if none has."""
    held_until: int | None = None
    """Until this time, only the handler that sends it the missed events may post."""
    until: int | None = None
    """When the authority of its client ends: it is told nothing from then on. None if never."""
    account_id: str | None = None
    """Of the service account that its client has shown a token of: it is told nothing once that does not count."""

    @property
    def about(self) -> dict[str, str]:
        """What a log line is about."""
        return {"run_id": self.run_id, "connection_id": self.connection_id}


class ConnectionStore(Protocol):
    """The open connections."""

    def open(self, connection_id: str, *, now: int, authenticate_by: int | None = None) -> None:
        """Store a new connection. It is overdue if it has not authenticated by then."""

    def get(self, connection_id: str) -> Connection | None:
        """The connection, read consistently; None if there is none."""

    def close(self, connection_id: str) -> Connection | None:
        """Remove the connection, and return it as it was."""

    def authenticate(self, connection_id: str, *, grant: Grant, now: int) -> None:
        """Note what the client has shown ``now``: it is never overdue. Nothing happens if the connection is closed, or
        if its client has shown something later: this may arrive late."""

    def overdue(self, *, now: int) -> Iterable[str]:
        """The connections that have not authenticated in time, the oldest first. May miss one until later."""

    def expire(self, connection_id: str, *, now: int) -> None:
        """Remove the connection if it is overdue."""

    def count(self, source: str, *, now: int, limit: int) -> bool:
        """Count something of this source. False if there were as many as that already.

        Where an answer is lost, it counts once, unless something else of the source was counted before it is repeated.
        """

    def claim_greeting(self, connection_id: str, *, now: int, stale_before: int) -> bool:
        """Claim the greeting. False if another caller has claimed it or has greeted, or if the connection is closed.

        A claim from before ``stale_before`` without a greeting does not count any more.
        """

    def note_greeted(self, connection_id: str) -> None:
        """Note that ``connected`` was posted. Nothing happens if the connection is closed."""

    def add_run(self, connection_id: str, run_id: str, *, limit: int) -> None:
        """Count a run that the connection follows. Raises ``TooManyRuns``, also if the connection is closed."""

    def remove_run(self, connection_id: str, run_id: str) -> None:
        """Stop counting the run. Nothing happens if the connection is closed."""


class FollowerStore(Protocol):
    """Who follows which run. Followers expire by themselves."""

    def put(self, follower: Follower, *, now: int, left_by: int | None = None) -> None:
        """Store a new follower.

        Raises ``AlreadyFollows`` if the connection already follows the run, unless that follower was held and has not
        been released in time, or is that of an attempt up to ``left_by``, which has ended.
        """

    def release(self, follower: Follower, *, next_index: int, attempt: int | None = None) -> Follower | None:
        """End the sending of this attempt, or the hold if it is None: the next executor of the run sends the rest.

        None if the follower is gone, or an executor has it by now. So a release that arrives late takes it from nobody,
        and it is never sent back to where it was.
        """

    def take(self, follower: Follower, *, attempt: int) -> bool:
        """Note that this attempt's executor sends to the follower. False if the follower is gone, or that of a later
        attempt does."""

    def remove(self, follower: Follower) -> bool:
        """Remove this follower (by token). Of two callers, one gets True: only this one may send the rest."""

    def extend(self, run_id: str, connection_id: str, *, until: int | None) -> None:
        """Tell the follower until this time. Nothing happens if it is gone."""

    def drop(self, run_id: str, connection_id: str) -> None:
        """Remove the follower of this run and connection, whatever its token."""

    def of_run(self, run_id: str) -> Sequence[Follower]:
        """All followers of the run, read consistently."""


class Posts(Protocol):
    """The way to a connection."""

    def post(self, connection_id: str, text: str) -> None:
        """Post a text message. Raises ``Gone``, ``Refused``, ``Slow``."""

    def close(self, connection_id: str) -> None:
        """Close the connection. Raises ``Gone``, ``Refused``, ``Slow``."""


class Greetings(Protocol):
    """Connections that wait for their greeting. Each is greeted at least once."""

    def send(self, connection_id: str) -> None:
        """Have the connection greeted soon. Raises ``StoreUnavailable``."""
