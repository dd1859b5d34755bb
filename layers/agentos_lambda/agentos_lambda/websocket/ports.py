"""What the WebSocket needs from outside: its connections, the followers of runs, and a way to post.

The stores are synchronous and may be called from any thread. Every method of a store may raise ``StoreUnavailable``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agentos_lambda.runs.errors import InvalidRequest

CONNECTION_LIVES = 2 * 3_600_000
"""Milliseconds after which API Gateway ends a connection in any case.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


class TooManyRuns(InvalidRequest):
    """The connection follows as many runs as it may."""


class AlreadyFollows(InvalidRequest):
    """The connection follows the run already."""


class PostFailed(Exception):
    """A text did not get to its connection."""


class Gone(PostFailed):
    """The connection is closed, or not open yet. Drop it."""


class Refused(PostFailed):
    """This text will never be taken by this connection. Drop it."""


class Slow(PostFailed):
    """The connection does not take more now, or nobody knows whether it took this. Post the same text again later."""


class Form(StrEnum):
    """How a run's events look on the wire (the AgentOS 3.1 API)."""

    SSE = "sse"
    """Text in the form of a server-sent event: the live events of a run that this connection started or continued."""
    FLAT = "flat"
    """A JSON object: everything after ``reconnect``."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection."""

    connection_id: str
    authenticated: bool = False
    greeted: bool = False
    """``connected`` was posted."""
    run_ids: frozenset[str] = frozenset()
    """The runs that it follows."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A connection that is to be told a run's events, from ``next_index`` on."""

    run_id: str
    connection_id: str
    token: str
    """Made for this following: tells it from an earlier or a later one of the same connection."""
    next_index: int
    form: Form
    attempt: int | None = None
    """The last attempt whose executor has begun to tell it events; None while none has."""
    held_until: int | None = None
    """Until this time a handler tells the connection what it has missed, and nobody else may post."""

    @property
    def about(self) -> dict[str, str]:
        """What a log line says it is about."""
        return {"run_id": self.run_id, "connection_id": self.connection_id}


class ConnectionStore(Protocol):
    """The connections that are open."""

    def open(self, connection_id: str, *, now: int) -> None:
        """Store a new connection."""

    def get(self, connection_id: str) -> Connection | None:
        """The connection, read consistently; None if there is none."""

    def close(self, connection_id: str) -> Connection | None:
        """Remove the connection. Gives it as it was."""

    def authenticate(self, connection_id: str) -> None:
        """Note that the connection has proved to have the key. Nothing happens if it is closed."""

    def claim_greeting(self, connection_id: str, *, now: int, stale_before: int) -> bool:
        """Become the one who greets; False if somebody else does, has, or the connection is closed.

        A claim from before ``stale_before`` that has led to nothing does not count any more.
        """

    def note_greeted(self, connection_id: str) -> None:
        """Note that ``connected`` was posted. Nothing happens if the connection is closed."""

    def add_run(self, connection_id: str, run_id: str, *, limit: int) -> None:
        """Count a run that the connection follows. Raises ``TooManyRuns``, also if the connection is closed."""

    def remove_run(self, connection_id: str, run_id: str) -> None:
        """Count it no more. Nothing happens if the connection is closed."""


class FollowerStore(Protocol):
    """Who follows which run. They expire by themselves."""

    def put(self, follower: Follower, *, now: int) -> None:
        """Begin to follow.

        Raises ``AlreadyFollows`` if the connection does already, unless that following was held and its holder has
        not released it in time.
        """

    def release(self, follower: Follower, *, next_index: int) -> Follower | None:
        """End the hold: whoever executes the run tells the rest. None if the following is over."""

    def take(self, follower: Follower, *, attempt: int) -> bool:
        """Note that this attempt's executor tells the follower events. False if the following is over."""

    def remove(self, follower: Follower) -> bool:
        """End this following (by token). Of two who do, one gets True: it alone may tell the rest."""

    def drop(self, run_id: str, connection_id: str) -> None:
        """End whatever following of the run the connection has."""

    def of_run(self, run_id: str) -> Sequence[Follower]:
        """All followers of the run, read consistently."""


class Posts(Protocol):
    """The way to a connection."""

    def post(self, connection_id: str, text: str) -> None:
        """Post a text message. Raises ``Gone``, ``Refused``, ``Slow``."""


class Greetings(Protocol):
    """Connections that wait to be greeted. Delivers at least once."""

    def send(self, connection_id: str) -> None:
        """Have the connection greeted soon. Raises ``StoreUnavailable``."""
