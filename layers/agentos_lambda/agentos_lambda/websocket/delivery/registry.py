"""Adds and removes followers of runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agentos_lambda.identity.authority import Accounts, Grant
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket.client import Client
from agentos_lambda.websocket.ports import Connection, ConnectionStore, Follower, FollowerStore, Form

log = logging.getLogger(__name__)

MAX_RUNS = 32
"""Runs that one connection may follow at a time (the AgentOS 3.1 API)."""


class FollowerRegistry:
    """Keeps two stores in step: the followers of a run, and the runs of a connection."""

    def __init__(
        self,
        followers: FollowerStore,
        connections: ConnectionStore,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        accounts: Accounts | None = None,
    ) -> None:
        """Without ``accounts``, no service account has any authority."""
        self.followers = followers
        self.connections = connections
        self._clock = clock
        self._accounts = accounts
        self._new_id = new_id

    @contextmanager
    def added(
        self,
        run_id: str,
        client: Client,
        *,
        next_index: int,
        form: Form,
        hold_ms: int | None = None,
        left_by: int | None = None,
    ) -> Iterator[Follower]:
        """Let the client follow the run from ``next_index`` on, held for this time; not if the block fails.
        ``left_by``: as in ``FollowerStore.put``.

        Raises ``TooManyRuns``, ``AlreadyFollows``.
        """
        now = self._clock.now()
        follower = Follower(
            run_id,
            client.connection_id,
            self._new_id(),
            next_index,
            form,
            held_until=None if hold_ms is None else now + hold_ms,
            until=client.principal.expires_at,
            account_id=client.principal.account_id,
        )
        self.connections.add_run(client.connection_id, run_id, limit=MAX_RUNS)
        self.followers.put(follower, now=now, left_by=left_by)
        log.info("a connection follows a run", extra=follower.about)
        try:
            yield follower
        except BaseException:
            self.remove(follower)
            raise

    def of_run(self, run_id: str) -> Sequence[Follower]:
        """The followers that whoever executes the run may post to: not held, and with authority.

        One whose client has no authority any more is removed: it gets nothing else.
        """
        may_be_told = []
        for follower in self.followers.of_run(run_id):
            if not self._has_authority(follower):
                log.info("a follower was dropped: its authority has ended", extra=follower.about)
                self.remove(follower)
            elif follower.held_until is None:
                may_be_told.append(follower)
        return may_be_told

    def _has_authority(self, follower: Follower) -> bool:
        if follower.until is not None and follower.until <= self._clock.now():
            return False
        if follower.account_id is None:
            return True
        return self._accounts is not None and self._accounts.principal(follower.account_id) is not None

    def remove(self, follower: Follower) -> bool:
        """Remove this follower. Of two callers, one gets True: only this one may send the rest."""
        if not self.followers.remove(follower):
            return False
        try:
            self.connections.remove_run(follower.connection_id, follower.run_id)
        except StoreUnavailable:  # it only counts one run too many
            log.warning("the connection still counts the run", extra=follower.about)
        return True

    def authenticate(self, connection: Connection, grant: Grant) -> None:
        """Note what the client has shown now."""
        self.connections.authenticate(connection.connection_id, grant=grant, now=self._clock.now())

    def leave_all(self, connection: Connection) -> None:
        """The connection stays open, and follows no run any more."""
        for run_id in connection.run_ids:
            self.followers.drop(run_id, connection.connection_id)
            self.connections.remove_run(connection.connection_id, run_id)

    def close(self, connection_id: str) -> None:
        """The connection is closed: it follows no run any more."""
        connection = self.connections.close(connection_id)
        for run_id in connection.run_ids if connection is not None else ():
            self.followers.drop(run_id, connection_id)
