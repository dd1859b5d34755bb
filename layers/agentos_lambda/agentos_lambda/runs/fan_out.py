"""What runs need to be followed as they happen, by connections that somebody else keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agentos_lambda.runs.model import IndexedEvent, RunRecord


class Feed(Protocol):
    """One attempt's way to the connections that follow it."""

    text_interval_ms: int
    """How long text may wait for more text."""

    def publish(self, indexed: IndexedEvent) -> None:
        """Send an event that does not end the attempt. Returns at once, never raises."""

    def hand_over(self) -> None:
        """Send all that was published, and nothing more: the feed of the next attempt goes on for each connection.

        Comes before the run is handed over, and ``end`` after it. Blocks, never raises.
        """

    def end(self, record: RunRecord) -> None:
        """Send nothing of the attempt any more. If the run has ended or paused, send the rest of it from the log.

        ``record`` is the run as it is known now. Blocks until all is sent, never raises.
        """


class FanOut(Protocol):
    """Sends runs to the connections that follow them. Failures of connections never harm a run."""

    def begin(self, record: RunRecord, *, holds_lease: Callable[[], bool]) -> Feed | None:
        """A feed of the attempt that ``record`` claims; None if no connection can follow such a run.

        Nothing is sent while ``holds_lease`` says no.
        """

    def ended(self, record: RunRecord) -> None:
        """Send the rest of a run that ended without a feed to its followers. Blocks, never raises."""
