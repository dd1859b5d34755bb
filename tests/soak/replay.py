"""Whether a run's log tells what the run itself says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentos_lambda.protocol.events import TEXT_EVENTS

DURABLE = "durable-"
"""So begin the ids of durable components."""
LOST = ("execution lost", "never started", "never carried on")
_GAP = 1_000
"""Indexes, of which a run in the soak has fewer. A death leaves a gap of more."""
_ENDS = {"Completed": "COMPLETED", "Error": "ERROR", "Cancelled": "CANCELLED"}
_PREFIXES = {"agents": ("Run",), "teams": ("TeamRun",), "workflows": ("Workflow",)}
_ANY_PREFIX = ("TeamRun", "Workflow", "Run")


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as a client got it."""

    index: int
    event: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.event["event"])


def ending(path: str, name: str) -> str | None:
    """The status that an event of this name gives to a run of this path, ``/agents/ID/runs``."""
    return _ending(name, _PREFIXES[path.split("/")[1]])


def is_durable(path: str) -> bool:
    """Whether the runs of this path survive their executors."""
    return path.split("/")[2].startswith(DURABLE)


def stretches(frames: Sequence[Frame]) -> list[list[Frame]]:
    """The log in parts: after an executor has died, the indexes go on after a gap."""
    parts: list[list[Frame]] = []
    for frame in frames:
        if not parts or frame.index > parts[-1][-1].index + _GAP:
            parts.append([])
        parts[-1].append(frame)
    return parts


def differences(path: str, run_id: str, run: Mapping[str, Any], frames: Sequence[Frame]) -> list[str]:
    """What the log of a run that has ended tells otherwise than the run as it is read, in sentences.

    That of a durable run goes on after a gap for each executor that died, and may tell a part again.
    """
    lost = run["status"] == "ERROR" and run.get("content") in LOST
    whole = stretches(frames) if is_durable(path) else [frames]
    return [
        *(() if lost else (told for part in whole for told in _gaps(part))),
        *_end(path, run_id, run, frames),
        *_texts(path, run_id, run, frames),
    ]


def _gaps(frames: Sequence[Frame]) -> Iterator[str]:
    """The log is read whole, over HTTP, where nothing is merged."""
    indexes = [frame.index for frame in frames]
    first = indexes[0] if indexes and indexes[0] > _GAP else 0
    if indexes != list(range(first, first + len(frames))):
        yield f"the indexes are {indexes}"


def _end(path: str, run_id: str, run: Mapping[str, Any], frames: Sequence[Frame]) -> Iterator[str]:
    own = [frame for frame in frames if frame.event.get("run_id") == run_id]
    ends = [frame for frame in own if ending(path, frame.name)]
    if not ends:
        yield "the log has no end"
        return
    if (told := ending(path, ends[0].name)) != run["status"]:
        yield f"the log ends as {told}, the run is {run['status']}"
    if frames[-1] is not ends[-1] or own[-len(ends) :] != ends:
        yield "the log goes on after its end"
    pauses = {frame.event.get("content") for frame in own if frame.name.endswith("Paused")}
    for frame in ends:
        text = frame.event.get("error") or frame.event.get("content") or ""
        # A run that is cancelled before it says more than when it paused keeps that.
        kept = text == f"Run {run_id} was cancelled" and run.get("content") in pauses
        if text != (run.get("content") or "") and not kept:
            yield f"{frame.name} says {text!r}, the run {run.get('content')!r}"


def _texts(path: str, run_id: str, run: Mapping[str, Any], frames: Sequence[Frame]) -> Iterator[str]:
    """Of the run, its members and its steps: the words one by one against the text that each ended with."""
    words: dict[str, str] = {}
    ends: dict[str, tuple[str, str]] = {}
    pauses = {str(frame.event.get("content")) for frame in frames if frame.name.endswith("Paused")}
    for frame in frames:
        who = str(frame.event.get("run_id"))
        if frame.name in TEXT_EVENTS:
            words[who] = words.get(who, "") + str(frame.event.get("content") or "")
        elif (status := _ending(frame.name, _ANY_PREFIX)) and who not in ends:
            ends[who] = status, str(frame.event.get("content") or "")
    for inner in (*run.get("member_responses", ()), *run.get("step_executor_runs", ())):
        ends[str(inner["run_id"])] = str(inner["status"]), str(inner.get("content") or "")
    ends[run_id] = str(run["status"]), str(run.get("content") or "")
    for who, (status, text) in ends.items():
        own_words = words.get(who, "")
        if who == run_id and path.startswith("/workflows"):
            continue  # it has no words of its own
        if who == run_id and is_durable(path) and len(parts := stretches(frames)) > 1:
            own_words = _told_once([_words_of(run_id, part) for part in parts], text)
        if status == "COMPLETED" and own_words != text:
            yield f"the words of {who} are {own_words!r}, its text is {text!r}"
        if status == "CANCELLED" and not _cut_off(own_words, text, who, words.values(), pauses):
            yield f"the words of {who} are {own_words!r}, its text so far is {text!r}"


def _words_of(run_id: str, frames: Iterable[Frame]) -> str:
    own = (frame for frame in frames if frame.name in TEXT_EVENTS and frame.event.get("run_id") == run_id)
    return "".join(str(frame.event.get("content") or "") for frame in own)


def _told_once(parts: Iterable[str], text: str) -> str:
    """The text as far as these parts tell it. Each may begin before the one ahead of it has ended."""
    told = 0
    for words in parts:
        begin = text.rfind(words, 0, told + len(words))
        if begin < 0:
            return text[:told] + words
        told = max(told, begin + len(words))
    return text[:told]


def _cut_off(own_words: str, text: str, run_id: str, all_words: Iterable[str], pauses: Collection[str]) -> bool:
    """The words may lack the one that was under way.

    A run without any says that it was cancelled, or what it said when it paused. A team that waited for a member says
    what the member said.
    """
    if not own_words and (text == f"Run {run_id} was cancelled" or text in pauses):
        return True
    others = () if own_words else all_words
    return any(_but_for_one(words, text) for words in (own_words, *others))


def _but_for_one(words: str, text: str) -> bool:
    return text.startswith(words) and len(text.removeprefix(words).split()) <= 1


def _ending(name: str, prefixes: Sequence[str]) -> str | None:
    prefix = next((prefix for prefix in prefixes if name.startswith(prefix)), None)
    return None if prefix is None else _ENDS.get(name.removeprefix(prefix))
