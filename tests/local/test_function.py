"""How many environments a function has, and which request gets which."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from local.functions.function import Function, environments
from local.functions.invocation import InvocationFailed, ResponseMode
from local.gateway.answer import read_response
from local.template.document import FunctionSpec
from tests.waiting import until_async

ROOT = Path(__file__).parents[2]

HANDLERS = """
import os
from pathlib import Path

def handler(event, context):
    if "started" in event:
        Path(event["started"]).touch()
    if "gate" in event:
        Path(event["gate"]).read_bytes()
    if event.get("exit"):
        os._exit(1)
    if event.get("fail"):
        raise ValueError("no")
    return {"statusCode": 200, "body": str(os.getpid()) + os.environ.get("SUFFIX", "")}

if "BROKEN" in os.environ:
    raise ImportError("broken")
"""


def environment():
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers" / "agentos_lambda")}


@pytest.fixture
def function(tmp_path):
    (tmp_path / "app.py").write_text(HANDLERS)
    spec = FunctionSpec("Toy", tmp_path, "app.handler", timeout_seconds=30, memory=128)

    def make(bound=2, **variables):
        return Function(spec, {**environment(), **variables}, max_environments=bound)

    return make


async def ask(function, **event):
    invocation = function.invoke(json.dumps(event).encode())
    try:
        response = await read_response(invocation, ResponseMode.BUFFERED, decodes=True)
        return b"".join([piece async for piece in response.body]).decode()
    finally:
        invocation.abandon()


def in_loop(scenario):
    async def run():
        function, steps = scenario
        try:
            await steps(function)
        finally:
            await function.close()

    asyncio.run(run())


def test_beyond_the_bound_requests_wait_for_an_environment(function, tmp_path):
    gates = [tmp_path / f"gate-{number}" for number in range(3)]
    for gate in gates:
        os.mkfifo(gate)
    started = [tmp_path / f"started-{number}" for number in range(3)]

    async def steps(function):
        asking = [
            asyncio.create_task(ask(function, started=str(begun), gate=str(gate)))
            for begun, gate in zip(started, gates, strict=True)
        ]
        await until_async(lambda: started[0].exists() and started[1].exists())
        assert len(function.environments) == 2
        assert not started[2].exists()
        await asyncio.to_thread(gates[0].write_bytes, b"")
        first = await asking[0]
        await until_async(started[2].exists)
        await asyncio.to_thread(gates[2].write_bytes, b"")
        assert await asking[2] == first
        await asyncio.to_thread(gates[1].write_bytes, b"")
        assert await asking[1] != first

    in_loop((function(), steps))


def test_a_starting_environment_is_waited_for(function):
    async def steps(function):
        function.warm_up()
        await ask(function)
        assert len(function.environments) == 1

    in_loop((function(), steps))


@pytest.mark.parametrize("warm", [True, False])
def test_an_environment_starts_before_there_is_work_or_with_the_first(function, warm):
    async def steps(function):
        async with environments([function], warm=warm):
            assert len(function.environments) == warm
            await ask(function)
            assert len(function.environments) == 1

    in_loop((function(), steps))


def test_each_request_to_a_function_that_cannot_be_loaded_fails(function):
    async def steps(function):
        function.warm_up()
        for _ in range(2):
            with pytest.raises(InvocationFailed):
                await ask(function)

    in_loop((function(BROKEN="yes"), steps))


def test_requests_to_a_function_whose_code_is_missing_fail(function, tmp_path, caplog):
    async def steps(function):
        with pytest.raises(InvocationFailed):
            await ask(function)

    made = function()
    (tmp_path / "app.py").unlink()
    tmp_path.rmdir()
    in_loop((made, steps))
    assert "could not be started" in caplog.text


def test_requests_that_wait_behind_a_crash_are_served(function):
    async def steps(function):
        crash = asyncio.create_task(ask(function, exit=True))
        waiting = [asyncio.create_task(ask(function)) for _ in range(3)]
        with pytest.raises(InvocationFailed):
            await crash
        assert len(set(await asyncio.gather(*waiting))) == 1

    in_loop((function(bound=1), steps))


def test_an_error_of_the_handler_leaves_the_environment_in_place(function):
    async def steps(function):
        before = await ask(function)
        with pytest.raises(InvocationFailed):
            await ask(function, fail=True)
        assert await ask(function) == before

    in_loop((function(), steps))


def test_an_idle_environment_is_replaced_at_once(function):
    async def steps(function):
        before = await ask(function)
        function.replace({**environment(), "SUFFIX": " new"})
        # Sent before the old process can have ended: it must not get it.
        after = await ask(function)
        assert after.endswith(" new")
        assert not after.startswith(before)
        await until_async(lambda: len(function.environments) == 1)
        with pytest.raises(ProcessLookupError):
            os.kill(int(before), 0)

    in_loop((function(), steps))


def test_an_environment_that_is_starting_is_replaced_before_it_serves(function):
    async def steps(function):
        function.warm_up()
        function.replace({**environment(), "SUFFIX": " new"})
        assert (await ask(function)).endswith(" new")

    in_loop((function(), steps))


def test_a_busy_environment_is_replaced_when_it_has_answered(function, tmp_path):
    os.mkfifo(tmp_path / "gate")

    async def steps(function):
        running = asyncio.create_task(ask(function, started=str(tmp_path / "s"), gate=str(tmp_path / "gate")))
        waiting = asyncio.create_task(ask(function))
        await until_async((tmp_path / "s").exists)
        function.replace({**environment(), "SUFFIX": " new"})
        assert (await waiting).endswith(" new")
        await asyncio.to_thread((tmp_path / "gate").write_bytes, b"")
        assert (await running).isdigit()
        assert (await ask(function)).endswith(" new")
        await until_async(lambda: len(function.environments) == 1)

    in_loop((function(bound=1), steps))


def test_requests_at_the_moment_of_a_replacement_are_all_answered(function):
    async def steps(function):
        for round_ in range(3):
            await ask(function)
            early = [asyncio.create_task(ask(function)) for _ in range(2)]
            await asyncio.sleep(0)
            function.replace({**environment(), "SUFFIX": f" {round_}"})
            late = [asyncio.create_task(ask(function)) for _ in range(2)]
            await asyncio.gather(*early)
            assert all(answer.endswith(f" {round_}") for answer in await asyncio.gather(*late))

    in_loop((function(), steps))


def test_closing_ends_processes_and_requests(function, tmp_path):
    os.mkfifo(tmp_path / "gate")

    async def steps(function):
        pid = int(await ask(function))
        running = asyncio.create_task(ask(function, started=str(tmp_path / "s"), gate=str(tmp_path / "gate")))
        waiting = asyncio.create_task(ask(function))
        await until_async((tmp_path / "s").exists)
        await function.close()
        for request in (running, waiting):
            with pytest.raises(InvocationFailed):
                await request
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    in_loop((function(bound=1), steps))
