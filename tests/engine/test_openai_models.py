"""A model that speaks OpenAI's chat completions, here a small server that does so too."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from agno.agent import Agent

from agentos_lambda.engine.models.default import default_model
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import Played, engine_of, play, request_of
from tests.engine.samples import add

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}


class ChatCompletions(BaseHTTPRequestHandler):
    """Has ``add`` called first, then says what it gave; to an unknown key it answers 401."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, **body})
        if self.headers["Authorization"] != "Bearer k3y":
            self._answer(401, "application/json", json.dumps({"error": {"message": "Incorrect API key"}}))
            return
        results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
        said = [{"content": word} for word in ("It is ", f"{results[0]}.")] if results else [{"tool_calls": [CALL]}]
        reason = "stop" if results else "tool_calls"
        if body.get("stream"):
            self._answer(200, "text/event-stream", "".join(self._chunks(said, reason)))
            return
        message = {**said[0], "role": "assistant", "content": "".join(part.get("content", "") for part in said)}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        self._answer(200, "application/json", json.dumps({"id": "c", "choices": [choice], "usage": USAGE}))

    def _chunks(self, said: list[dict[str, Any]], reason: str) -> Iterator[str]:
        for part in said:
            calls = {"tool_calls": [{**CALL, "index": 0}]} if "tool_calls" in part else part
            choice = {"index": 0, "delta": {"role": "assistant", **calls}, "finish_reason": None}
            yield f"data: {json.dumps({'id': 'c', 'choices': [choice]})}\n\n"
        last = {"index": 0, "delta": {}, "finish_reason": reason}
        yield f"data: {json.dumps({'id': 'c', 'choices': [last], 'usage': USAGE})}\n\n"
        yield "data: [DONE]\n\n"

    def _answer(self, status: int, content_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the server was asked. The environment leads to it."""
    handler = type("Handler", (ChatCompletions,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        monkeypatch.setenv("AGENTOS_MODEL", "openai-chat:llama")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "k3y")
        yield handler.asked
        server.shutdown()
        serving.join()


def run(*, stream: bool) -> Played:
    engine = engine_of(Agent(id="a", model=default_model(), tools=[add]))
    return play(engine, request_of("agent/a", "add 2 and 3", stream=stream))


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_speaks_openais_api_calls_tools_and_answers(asked: list[dict[str, Any]], stream: bool) -> None:
    played = run(stream=stream)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "It is 5.")
    assert [(request["path"], request["model"]) for request in asked] == [("/v1/chat/completions", "llama")] * 2
    assert asked[0]["tools"][0]["function"]["name"] == "add"
    assert bool(asked[0].get("stream")) == stream
    assert played.outcome.output.run["metrics"]["total_tokens"] == 2 * USAGE["total_tokens"]
    if stream:
        assert [event["content"] for event in played.events if event["event"] == "RunContent"] == ["It is ", "5."]


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_server_does_not_know_ends_the_run_with_the_servers_words(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    played = run(stream=stream)

    assert (played.outcome.status, len(asked)) == (RunStatus.ERROR, 1)
    assert "Incorrect API key" in played.outcome.error
