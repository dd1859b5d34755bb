"""Connections and followers in the memory of one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from agentos_lambda.identity.authority import Grant
from agentos_lambda.websocket.ports import AlreadyFollows, Connection, Follower, TooManyRuns


class MemoryConnections:
    """Implements ``websocket.ports.ConnectionStore``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: dict[str, Connection] = {}
        self._claims: dict[str, int] = {}
        self._authenticate_by: dict[str, int] = {}
        self._authenticated_at: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def open(self, connection_id: str, *, now: int, authenticate_by: int | None = None) -> None:  # noqa: ARG002 - nothing expires here
        with self._lock:
            if connection_id not in self._connections:
                self._connections[connection_id] = Connection(connection_id)
                if authenticate_by is not None:
                    self._authenticate_by[connection_id] = authenticate_by

    def get(self, connection_id: str) -> Connection | None:
        with self._lock:
            return self._connections.get(connection_id)

    def close(self, connection_id: str) -> Connection | None:
        with self._lock:
            self._claims.pop(connection_id, None)
            self._authenticate_by.pop(connection_id, None)
            self._authenticated_at.pop(connection_id, None)
            return self._connections.pop(connection_id, None)

    def authenticate(self, connection_id: str, *, grant: Grant, now: int) -> None:
        with self._lock:
            if now < self._authenticated_at.get(connection_id, now):
                return
            self._authenticated_at[connection_id] = now
            self._authenticate_by.pop(connection_id, None)
        self._change(connection_id, grant=grant)

    def overdue(self, *, now: int) -> Sequence[str]:
        with self._lock:
            due = sorted((by, connection_id) for connection_id, by in self._authenticate_by.items() if by <= now)
            return [connection_id for _, connection_id in due]

    def expire(self, connection_id: str, *, now: int) -> None:
        if connection_id in self.overdue(now=now):
            self.close(connection_id)

    def count(self, source: str, *, now: int, limit: int) -> bool:  # noqa: ARG002
        with self._lock:
            if self._counts[source] >= limit:
                return False
            self._counts[source] += 1
            return True

    def claim_greeting(self, connection_id: str, *, now: int, stale_before: int) -> bool:
        with self._lock:
            connection = self._connections.get(connection_id)
            claimed = self._claims.get(connection_id)
            if connection is None or connection.greeted or (claimed is not None and claimed >= stale_before):
                return False
            self._claims[connection_id] = now
            return True

    def note_greeted(self, connection_id: str) -> None:
        self._change(connection_id, greeted=True)

    def add_run(self, connection_id: str, run_id: str, *, limit: int) -> None:
        with self._lock:
            connection = self._connections.get(connection_id)
            if connection is None or (run_id not in connection.run_ids and len(connection.run_ids) >= limit):
                raise TooManyRuns(f"This connection follows {limit} runs already: open another one")
            self._connections[connection_id] = replace(connection, run_ids=connection.run_ids | {run_id})

    def remove_run(self, connection_id: str, run_id: str) -> None:
        with self._lock:
            if connection := self._connections.get(connection_id):
                self._connections[connection_id] = replace(connection, run_ids=connection.run_ids - {run_id})

    def _change(self, connection_id: str, **changes: bool | Grant) -> None:
        with self._lock:
            if connection := self._connections.get(connection_id):
                self._connections[connection_id] = replace(connection, **changes)  # type: ignore[arg-type]


class MemoryFollowers:
    """Implements ``websocket.ports.FollowerStore``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._followers: dict[tuple[str, str], Follower] = {}

    def put(self, follower: Follower, *, now: int, left_by: int | None = None) -> None:
        with self._lock:
            there = self._followers.get(_key(follower))
            is_another = there is not None and there.token != follower.token
            if there is not None and is_another and not _is_abandoned(there, now, left_by):
                raise AlreadyFollows(f"This connection follows run {follower.run_id} already")
            self._followers[_key(follower)] = follower

    def release(self, follower: Follower, *, next_index: int, attempt: int | None = None) -> Follower | None:
        with self._lock:
            there = self._same(follower)
            if there is None or there.attempt != attempt or there.next_index > next_index:
                return None
            released = replace(follower, next_index=next_index, held_until=None, attempt=None)
            self._followers[_key(follower)] = released
            return released

    def take(self, follower: Follower, *, attempt: int) -> bool:
        with self._lock:
            there = self._same(follower)
            if there is None or (there.attempt or 0) > attempt:
                return False
            self._followers[_key(follower)] = replace(there, attempt=attempt)
            return True

    def remove(self, follower: Follower) -> bool:
        with self._lock:
            return self._same(follower) is not None and self._followers.pop(_key(follower)) is not None

    def extend(self, run_id: str, connection_id: str, *, until: int | None) -> None:
        with self._lock:
            if follower := self._followers.get((run_id, connection_id)):
                self._followers[_key(follower)] = replace(follower, until=until)

    def drop(self, run_id: str, connection_id: str) -> None:
        with self._lock:
            self._followers.pop((run_id, connection_id), None)

    def of_run(self, run_id: str) -> Sequence[Follower]:
        return [follower for follower in self.all() if follower.run_id == run_id]

    def all(self) -> Sequence[Follower]:
        """The followers of all runs: what the store holds, if anything."""
        with self._lock:
            return [follower for _, follower in sorted(self._followers.items())]

    def _same(self, follower: Follower) -> Follower | None:
        """This follower (by token) as it is stored."""
        there = self._followers.get(_key(follower))
        return there if there is not None and there.token == follower.token else None


def _key(follower: Follower) -> tuple[str, str]:
    return follower.run_id, follower.connection_id


def _is_abandoned(there: Follower, now: int, left_by: int | None) -> bool:
    has_ended = left_by is not None and there.attempt is not None and there.attempt <= left_by
    return has_ended or (there.held_until is not None and there.held_until <= now)
