"""Anthropic's messages.

https://docs.anthropic.com/en/api/messages, https://docs.anthropic.com/en/api/messages-streaming,
https://docs.anthropic.com/en/api/errors. By Bedrock, they come as invocations of a model:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from tests.providers.dialects import READ, WRITTEN, Trouble, Turn, as_json, halves
from tests.providers.event_stream import frame
from tests.providers.server import Answer, Line

_ERRORS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 500: "api_error"}


@dataclass(frozen=True)
class Messages:
    """Messages."""

    name: str = "anthropic"

    def whole(self, turn: Turn) -> Answer:
        texts = [{"type": "text", "text": turn.text}] if turn.texts else []
        calls = [_call(call, call.arguments) for call in turn.calls]
        usage = {"input_tokens": READ, "output_tokens": WRITTEN}
        return as_json(_message([*texts, *calls], usage, _reason(turn)))

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        pieces: list[bytes | Line] = [
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in self._events(turn, trouble)
        ]
        return Answer([*pieces, *_line(trouble)], content_type="text/event-stream")

    def _events(self, turn: Turn, trouble: Trouble | None) -> list[dict[str, Any]]:
        start = _message([], {"input_tokens": READ, "output_tokens": 1}, None)
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        if turn.texts:
            events.append(_started(0, {"type": "text", "text": ""}))
            events += [_delta(0, {"type": "text_delta", "text": text}) for text in turn.texts]
            if trouble is None:
                events.append({"type": "content_block_stop", "index": 0})
        for index, call in enumerate(turn.calls, start=len(turn.texts) and 1):
            parts = halves(json.dumps(call.arguments))
            events.append(_started(index, _call(call, {})))
            events += [_delta(index, {"type": "input_json_delta", "partial_json": part}) for part in parts]
            events.append({"type": "content_block_stop", "index": index})
        if trouble is None:
            delta = {"stop_reason": _reason(turn), "stop_sequence": None}
            events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": WRITTEN}})
            events.append({"type": "message_stop"})
        elif trouble.error is not None:
            events.append(_error("api_error", trouble.error))
        return events

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return as_json(_error(_ERRORS[status], message), status, headers)

    def results(self, body: Any) -> list[str]:
        blocks = [block for message in body["messages"] if message["role"] == "user" for block in message["content"]]
        return [block["content"] for block in blocks if isinstance(block, dict) and block["type"] == "tool_result"]


@dataclass(frozen=True)
class BedrockMessages(Messages):
    """The same messages as invocations of a model of Bedrock."""

    name: str = "anthropic-bedrock"

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        pieces: list[bytes | Line] = []
        for event in self._events(turn, trouble):
            if event["type"] == "error":
                pieces.append(frame("internalServerException", event["error"], kind="exception"))
            else:
                pieces.append(frame("chunk", {"bytes": b64encode(json.dumps(event).encode()).decode()}))
        return Answer([*pieces, *_line(trouble)], content_type="application/vnd.amazon.eventstream")

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return as_json({"message": message}, status, headers)


def _line(trouble: Trouble | None) -> list[Line]:
    return [] if trouble is None or trouble.line is None else [trouble.line]


def _message(content: list[dict[str, Any]], usage: dict[str, int], reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _reason(turn: Turn) -> str:
    return "tool_use" if turn.calls else "end_turn"


def _call(call: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _started(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}
