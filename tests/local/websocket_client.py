"""A plain client of the workflow WebSocket."""

import json
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE_SECONDS


class Client:
    """A connection. Messages are taken in either of the two forms that the server sends."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        self._token = token
        self._open = ExitStack()
        self.sizes: list[int] = []

    def __enter__(self) -> Self:
        # Without a bound on what waits to be read: with one, closing would wait ten seconds behind unread messages.
        opened = connect(self._url, open_timeout=PATIENCE_SECONDS, max_queue=None)
        self.socket: ClientConnection = self._open.enter_context(opened)
        self.hello = self.receive()
        if self._token is not None:
            assert self.ask(action="authenticate", token=self._token)["event"] == "authenticated"
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def receive(self, timeout: float = PATIENCE_SECONDS) -> dict[str, Any]:
        text = self.socket.recv(timeout)
        assert isinstance(text, str)
        self.sizes.append(len(text.encode()))
        message: dict[str, Any] = json.loads(text.split("\ndata: ", 1)[-1])
        return message

    def ask(self, **message: Any) -> dict[str, Any]:
        self.send(**message)
        return self.receive()

    def until(self, *names: str, timeout: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """The messages up to the first with one of these names. ``timeout``: of each message, in seconds."""
        messages = [self.receive(timeout)]
        while messages[-1]["event"] not in names:
            messages.append(self.receive(timeout))
        return messages


def text_of(messages: list[dict[str, Any]]) -> str:
    """The text of all deltas, as a client would show it."""
    return "".join(message["content"] for message in messages if message["event"] == "RunContent")


def indexes(messages: list[dict[str, Any]]) -> list[int]:
    return [message["event_index"] for message in messages if "event_index" in message]
