"""What each provider says on the wire: one turn of a model as a whole answer or as a stream, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.providers.event_stream import frame
from tests.providers.server import Answer, Line

READ, WRITTEN = 7, 5
"""Tokens of each turn."""


@dataclass(frozen=True)
class Call:
    """A tool that the model wants called."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What a model says, piece by piece, or which tools it calls."""

    texts: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.texts)


@dataclass(frozen=True)
class Trouble:
    """What happens in the middle of a stream, behind its texts."""

    line: Line | None = None
    error: str | None = None


class Dialect(Protocol):
    """One provider's wire format."""

    @property
    def name(self) -> str: ...

    def whole(self, turn: Turn) -> Answer: ...

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer: ...

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer: ...

    def results(self, body: Any) -> list[str]:
        """What the tools gave, by the request of the turn that follows."""
        ...


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer([json.dumps(value).encode()], status=status, headers=headers or {})


@dataclass(frozen=True)
class Bedrock:
    """Converse and ConverseStream.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    """

    name: str = "bedrock"
    usage: dict[str, int] = field(
        default_factory=lambda: {"inputTokens": READ, "outputTokens": WRITTEN, "totalTokens": READ + WRITTEN}
    )
    codes: dict[int, str] = field(
        default_factory=lambda: {
            401: "UnrecognizedClientException",
            403: "AccessDeniedException",
            429: "ThrottlingException",
            500: "InternalServerException",
        }
    )

    def whole(self, turn: Turn) -> Answer:
        content: list[dict[str, Any]] = [{"text": turn.text}] if turn.texts else []
        content += [{"toolUse": {"toolUseId": c.id, "name": c.name, "input": c.arguments}} for c in turn.calls]
        message = {"role": "assistant", "content": content}
        return as_json({"output": {"message": message}, "stopReason": _stop(turn), "usage": self.usage})

    def stream(self, turn: Turn, trouble: Trouble | None = None) -> Answer:
        pieces: list[bytes | Line] = [frame("messageStart", {"role": "assistant"})]
        pieces += [_delta(0, {"text": text}) for text in turn.texts]
        for index, call in enumerate(turn.calls):
            start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
            pieces.append(frame("contentBlockStart", {"contentBlockIndex": index, "start": start}))
            pieces += [_delta(index, {"toolUse": {"input": part}}) for part in halves(json.dumps(call.arguments))]
            pieces.append(frame("contentBlockStop", {"contentBlockIndex": index}))
        if trouble is not None:
            if trouble.error is not None:
                pieces.append(frame("internalServerException", {"message": trouble.error}, kind="exception"))
            if trouble.line is not None:
                pieces.append(trouble.line)
        else:
            pieces.append(frame("messageStop", {"stopReason": _stop(turn)}))
            pieces.append(frame("metadata", {"usage": self.usage, "metrics": {"latencyMs": 1}}))
        return Answer(pieces, content_type="application/vnd.amazon.eventstream")

    def refusal(self, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
        return as_json({"message": message}, status, {"x-amzn-ErrorType": self.codes[status], **(headers or {})})

    def results(self, body: Any) -> list[str]:
        content = body["messages"][-1]["content"]
        return [block["toolResult"]["content"][0]["json"]["result"] for block in content if "toolResult" in block]


def _stop(turn: Turn) -> str:
    return "tool_use" if turn.calls else "end_turn"


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def halves(text: str) -> Iterator[str]:
    yield text[: len(text) // 2]
    yield text[len(text) // 2 :]
