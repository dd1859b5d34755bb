"""Lambda's own API of the local stack, asked by boto3's client."""

import asyncio

import httpx
import pytest

from local.functions.invocation import Invocation, InvocationFailed, ResponseMode
from local.functions.invoke_api import invoke_api
from tests.waiting import until_async

pytestmark = pytest.mark.anyio

EVENT = {"X-Amz-Invocation-Type": "Event"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Recorded:
    """A function that takes what it is invoked with, and answers when it is told to."""

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []

    def invoke(self, event: bytes) -> Invocation:
        self.invocations.append(Invocation(event, timeout_seconds=1))
        return self.invocations[-1]


async def post(function, name="Greeter", headers=EVENT):
    transport = httpx.ASGITransport(invoke_api({"Greeter": function}))
    async with httpx.AsyncClient(transport=transport, base_url="http://lambda") as client:
        return await client.post(f"/2015-03-31/functions/{name}/invocations", content=b"{}", headers=headers)


async def test_the_caller_does_not_wait_for_the_function():
    function = Recorded()
    assert (await post(function)).status_code == 202
    [invocation] = function.invocations
    assert (invocation.event, invocation.answered) == (b"{}", False)
    invocation.start_answer(ResponseMode.BUFFERED)
    await asyncio.wait_for(invocation.write(b"null"), 10)  # somebody reads the answer
    invocation.finish()


async def test_an_invocation_that_fails_is_reported(caplog):
    function = Recorded()
    await post(function)
    function.invocations[0].fail(InvocationFailed("timed out"))
    await until_async(lambda: "Greeter failed: timed out" in caplog.text)


@pytest.mark.parametrize(("name", "headers", "status"), [("Nobody", EVENT, 404), ("Greeter", {}, 400)])
async def test_what_is_not_possible_is_refused(name, headers, status):
    function = Recorded()
    assert (await post(function, name, headers)).status_code == status
    assert not function.invocations
