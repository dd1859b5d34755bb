"""Posts, and tries again while a connection is slow."""

from __future__ import annotations

import time
from collections.abc import Callable

from agentos_lambda.websocket.ports import Gone, Posts, Slow

_PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Between the tries: about three seconds together."""


class Sender:
    """Posts one message after another. ``sleep`` (seconds) waits between two tries."""

    def __init__(self, posts: Posts, sleep: Callable[[float], None] = time.sleep) -> None:
        self._posts = posts
        self._sleep = sleep

    def send(self, connection_id: str, text: str) -> None:
        """Post the text. Raises ``Gone``, ``Refused``, and ``Slow`` after the last try."""
        for seconds in _PAUSES_SECONDS:
            try:
                self._posts.post(connection_id, text)
            except Slow:
                self._sleep(seconds)
            else:
                return
        self._posts.post(connection_id, text)

    def send_first(self, connection_id: str, text: str, *, is_known: Callable[[], bool]) -> bool:
        """As ``send``, to a connection that may not be open yet: it counts as gone only after the last try.

        False if it is closed: it ``is_known`` no more.
        """
        for seconds in _PAUSES_SECONDS:
            try:
                self._posts.post(connection_id, text)
            except (Slow, Gone) as failure:
                if isinstance(failure, Gone) and not is_known():
                    return False
                self._sleep(seconds)
            else:
                return True
        self._posts.post(connection_id, text)
        return True
