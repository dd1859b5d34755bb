"""``connected``: the first message of every connection, once.

Nothing can be posted to a connection before the handler of ``$connect`` has returned. So that handler has the function
invoked once more, without waiting for it, to post the greeting. The handler of the first action does it if that comes
sooner.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from agentos_lambda.identity.authority import Authority
from agentos_lambda.runs.clock import Clock
from agentos_lambda.websocket import control
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.ports import Connection, ConnectionStore

_STALE_AFTER_MS = 5_000
"""A greeter that has not greeted by then has died. Longer than all retries of the sender."""

_POLL_INTERVAL_SECONDS = 0.05


class Greeter:
    """Greets each connection once: of several callers, one greets and the others wait."""

    def __init__(
        self,
        connections: ConnectionStore,
        sender: Sender,
        authority: Authority,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._sender = sender
        self._authority = authority
        self._clock = clock
        self._sleep = sleep

    def greet(self, connection_id: str) -> None:
        """Greet a connection that may not be open yet. Raises ``PostFailed``: try again later."""
        if not self._claim(connection_id):
            return
        if self._sender.send_first(connection_id, self._greeting(), is_known=lambda: self._is_known(connection_id)):
            self._connections.note_greeted(connection_id)

    def before_action(self, connection: Connection) -> None:
        """Return when the connection has been greeted, here or elsewhere. Raises ``PostFailed``."""
        current: Connection | None = connection
        while current is not None and not current.greeted:
            if self._claim(connection.connection_id):
                self._sender.send(connection.connection_id, self._greeting())
                self._connections.note_greeted(connection.connection_id)
                return
            self._sleep(_POLL_INTERVAL_SECONDS)
            current = self._connections.get(connection.connection_id)

    def _is_known(self, connection_id: str) -> bool:
        return self._connections.get(connection_id) is not None

    def _claim(self, connection_id: str) -> bool:
        now = self._clock.now()
        return self._connections.claim_greeting(connection_id, now=now, stale_before=now - _STALE_AFTER_MS)

    def _greeting(self) -> str:
        return control.connected(requires_auth=self._authority.mode() != "none")
