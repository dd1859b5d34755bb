"""An attempt's work as JSON, for a run that waits for a worker."""

from __future__ import annotations

import base64
from dataclasses import fields
from typing import Any

from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.model import Continuation, Media, RunInput, Work


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
