"""Where an answer goes."""

from __future__ import annotations

from typing import Protocol

from agentos_lambda.aws.handlers.prelude import Prelude


class Sink(Protocol):
    """Takes one answer: ``start`` once, ``write`` any number of times, ``finish`` once.

    Each method returns when the sink can take more: a slow reader holds the writer back.
    """

    async def start(self, prelude: Prelude) -> None:
        """Begin the answer. Raises ``PreludeTooLarge`` before anything of it is sent."""

    async def write(self, data: bytes) -> None:
        """Send the next bytes of the body."""

    async def finish(self, error: BaseException | None = None) -> None:
        """End the answer. With an error, what was sent is not the whole answer, and the sink reports so."""


class CollectingSink:
    """Keeps an answer until it is whole. One that breaks off does not count."""

    def __init__(self) -> None:
        self.prelude: Prelude | None = None
        self.body = bytearray()
        self.error: BaseException | None = None

    async def start(self, prelude: Prelude) -> None:
        self.prelude = prelude

    async def write(self, data: bytes) -> None:
        self.body += data

    async def finish(self, error: BaseException | None = None) -> None:
        self.error = error
