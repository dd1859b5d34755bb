"""boto3 and agno's Bedrock model as they are, against a server in this process that speaks Bedrock's protocol."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from agno.agent import Agent

from agentos_lambda.engine.models import bedrock as bedrock_models
from agentos_lambda.engine.models.default import default_model
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import DEADLINE, cancelling_at, engine_of, play, request_of
from tests.providers.event_stream import frame

USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
MODEL = "amazon.nova-lite-v1:0"
TEXT = ["Good ", "morning"]


class Bedrock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    release = threading.Event()
    hangs = False
    refusal: tuple[int, str, str] | None = None
    """Status, code and message of an error."""
    breaks_off: tuple[str, str] | None = None
    """Code and message of an error in the middle of a stream."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.refusal is not None:
            status, code, message = self.refusal
            body = json.dumps({"message": message}).encode()
            self.send_response(status)
            self.send_header("x-amzn-ErrorType", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in self.whole() if self.path.endswith("/converse") else self.stream():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def whole(self) -> Iterator[bytes]:
        message = {"role": "assistant", "content": [{"text": "".join(TEXT)}]}
        yield json.dumps({"output": {"message": message}, "stopReason": "end_turn", "usage": USAGE}).encode()

    def stream(self) -> Iterator[bytes]:
        yield frame("messageStart", {"role": "assistant"})
        for text in TEXT:
            yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})
        if self.breaks_off is not None:
            code, message = self.breaks_off
            yield frame(code, {"message": message}, kind="exception")
            return
        if self.hangs:
            self.release.wait(DEADLINE)
        yield frame("messageStop", {"stopReason": "end_turn"})
        yield frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Bedrock]]:
    handler = type("Handler", (Bedrock,), {"release": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{server.server_port}")
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(bedrock_models, "_clients", {})  # those of another test lead to its own server
    monkeypatch.setenv("AGENTOS_MODEL", f"aws-bedrock:{MODEL}")
    yield handler
    handler.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("bedrock")
def test_an_answer_comes_through_boto3() -> None:
    played = play(engine_of(Agent(id="a", model=default_model())), request_of("agent/a", "hello", stream=False))

    assert played.outcome.status is RunStatus.COMPLETED
    assert played.content == "Good morning"
    assert played.outcome.output.run["metrics"]["total_tokens"] == 5


@pytest.mark.usefixtures("bedrock")
def test_an_answer_may_take_minutes_before_it_is_asked_for_again() -> None:
    client = default_model().get_client()
    assert client.meta.config.read_timeout == 300
    assert client.meta.region_name == "eu-west-1"


@pytest.mark.usefixtures("bedrock")
def test_a_stream_comes_chunk_by_chunk() -> None:
    played = play(engine_of(Agent(id="a", model=default_model())), request_of("agent/a", "hello"))

    assert [event["content"] for event in played.events if event["event"] == "RunContent"] == TEXT
    assert played.outcome.status is RunStatus.COMPLETED


def test_a_stream_that_hangs_is_cancelled_with_its_text(bedrock: type[Bedrock]) -> None:
    bedrock.hangs = True
    engine = engine_of(Agent(id="a", model=default_model()))
    texts = []

    def seeing(event: dict, run: object) -> None:
        if event["event"] == "RunContent":
            texts.append(event["content"])
            if len(texts) == len(TEXT):
                cancelling_at("RunContent")(event, run)

    played = play(engine, request_of("agent/a", "hello"), seeing=seeing)

    assert played.outcome.status is RunStatus.CANCELLED
    assert played.content == "Good morning"
    assert not bedrock.release.is_set()


ROLE = "arn:aws:sts::123456789012:assumed-role/agents/agents"
REFUSALS = {
    "a missing permission": (
        403,
        "AccessDeniedException",
        f"User: {ROLE} is not authorized to perform: bedrock:InvokeModel",
        ["refused access", MODEL, "eu-west-1", "bedrock:InvokeModel"],
    ),
    "a missing permission of a guardrail": (
        403,
        "AccessDeniedException",
        f"User: {ROLE} is not authorized to perform: bedrock:ApplyGuardrail on resource: {ROLE}",
        ["guardrail", MODEL, "bedrock:ApplyGuardrail", "ToolPolicies"],
    ),
    "throttling": (429, "ThrottlingException", "Too many requests", ["throttles", MODEL, "Try again later", "quota"]),
    "an unknown model": (
        400,
        "ValidationException",
        "The provided model identifier is invalid.",
        ["has no model", MODEL, "eu-west-1", "AGENTOS_MODEL"],
    ),
    "a model that is gone": (404, "ResourceNotFoundException", "No such model", ["has no model", MODEL]),
    "a model that wants a profile": (
        400,
        "ValidationException",
        "Invocation of model ID with on-demand throughput isn\u2019t supported.",
        ["inference profile", MODEL],
    ),
    "credentials that have expired": (403, "ExpiredTokenException", "The token is expired", ["credentials"]),
    "an outage": (503, "ServiceUnavailableException", "Down", ["failed to answer", "Try again later"]),
    "anything else": (400, "ValidationException", f"Bad tool for {ROLE}", ["refused the request", "Bad tool"]),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_ends_the_run_with_an_error_that_says_what_to_do(
    bedrock: type[Bedrock], case: str, stream: bool
) -> None:
    *bedrock.refusal, words = REFUSALS[case]
    played = play(engine_of(Agent(id="a", model=default_model())), request_of("agent/a", "hello", stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    assert played.content == played.outcome.error
    for word in words:
        assert word in played.outcome.error
    told = json.dumps([played.events, played.outcome.output.run])
    assert not any(inside in told for inside in ("arn:aws", "123456789012", "ResponseMetadata", "RequestId"))
    if stream:
        assert played.names[-1] == "RunError"


def test_a_stream_that_breaks_off_ends_the_run_with_its_text_and_an_error(bedrock: type[Bedrock]) -> None:
    bedrock.breaks_off = ("throttlingException", "Too many tokens")
    played = play(engine_of(Agent(id="a", model=default_model())), request_of("agent/a", "hello"))

    assert [event["content"] for event in played.events if event["event"] == "RunContent"] == TEXT
    assert played.outcome.status is RunStatus.ERROR
    assert "throttles" in played.outcome.error


@pytest.mark.usefixtures("bedrock")
def test_a_bedrock_that_cannot_be_reached_ends_the_run_as_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    played = play(engine_of(Agent(id="a", model=default_model())), request_of("agent/a", "hello"))

    assert played.outcome.status is RunStatus.ERROR
    assert "could not be reached" in played.outcome.error
