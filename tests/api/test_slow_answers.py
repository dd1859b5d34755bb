"""A run that is not streamed, and takes longer than a connection may be silent, or than API Gateway waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agentos_lambda.api import slow_answers
from agentos_lambda.api.scope import ANSWER_BY_KEY
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.endings import NOT_STORED
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryStore
from tests.api.test_runs import frames
from tests.api.world import Api, SmallCatalog
from tests.runs.world import World

pytestmark = pytest.mark.anyio

RUNS = "/agents/assistant/runs"


class Received:
    """An answer as it arrives. ``on_white_space`` is called with the first body of it."""

    def __init__(self, on_white_space: Callable[[], None]) -> None:
        self.head: dict[str, Any] = {}
        self.pieces: list[bytes] = []
        self._on_white_space = on_white_space

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.head = message
            return
        if not self.pieces:
            self._on_white_space()
        self.pieces.append(message.get("body", b""))

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def run(self) -> dict[str, Any]:
        return json.loads(self.body)


async def ask(api: Api, on_white_space: Callable[[], None], *, key: str | None = None, **fields: Any) -> Received:
    """Ask for a run, past a client that would wait for the whole answer."""
    body = json.dumps({"message": "hi", **fields}).encode()
    requests = iter([{"type": "http.request", "body": body, "more_body": False}])
    headers = [(b"host", b"test"), (b"content-type", b"application/json")]
    headers += [] if key is None else [(b"idempotency-key", key.encode())]
    scope = {"type": "http", "method": "POST", "path": RUNS, "query_string": b"", "headers": headers, "root_path": ""}
    received = Received(on_white_space)

    async def receive() -> Any:
        message = next(requests, None)
        return message if message is not None else await asyncio.Event().wait()

    async with asyncio.timeout(10):
        await api.app(scope, receive, received.send)
    return received


def release(api: Api) -> None:
    """Let runs end: the one that holds, and one that has not come so far."""
    api.world.engine.script["hold"] = False
    for run in api.world.engine.runs:
        run.release()


@pytest.fixture
def slow(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Runs hold until this is called, and a silence is over at once."""
    monkeypatch.setattr(slow_answers, "SILENCE_SECONDS", 0.001)
    api.world.engine.script["hold"] = True
    return lambda: release(api)


async def test_white_space_comes_before_the_run_once_its_client_has_heard_nothing_for_long(api, slow):
    answer = await ask(api, slow)
    assert answer.head["status"] == 200
    assert dict(answer.head["headers"])[b"content-type"] == b"application/json"
    assert answer.pieces[0] == b" "
    assert set(answer.body[: answer.body.index(b"{")]) == {ord(" ")}
    assert (answer.run["status"], answer.run["content"]) == ("COMPLETED", "Hello world")
    assert b"content-length" not in dict(answer.head["headers"])


async def test_a_run_that_ends_in_time_is_answered_as_ever(api):
    answer = await ask(api, lambda: None)
    assert (answer.body[:1], b"content-length" in dict(answer.head["headers"])) == (b"{", True)


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError("secret"), 500), (StoreUnavailable("no answer"), 503)]
)
async def test_until_the_head_every_failure_keeps_its_status(api, error, status):
    api.world.engine.script["raises"] = error
    assert (await ask(api, lambda: None)).head["status"] == status


class Unwilling(MemoryStore):
    """Takes no ending any more once it is told so; then neither tells of a run if ``silent``."""

    refuses = silent = False

    def commit(self, ending: Any) -> Any:
        if self.refuses:
            raise StoreUnavailable("no answer")
        return super().commit(ending)

    def get(self, run_id: str) -> Any:
        if self.silent:
            raise StoreUnavailable("no answer")
        return super().get(run_id)


@pytest.fixture
def unwilling() -> Unwilling:
    return Unwilling()


