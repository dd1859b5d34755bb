"""Gemini's generateContent and streamGenerateContent.

https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/troubleshooting
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.providers.dialects import READ, WRITTEN, Trouble, Turn, as_json
from tests.providers.server import Answer, Line

_STATUSES = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
_USAGE = {"promptTokenCount": READ, "candidatesTokenCount": WRITTEN, "totalTokenCount": READ + WRITTEN}


@dataclass(frozen=True)
class Gemini:
    """Content of a model, whole or as server-sent events."""

    name: str = "gemini"

    def whole(self, turn: Turn) -> Answer:
        texts = [{"text": turn.text}] if turn.texts else []
        return as_json(_content([*texts, *_calls(turn)], ended=True))

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        parts = [{"text": text} for text in turn.texts] + _calls(turn)
        last = len(parts) - 1 if trouble is None else None
        pieces: list[bytes | Line] = [_data(_content([part], ended=place == last)) for place, part in enumerate(parts)]
        if trouble is not None:
            if trouble.error is not None:
                pieces.append(_data(_error(500, trouble.error)))
            if trouble.line is not None:
                pieces.append(trouble.line)
        return Answer(pieces, content_type="text/event-stream")

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return as_json(_error(status, message), status, headers)

    def results(self, body: Any) -> list[str]:
        parts = [part for content in body["contents"] for part in content["parts"]]
        return [part["functionResponse"]["response"]["result"] for part in parts if "functionResponse" in part]


def _calls(turn: Turn) -> list[dict[str, Any]]:
    return [{"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}} for call in turn.calls]


def _content(parts: list[dict[str, Any]], *, ended: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if ended:
        candidate["finishReason"] = "STOP"
    used = {"usageMetadata": _USAGE} if ended else {}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r", **used}


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": _STATUSES[status]}}


def _data(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()
