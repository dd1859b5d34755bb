"""OpenAI's two wire formats, which other providers and servers of one's own speak too.

https://platform.openai.com/docs/api-reference/chat, https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.providers.dialects import READ, WRITTEN, Trouble, Turn, as_json, halves
from tests.providers.server import Answer, Line


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return as_json({"error": {"message": message, "type": "error", "code": None}}, status, headers)


def _events(pieces: list[bytes | Line]) -> Answer:
    return Answer(pieces, content_type="text/event-stream")


@dataclass(frozen=True)
class Chat:
    """Chat completions."""

    name: str = "openai-chat"

    def whole(self, turn: Turn) -> Answer:
        message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
        if turn.calls:
            message["tool_calls"] = [{**_called(call), "index": place} for place, call in enumerate(turn.calls)]
        choice = {"index": 0, "message": message, "finish_reason": _reason(turn)}
        return as_json({"id": "c", "object": "chat.completion", "choices": [choice], "usage": _CHAT_USAGE})

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        deltas: list[dict[str, Any]] = [{"content": text} for text in turn.texts]
        for place, call in enumerate(turn.calls):
            first, second = halves(json.dumps(call.arguments))
            named = {**_called(call), "index": place, "function": {"name": call.name, "arguments": first}}
            deltas += [{"tool_calls": [named]}, {"tool_calls": [{"index": place, "function": {"arguments": second}}]}]
        pieces: list[bytes | Line] = [_chunk({"role": "assistant", **delta}) for delta in deltas]
        if trouble is None:
            pieces += [_chunk({}, _reason(turn)), _data({"id": "c", "choices": [], "usage": _CHAT_USAGE})]
            pieces.append(b"data: [DONE]\n\n")
        else:
            if trouble.error is not None:
                pieces.append(_data({"error": {"message": trouble.error, "type": "server_error"}}))
            if trouble.line is not None:
                pieces.append(trouble.line)
        return _events(pieces)

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return _refusal(status, message, headers)

    def results(self, body: Any) -> list[str]:
        return [message["content"] for message in body["messages"] if message["role"] == "tool"]


_CHAT_USAGE = {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN}


def _reason(turn: Turn) -> str:
    return "tool_calls" if turn.calls else "stop"


def _called(call: Any) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
    }


def _data(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _data({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


@dataclass(frozen=True)
class Responses:
    """Responses."""

    name: str = "openai-responses"

    def whole(self, turn: Turn) -> Answer:
        return as_json(_response(turn, "completed"))

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        events: list[dict[str, Any]] = [{"type": "response.created", "response": _response(Turn(), "in_progress")}]
        if turn.texts:
            item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
            events.append({"type": "response.output_item.added", "output_index": 0, "item": item})
            place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
            events += [{"type": "response.output_text.delta", **place, "delta": text} for text in turn.texts]
        for index, call in enumerate(_calls(turn)):
            begun = {**call, "arguments": "", "status": "in_progress"}
            events.append({"type": "response.output_item.added", "output_index": index, "item": begun})
            place = {"item_id": call["id"], "output_index": index}
            events += [
                {"type": "response.function_call_arguments.delta", **place, "delta": part}
                for part in halves(call["arguments"])
            ]
            events.append({"type": "response.output_item.done", "output_index": index, "item": call})
        if trouble is None:
            events.append({"type": "response.completed", "response": _response(turn, "completed")})
        elif trouble.error is not None:
            events.append({"type": "error", "code": "server_error", "message": trouble.error, "param": None})
        pieces: list[bytes | Line] = [
            f"event: {event['type']}\n".encode() + _data({**event, "sequence_number": number})
            for number, event in enumerate(events)
        ]
        if trouble is not None and trouble.line is not None:
            pieces.append(trouble.line)
        return _events(pieces)

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return _refusal(status, message, headers)

    def results(self, body: Any) -> list[str]:
        return [item["output"] for item in body["input"] if item.get("type") == "function_call_output"]


def _calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {
            "id": f"fc_{call.id}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": json.dumps(call.arguments),
            "status": "completed",
        }
        for call in turn.calls
    ]


def _response(turn: Turn, status: str) -> dict[str, Any]:
    text = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": READ, "output_tokens": WRITTEN, "total_tokens": READ + WRITTEN, **details}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": [*([message] if turn.texts else []), *_calls(turn)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if status == "completed" else None,
    }
