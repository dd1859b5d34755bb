"""The order of text of several speakers who talk at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agentos_lambda.protocol.events import Speaker, is_text, speaker_of
from agentos_lambda.protocol.values import Event
from agentos_lambda.runs.clock import Clock, Stopwatch


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Do not call."""


class Turns:
    """Lets speakers talk in turns, so that each says several pieces of text in a row.

    Members of a team and parallel steps stream at the same time, piece by piece. None of them hears the others, so the
    order among their pieces means nothing. But only neighbours can be merged into one message. So one speaker has the
    turn, whose text passes at once. Text of the others is held until the turn is over; then the last of those who had
    to wait has the turn. A speaker's own text stays in order. A speaker's first text never waits, and whatever is not
    text passes at once, after all text before it.

    Events are numbered and logged after this: the log, and every client, has the order in which they are said.
    """

    def __init__(
        self,
        say: Callable[[Event], None],
        clock: Clock,
        length_ms: int,
        *,
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        """``length_ms``: of a turn. ``call_later`` calls after some seconds, in the thread that calls ``add``."""
        self._say = say
        self._clock = clock
        self._length_ms = length_ms
        self._call_later = call_later
        self._speaking: Speaker | None = None
        self._since = Stopwatch(clock)
        self._held: dict[Speaker, list[Event]] = {}
        self._heard: set[Speaker] = set()
        self._timer: Timer | None = None

    def add(self, event: Event) -> None:
        """Say the event, in its turn."""
        if not is_text(event):
            self.release()
            self._speaking = None
            self._say(event)
            return
        speaker = speaker_of(event)
        if self._speaking is None:
            self._begin(speaker)
        if speaker == self._speaking or speaker not in self._heard:
            self._say(event)
        else:
            self._held.setdefault(speaker, []).append(event)
        self._heard.add(speaker)
        left_ms = self._length_ms - self._since.elapsed_ms()
        if left_ms <= 0:
            self.release()
        elif self._held and self._timer is None:
            self._timer = self._call_later(left_ms / 1000, self.release)

    def release(self) -> None:
        """The turn is over: say all text that is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, {}
        for speaker, events in held.items():
            self._begin(speaker)
            for event in events:
                self._say(event)
        if not held and self._speaking is not None:
            self._begin(self._speaking)

    def _begin(self, speaker: Speaker) -> None:
        self._speaking, self._since = speaker, Stopwatch(self._clock)
