"""What each client was promised, against what it can read afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from agentos_lambda.protocol.events import TEXT_EVENTS
from tests.soak.replay import LOST, Frame, differences, ending, is_durable, stretches

FINAL = frozenset({"COMPLETED", "ERROR", "CANCELLED"})


@dataclass
class Promise:
    """One client's account of one run: what it was told, and what it finds in the end."""

    path: str
    """``/agents/ID/runs``."""
    run_id: str
    way: str = "background"
    """How it was started: background, foreground, streamed, websocket or continued."""
    told_to_fail: bool = False
    """Its component was asked to fail."""
    answer: Any = None
    """The text that it was answered with, if it was answered in one piece."""
    logged: bool = True
    """False for a run that is answered in one piece in the foreground: it has no log."""
    begins_late: bool = False
    """Its log begins in its middle: nobody wanted events before."""
    cancel_acknowledged: bool = False
    told: str | None = None
    """The final status that it heard of first."""
    frames: list[Frame] = field(default_factory=list)
    """What it got in however many connections."""
    watched: bool = False
    """Whether it wanted the events, to their end."""
    end_came: bool = False
    """An event has told it that the run has ended."""
    seen_out: bool = False
    """The stream was ended by the server, after that event."""
    found: dict[str, Any] | None = None
    """The run as it is read when all is over."""
    replayed: list[Frame] = field(default_factory=list)
    """The log as it is read when all is over."""

    def hear(self, status: str) -> None:
        if status in FINAL and self.told is None:
            self.told = status

    def take(self, frame: Frame) -> None:
        """An event of the stream. The first that ends this very run is decisive."""
        self.frames.append(frame)
        if self.hear_of(frame):
            self.end_came = True

    def hear_of(self, frame: Frame) -> bool:
        """Whether the event ends this very run. Its status is then what the client was told."""
        status = ending(self.path, frame.name) if frame.event.get("run_id") == self.run_id else None
        if status is not None:
            self.hear(status)
        return status is not None

    @property
    def status(self) -> str | None:
        """What the run is found as; None if nobody can tell."""
        return None if self.found is None else str(self.found["status"])

    @property
    def lost(self) -> bool:
        """It ended, visibly, without anybody's fault but ours."""
        return self.status == "ERROR" and str((self.found or {}).get("content", "")) in LOST

    @property
    def deaths(self) -> int:
        """How many executors of a durable run have died."""
        return len(stretches(self.replayed)) - 1 if is_durable(self.path) and self.replayed else 0

    @property
    def unaccounted(self) -> bool:
        return self.status not in FINAL

    @property
    def overwritten(self) -> bool:
        """It is not what it was told to be, or ended in another way though its cancel was acknowledged."""
        changed = self.told is not None and self.told != self.status
        if self.answer is not None and self.answer != (self.found or {}).get("content"):
            return True
        # A component may fail in the moment before the cancel reaches it.
        may_be = {"CANCELLED", "ERROR"} if self.told_to_fail else {"CANCELLED"}
        return changed or (self.cancel_acknowledged and self.status in FINAL - may_be)

    @property
    def events_wrong(self) -> bool:
        """It got an event twice or out of order, or another set of events than the log holds."""
        indexes = [frame.index for frame in self.frames]
        if indexes != sorted(set(indexes)):
            return True
        return self.watched and _content(self.frames) != _content(self.replayed)

    @property
    def log_differs(self) -> list[str]:
        """What the log tells otherwise than the run, whether anybody watched it or not."""
        if self.found is None or self.unaccounted:
            return []
        if self.begins_late:
            return []
        if not self.logged:
            return ["a run without a log has one"] if self.replayed else []
        return differences(self.path, self.run_id, self.found, self.replayed)

    @property
    def wrong(self) -> bool:
        return self.unaccounted or self.overwritten or self.events_wrong or bool(self.log_differs)


def summary(promises: Sequence[Promise]) -> dict[str, int]:
    """The ledger's lines, in the order in which they are printed."""
    found = Counter(promise.status for promise in promises)
    lost = sum(promise.lost for promise in promises)
    return {
        "accepted": len(promises),
        "completed": found["COMPLETED"],
        "cancelled": found["CANCELLED"],
        "failed as they were told to": found["ERROR"] - lost,
        "lost (visible as such)": lost,
        "completed though executors died": sum(bool(each.deaths) for each in promises if each.status == "COMPLETED"),
        "unaccounted": sum(promise.unaccounted for promise in promises),
        "success overwritten": sum(promise.overwritten for promise in promises),
        "events missing or repeated": sum(promise.events_wrong for promise in promises),
        "log differs from the run": sum(bool(promise.log_differs) for promise in promises),
    }


def ways(promises: Sequence[Promise]) -> dict[str, int]:
    """How many runs were started in which way."""
    return dict(Counter(promise.way for promise in promises))


MUST_BE_NONE = ("unaccounted", "success overwritten", "events missing or repeated", "log differs from the run")


def _content(frames: Sequence[Frame]) -> list[object]:
    """Frames as they compare: neighbouring texts are one, since the wire may merge them."""
    content: list[object] = []
    for text, group in groupby(frames, key=lambda frame: frame.name if frame.name in TEXT_EVENTS else None):
        if text is None:
            content += [(frame.index, frame.name) for frame in group]
        else:
            content.append((text, "".join(str(frame.event.get("content") or "") for frame in group)))
    return content
