"""What of a run goes on when the run has ended: code that nothing can stop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agno.agent import Agent

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import DEADLINE, cancelling_at, engine_of, request_of
from tests.waiting import until_async

pytestmark = pytest.mark.anyio


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def cancelled(message: str, *tools: Callable[..., Any]) -> AgnoRun:
    """A run of these tools, cancelled when the first of them is called."""
    agent = Agent(id="clerk", model=DemoModel(), tools=list(tools))
    run = engine_of(agent).start(request_of("agent/clerk", message))
    async with asyncio.timeout(DEADLINE):
        async for event in run.events():
            cancelling_at("ToolCallStarted")(event, run)
    assert run.outcome().status is RunStatus.CANCELLED
    return run


async def test_a_sync_tool_that_hangs_is_left_behind_until_it_ends(release: threading.Event) -> None:
    def block() -> str:
        release.wait()
        return "late"

    run = await cancelled("call block", block)

    assert run.left_behind()
    release.set()
    await until_async(lambda: not run.left_behind())


async def test_an_async_tool_that_hangs_is_not_left_behind() -> None:
    async def wait() -> str:
        await asyncio.Event().wait()
        return "never"

    assert not (await cancelled("call wait", wait)).left_behind()


async def test_an_async_tool_that_swallows_its_cancellation_is_left_behind() -> None:
    released = asyncio.Event()

    async def stubborn() -> str:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return "late"

    run = await cancelled("call stubborn", stubborn)

    assert run.left_behind()
    released.set()
    await until_async(lambda: not run.left_behind())


async def test_a_run_that_has_ended_by_itself_leaves_nothing_behind() -> None:
    def add(a: int, b: int) -> int:
        return a + b

    run = engine_of(Agent(id="clerk", model=DemoModel(), tools=[add])).start(request_of("agent/clerk", "add 2 and 3"))
    assert [event async for event in run.events()][-1]["content"] == "add gave: 5"

    assert not run.left_behind()


async def test_threads_that_hang_take_none_from_anybody_else(release: threading.Event) -> None:
    begun = []

    def block() -> str:
        begun.append(1)
        release.wait()
        return "late"

    def quick() -> str:
        return "done"

    hanging = await cancelled("\n".join(["call block"] * 100), block)
    async with asyncio.timeout(DEADLINE):
        assert await asyncio.to_thread(lambda: "here") == "here"
        other = engine_of(Agent(id="clerk", model=DemoModel(), tools=[quick])).start(
            request_of("agent/clerk", "call quick", run_id="run-2")
        )
        assert [event async for event in other.events()][-1]["content"] == "quick gave: done"

    assert hanging.left_behind()
    assert not other.left_behind()
    release.set()
    await until_async(lambda: not hanging.left_behind())
    assert len(begun) < 100  # what had not begun never does
