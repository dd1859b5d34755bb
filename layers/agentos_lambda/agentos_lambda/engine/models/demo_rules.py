"""The rules of the demo model: messages in, a reply out. What they are stands in ``DemoModel``'s docstring."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agno.media import Audio, File, Image, Video
from agno.models.message import Message

_CALL = re.compile(r"call\s+(\w+)\s*(\{.*\})?$", re.IGNORECASE)
_ASK = re.compile(r"ask\s+([^:]+):\s*(.+)$", re.IGNORECASE)
_RECALL = re.compile(r"what did i say\b", re.IGNORECASE)
_SLOW = re.compile(r"\[slow\s+(\d+(?:\.\d+)?)\s*(ms|s)\]", re.IGNORECASE)
_HANG = re.compile(r"\[hang\]", re.IGNORECASE)
_FAIL = re.compile(r"\[fail(?:\s+([^\]]*))?\]", re.IGNORECASE)
_DELEGATE = "delegate_task_to_member"  # and _members: agno's tools of a team's leader
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says and which tools it wants called."""

    words: Sequence[str] = ()
    """Each with the space that follows it."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    pause_seconds: float = 0.0
    """Before each word."""
    hang: bool = False


def reply_to(messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None, *, as_json: bool) -> Reply:
    """The reply to a conversation. Raises ``RuntimeError``."""
    asked = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    if asked < 0:
        return Reply(words=_words("Nobody has said anything."))
    text, results = messages[asked].get_content_string(), [m for m in messages[asked + 1 :] if m.role == "tool"]
    offered = {tool["function"]["name"]: tool["function"] for tool in tools or () if "function" in tool}
    calls = [call for line in text.splitlines() if (call := _tool_call(line.strip(), offered)) is not None]
    # What stands in a task for somebody else is for them to obey.
    own = "\n".join(line for line in text.splitlines() if not _ASK.match(line.strip()))
    if failure := _FAIL.search(own):
        raise RuntimeError(failure[1] or "the demo model was told to fail")
    pause, hang = _pause(own), _HANG.search(own) is not None
    if calls and not results:
        ids = (f"call_{asked}_{number}" for number in range(len(calls)))
        return Reply(tool_calls=[_as_call(*call, next(ids)) for call in calls], pause_seconds=pause, hang=hang)
    return Reply(words=_words(_answer(messages, asked, results, as_json=as_json)), pause_seconds=pause, hang=hang)


def _answer(messages: Sequence[Message], asked: int, results: Sequence[Message], *, as_json: bool) -> str:
    text = messages[asked].get_content_string()
    if results:
        return "\n".join(map(_repeated, results))
    if as_json and (found := re.search(r"\{.*\}", text, re.DOTALL)):
        return found[0]
    if media := list(_media(messages[asked])):
        return "\n".join(media)
    if _RECALL.search(text):
        earlier = [message.get_content_string() for message in messages[:asked] if message.role == "user"]
        return f'You said: "{earlier[-1]}"' if earlier else "You have not said anything before."
    return f"I am the demo model, and you said: {_SLOW.sub('', text).strip()}"


def _repeated(result: Message) -> str:
    content = result.get_content_string()
    return content if (result.tool_name or "").startswith(_DELEGATE) else f"{result.tool_name} gave: {content}"


def _tool_call(line: str, offered: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    if (asked := _ASK.match(line)) is not None:
        member, task = asked[1].strip(), asked[2].strip()
        if member.lower() == "everyone" and f"{_DELEGATE}s" in offered:
            return f"{_DELEGATE}s", {"task": task}
        return (_DELEGATE, {"member_id": member, "task": task}) if _DELEGATE in offered else None
    if (called := _CALL.match(line)) is not None and called[1] in offered:
        return called[1], _arguments(called[2])
    name, _, rest = line.partition(" ")
    if name.lower() not in offered:
        return None
    parameters = list(offered[name.lower()].get("parameters", {}).get("properties", {}))
    numbers = [json.loads(number) for number in _NUMBER.findall(rest)]
    matches = len(parameters) == len(numbers) > 0
    return (name.lower(), dict(zip(parameters, numbers, strict=True))) if matches else None


def _arguments(text: str | None) -> dict[str, Any]:
    """The arguments as they were written; what is no JSON reaches the tool as ``text``, and its error the user."""
    try:
        given = json.loads(text or "{}")
    except ValueError:
        return {"text": text}
    return given if isinstance(given, dict) else {"text": text}


def _as_call(name: str, arguments: dict[str, Any], call_id: str) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


def _media(message: Message) -> Iterator[str]:
    kinds: dict[str, Sequence[Image | Audio | Video | File] | None] = {
        "image": message.images,
        "audio": message.audio,
        "video": message.videos,
        "file": message.files,
    }
    for kind, media in kinds.items():
        for medium in media or ():
            yield _described(kind, medium)


def _described(kind: str, medium: Image | Audio | Video | File) -> str:
    name = getattr(medium, "filename", None) or (medium.metadata or {}).get("filename") or medium.id or "unnamed"
    if medium.content is None:
        return f"{kind} {name}: at {medium.url or medium.filepath}"
    content = medium.content if isinstance(medium.content, bytes) else str(medium.content).encode()
    return f"{kind} {name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


def _pause(text: str) -> float:
    slow = _SLOW.search(text)
    return 0.0 if slow is None else float(slow[1]) * (0.001 if slow[2].lower() == "ms" else 1.0)


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)
