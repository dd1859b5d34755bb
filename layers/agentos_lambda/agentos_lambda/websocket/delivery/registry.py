"""Begins and ends followings: the follower, and its place among the runs of its connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket.ports import ConnectionStore, Follower, FollowerStore, Form

log = logging.getLogger(__name__)

MAX_RUNS = 32
"""Runs that one connection may follow at a time (the AgentOS 3.1 API)."""


class Followings:
    """Keeps both stores in step: of a following that has ended nothing is left in either."""

    def __init__(
        self, followers: FollowerStore, connections: ConnectionStore, clock: Clock, *, new_id: Callable[[], str]
    ) -> None:
        self.followers = followers
        self.connections = connections
        self._clock = clock
        self._new_id = new_id

    def begin(
        self, run_id: str, connection_id: str, *, next_index: int, form: Form, hold: int | None = None
    ) -> Follower:
        """Follow the run from ``next_index`` on, held for ``hold`` milliseconds.

        Raises ``TooManyRuns``, ``AlreadyFollows``.
        """
        now = self._clock.now()
        follower = Follower(
            run_id,
            connection_id,
            self._new_id(),
            next_index,
            form,
            held_until=None if hold is None else now + hold,
        )
        self.connections.add_run(connection_id, run_id, limit=MAX_RUNS)
        self.followers.put(follower, now=now)
        log.info("a connection follows a run", extra=follower.about)
        return follower

    @contextmanager
    def begun(
        self, run_id: str, connection_id: str, *, next_index: int, form: Form, hold: int | None = None
    ) -> Iterator[Follower]:
        """A following that ends at once if what it is begun for fails. Otherwise as ``begin``."""
        follower = self.begin(run_id, connection_id, next_index=next_index, form=form, hold=hold)
        try:
            yield follower
        except BaseException:
            self.end(follower)
            raise

    def end(self, follower: Follower) -> bool:
        """End this following. Of two who do, one gets True: it alone may tell the rest."""
        if not self.followers.remove(follower):
            return False
        try:
            self.connections.remove_run(follower.connection_id, follower.run_id)
        except StoreUnavailable:  # it only counts for one too many
            log.warning("the connection still counts the run", extra=follower.about)
        return True

    def close(self, connection_id: str) -> None:
        """The connection is closed: it follows nothing any more."""
        connection = self.connections.close(connection_id)
        for run_id in connection.run_ids if connection is not None else ():
            self.followers.drop(run_id, connection_id)
