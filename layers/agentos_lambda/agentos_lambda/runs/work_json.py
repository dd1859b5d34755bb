"""What an attempt has to do as JSON, for a run that waits for a worker."""

from __future__ import annotations

import base64
from dataclasses import fields
from typing import Any

from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.model import Continuation, Media, RunInput, RunOutput, SessionDelta, Work


def work_to_json(work: Work) -> JsonObject:
    """The work as JSON. Unset fields are left out, bytes are base64."""
    if isinstance(work, Continuation):
        return {"continuation": _given(work)}
    return {"input": {**_given(work), "media": [_media_to_json(media) for media in work.media]}}


def work_from_json(value: JsonObject) -> Work:
    """The inverse of ``work_to_json``."""
    if "continuation" in value:
        return Continuation(**{name: tuple(items) for name, items in value["continuation"].items()})
    given = value["input"]
    return RunInput(**{**given, "media": tuple(_media_from_json(media) for media in given["media"])})


def carried_to_json(carried: Carried) -> JsonObject:
    """What one slice leaves to the next as JSON."""
    return {
        "carried": {
            "work": work_to_json(carried.work),
            "until": carried.until,
            **carried.output.to_json(),
            "session": {"set": dict(carried.session.set), "remove": sorted(carried.session.remove)},
            "memories": [change.to_json() for change in carried.memories],
            "state": carried.state,
        }
    }


def carried_from_json(value: JsonObject) -> Carried | None:
    """The inverse of ``carried_to_json``; None for work that no slice has left."""
    if "carried" not in value:
        return None
    given, session = value["carried"], value["carried"]["session"]
    return Carried(
        work=work_from_json(given["work"]),
        until=given["until"],
        output=RunOutput.from_json(given),
        session=SessionDelta(session["set"], frozenset(session["remove"])),
        memories=tuple(map(MemoryChange.from_json, given["memories"])),
        state=given["state"],
    )


def _given(value: Any) -> JsonObject:
    items = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: list(item) if isinstance(item, tuple) else item for name, item in items if item is not None}


def _media_to_json(media: Media) -> JsonObject:
    given = _given(media)
    if media.content is not None:
        given["content"] = base64.b64encode(media.content).decode("ascii")
    return given


def _media_from_json(value: JsonObject) -> Media:
    content = value.get("content")
    return Media(**{**value, "content": None if content is None else base64.b64decode(content)})
