"""Bounds on what clients may do that have not authenticated, where they have to."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from itertools import islice

from agentos_lambda.identity.authority import Authority
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket.ports import ConnectionStore, Gone, PostFailed, Posts, Slow

log = logging.getLogger(__name__)

AUTHENTICATE_WITHIN_MS = 60_000
"""A connection that has not authenticated by then is closed by the next sweep."""

WINDOW_MS = 60_000
"""The time in which the connections and messages of one address are counted."""

_AT_ONCE = 64
"""Connections that a sweep closes before it looks at the time again."""


class Admission:
    """Counts new connections, and messages of clients without authority, for each address that they come from."""

    def __init__(
        self, connections: ConnectionStore, posts: Posts, authority: Authority, clock: Clock, *, limit: int | None
    ) -> None:
        """``limit`` is how many of both there may be from an address in a minute; None for any number."""
        self._connections = connections
        self._posts = posts
        self._authority = authority
        self._clock = clock
        self._limit = limit

    def open(self, connection_id: str, address: str) -> bool:
        """Store a new connection. False if too many have come from there. Raises ``StoreUnavailable``."""
        now = self._clock.now()
        guarded = self._authority.is_guarded()
        if guarded and not self._counts(address):
            return False
        authenticate_by = now + AUTHENTICATE_WITHIN_MS if guarded else None
        self._connections.open(connection_id, now=now, authenticate_by=authenticate_by)
        return True

    def allows_message(self, connection_id: str, address: str) -> bool:
        """Whether a client without authority may have an answer. If not, the connection is closed.

        Raises ``StoreUnavailable``, ``PostFailed``.
        """
        if self._counts(address):
            return True
        log.warning("a connection was closed: too many messages without authentication", extra=_of(connection_id))
        self._posts.close(connection_id)
        return False

    def _counts(self, address: str) -> bool:
        if self._limit is None:
            return True
        source = f"{source_of(address)}#{self._clock.now() // WINDOW_MS}"
        return self._connections.count(source, now=self._clock.now(), limit=self._limit)


class OverdueConnections:
    """Closes connections that have not authenticated in time."""

    def __init__(self, connections: ConnectionStore, posts: Posts, clock: Clock, pool: Executor) -> None:
        """``pool`` closes several at a time."""
        self._connections = connections
        self._posts = posts
        self._clock = clock
        self._pool = pool

    def close(self, *, until: int) -> int:
        """Close them, and begin with no more after that time. Gives how many were closed."""
        now, closed = self._clock.now(), 0
        try:
            overdue: Iterator[str] = iter(self._connections.overdue(now=now))
            while self._clock.now() < until and (some := list(islice(overdue, _AT_ONCE))):
                closed += sum(self._pool.map(lambda connection_id: self._close(connection_id, now), some))
        except StoreUnavailable:
            log.warning("the store is unavailable; the next sweep closes what is overdue")
        return closed

    def _close(self, connection_id: str, now: int) -> bool:
        # The item last: if this process dies before, the next sweep finds it again.
        try:
            self._posts.close(connection_id)
        except Gone:
            pass
        except Slow as failure:
            log.info("a connection could not be closed yet: %s", failure, extra=_of(connection_id))
            return False
        except PostFailed as failure:
            log.warning("a connection cannot be closed: %s", failure, extra=_of(connection_id))
        self._connections.expire(connection_id, now=now)
        log.info("a connection was closed: it had not authenticated in time", extra=_of(connection_id))
        return True


def source_of(address: str) -> str:
    """What counts as one source: an address, or the network of an IPv6 address, of which a client has all addresses."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network(f"{parsed.compressed.partition('%')[0]}/64", strict=False))


def _of(connection_id: str) -> dict[str, str]:
    return {"connection_id": connection_id}
