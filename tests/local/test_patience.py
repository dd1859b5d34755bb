"""How long the gateway waits for a function, and what its client gets then."""

import asyncio

import pytest

from local.functions.invocation import Invocation, ResponseMode
from local.gateway.api_event import Stage
from local.gateway.patience import Patience, TookTooLong
from local.gateway.rest import Gateway
from local.gateway.routing import Router
from local.settings import ROOT
from local.template.document import Template
from local.template.rest_api import Route
from tests.waiting import PATIENCE_SECONDS

HEAD = b'{"statusCode":200}' + b"\0" * 8
SCOPE = {"type": "http", "http_version": "1.1", "method": "GET", "raw_path": b"/x", "query_string": b"", "headers": []}


class Silent:
    """A function that answers so much at once, and no more."""

    def __init__(self, answer=b""):
        self._answer = answer

    def invoke(self, event):
        invocation = Invocation(event, timeout_seconds=1)
        if self._answer:
            invocation.start_answer(ResponseMode.STREAMING)
            with pytest.raises(StopIteration):  # there is room for it, so it is there before any time has passed
                invocation.write(self._answer).send(None)
        return invocation


def messages(function, *, waits, idle):
    """What the gateway sends for a request to this function."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    async def ask():
        gateway = Gateway(
            Router([Route("/x", {"GET": "Silent"})]),
            {"Silent": function},
            stage=Stage(1, frozenset()),
            streaming=frozenset({"Silent"}),
            timeouts={"Silent": waits},
            responses=Template.load(ROOT / "template.yaml", {}).gateway_responses,
            idle_seconds=idle,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gateway({**SCOPE}, receive, send)

    asyncio.run(ask())
    return sent


@pytest.mark.parametrize("answer", [b"", b'{"statusCode":'], ids=["nothing", "half a head"])
def test_a_function_that_does_not_answer_in_time_is_refused(answer):
    head, body = messages(Silent(answer), waits=0, idle=PATIENCE_SECONDS)
    assert (head["status"], body["more_body"]) == (503, False)


def test_an_answer_that_is_idle_is_cut_off(caplog):
    head, *bodies = messages(Silent(HEAD + b"first"), waits=PATIENCE_SECONDS, idle=0.001)
    assert head["status"] == 200
    assert all(body["more_body"] for body in bodies)
    assert "the answer was idle for 0.001 seconds" in caplog.text


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


def test_only_a_wait_for_the_function_counts():
    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        invocation.start_answer(ResponseMode.STREAMING)
        patience = Patience(invocation, seconds=PATIENCE_SECONDS, idle_seconds=0)
        patience.has_head()
        reading = asyncio.create_task(anext(invocation.pieces()))
        await turns(100)  # the client takes its time
        assert not reading.done()
        patience.wait()
        patience.go_on()
        await turns(100)
        assert not reading.done()
        patience.wait()
        with pytest.raises(TookTooLong):
            await reading
        patience.end()

    asyncio.run(scenario())


def test_nothing_is_abandoned_once_nobody_waits():
    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        Patience(invocation, seconds=0, idle_seconds=0).end()
        awaiting = asyncio.create_task(invocation.mode())
        await turns(100)
        invocation.start_answer(ResponseMode.BUFFERED)
        assert await awaiting is ResponseMode.BUFFERED

    asyncio.run(scenario())
