"""Posts, and tries again while a connection is slow."""

from __future__ import annotations

import time
from collections.abc import Callable

from agentos_lambda.websocket.ports import Gone, Posts, Slow

_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.1
"""Each further pause is twice as long. All of them together are about three seconds."""


class Sender:
    """Posts one message after another. ``sleep`` (seconds) waits between two tries."""

    def __init__(self, posts: Posts, sleep: Callable[[float], None] = time.sleep) -> None:
        self._posts = posts
        self._sleep = sleep

    def send(self, connection_id: str, text: str) -> None:
        """Post the text. Raises ``Gone``, ``Refused``, and ``Slow`` after the last try."""
        self._try(connection_id, text, Slow)

    def send_first(self, connection_id: str, text: str) -> None:
        """As ``send``, to a connection that may not be open yet: it counts as gone only after the last try."""
        self._try(connection_id, text, (Slow, Gone))

    def _try(self, connection_id: str, text: str, passing: type[Exception] | tuple[type[Exception], ...]) -> None:
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(_TRIES - 1):
            try:
                self._posts.post(connection_id, text)
            except passing:
                self._sleep(pause)
                pause *= 2
            else:
                return
        self._posts.post(connection_id, text)