@pytest.mark.parametrize(
    ("silent", "durable", "told"),
    [
        (False, False, NOT_STORED),
        (True, False, NOT_STORED),
        (False, True, "the run cannot be read at the moment; it goes on"),
    ],
)
async def test_a_result_that_could_not_be_stored_is_the_run_as_it_is_known_and_a_sentence(
    unwilling, monkeypatch, silent, durable, told
):
    [found] = SmallCatalog().all(Kind.AGENT)
    monkeypatch.setattr(SmallCatalog, "find", lambda *_: replace(found, durable=durable))
    monkeypatch.setattr(slow_answers, "SILENCE_SECONDS", 0.001)
    api = Api(World(unwilling))
    api.world.engine.script["hold"] = True

    def fail() -> None:
        unwilling.refuses, unwilling.silent = True, silent
        release(api)

    answer = await ask(api, fail, run_id="mine")
    assert (answer.head["status"], answer.run["run_id"]) == (200, "mine")
    assert (answer.run["status"], answer.run["content"]) == ("RUNNING", told)


async def test_a_result_that_another_has_stored_in_the_meantime_is_answered(unwilling, monkeypatch):
    monkeypatch.setattr(slow_answers, "SILENCE_SECONDS", 0.001)
    api = Api(World(unwilling))
    api.world.engine.script["hold"] = True
    commit = MemoryStore.commit

    def applied_but_the_answer_is_lost(self: Unwilling, ending: Any) -> Any:
        commit(self, ending)
        raise StoreUnavailable("no answer")

    def fail() -> None:
        monkeypatch.setattr(Unwilling, "commit", applied_but_the_answer_is_lost)
        release(api)

    run = (await ask(api, fail)).run
    assert (run["status"], run["content"]) == ("COMPLETED", "Hello world")
    assert api.world.store.get(run["run_id"]).status is RunStatus.COMPLETED


async def test_a_run_that_another_request_has_started_and_that_cannot_be_read_goes_on(unwilling, monkeypatch):
    monkeypatch.setattr(slow_answers, "SILENCE_SECONDS", 0.001)
    api = Api(World(unwilling))
    execution = await api.world.held(run_id="mine", idempotency_key="k", principal="nobody", session_id="s")

    def fail() -> None:
        unwilling.silent = True

    run = (await ask(api, fail, key="k", run_id="mine", session_id="s")).run
    assert (run["run_id"], run["status"], run["content"]) == (
        "mine",
        "RUNNING",
        "the run cannot be read at the moment; it goes on",
    )
    unwilling.silent = False
    release(api)
    await execution.result()


@pytest.fixture
def buffered(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Behind a gateway that waits until the clock's next second for a whole answer."""
    app = api.app
    by = api.world.clock.now() + 1000

    async def within(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, ANSWER_BY_KEY: by}, receive, send)

    api.client._transport.app = within
    return api


async def executed_beside(api: Api) -> None:
    """What a worker does, once there is a message."""
    while not api.world.queue.waiting:
        await asyncio.to_thread(lambda: None)
    await api.world.work()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_behind_a_gateway_that_does_not_wait_long_is_executed_by_a_worker(buffered, stream):
    asking = asyncio.create_task(buffered.client.post(RUNS, json={"message": "hi", "stream": stream}))
    await executed_beside(buffered)
    answer = await asking
    assert answer.status_code == 200
    if stream:
        assert frames(answer.text)[-1]["event"] == "RunCompleted"
    else:
        assert (answer.json()["status"], answer.json()["content"]) == ("COMPLETED", "Hello world")


async def test_a_run_that_takes_longer_than_the_gateway_waits_is_answered_like_one_in_the_background(buffered):
    buffered.world.clock.advance(1000)
    answer = await buffered.client.post(RUNS, json={"message": "hi", "session_id": "s", "run_id": "mine"})
    assert (answer.status_code, answer.json()) == (202, {"run_id": "mine", "session_id": "s", "status": "PENDING"})
    await executed_beside(buffered)
    assert (await buffered.client.get(f"{RUNS}/mine")).json()["content"] == "Hello world"


async def test_a_stream_that_takes_longer_than_the_gateway_waits_says_that_the_run_goes_on(buffered):
    buffered.world.clock.advance(1000)
    answer = await buffered.client.post(RUNS, json={"message": "hi", "stream": True})
    assert (answer.status_code, answer.text) == (200, ": the run goes on, resume from the last event\n\n")
