"""What a client of API Gateway gets of a streamed answer, through a real runtime process, at the pace of both."""

import asyncio
import json
import statistics
import time

import httpx
import pytest

from agentos_lambda.aws.handlers.cycle import ERROR_EVENT, INTERNAL_ERROR_BODY
from tests.aws.emulator import code, emulator
from tests.aws.runtime_process import STREAMS
from tests.aws.signals import PIPES, Signals
from tests.waiting import until_async


@pytest.fixture
def signals(tmp_path):
    return Signals(tmp_path)


@pytest.fixture
def play(signals):
    """Run a scenario against a runtime of its own."""

    def play(scenario, *, stream=True, mode=None, idle_seconds=300, **variables):
        async def run():
            function = code(STREAMS, SIGNALS=str(signals.folder), **variables)
            async with emulator(*function, stream=stream, mode=mode, idle_seconds=idle_seconds) as it:
                await scenario(it)

        asyncio.run(run())

    return play


def test_no_piece_waits_for_the_next_and_each_arrives_at_once(play, signals):
    latencies = []

    async def scenario(it):
        async with it.client.stream("GET", "/times/20") as response:
            async for piece in response.aiter_raw():
                latencies.append(time.monotonic() - float(piece))
                if len(latencies) < 20:
                    await signals.give("go")  # only now can the function make the next one

    play(scenario)
    assert len(latencies) == 20
    assert statistics.median(latencies) < 0.05


def test_an_answer_that_is_idle_for_long_is_cut_as_api_gateway_cuts_it(play):
    async def scenario(it):
        while (await it.client.get("/process/")).status_code != 200:
            pass  # a cold start is too long, too
        async with it.client.stream("GET", "/times/2") as response:
            pieces = response.aiter_raw()
            assert float(await anext(pieces)) > 0
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await anext(pieces)

    play(scenario, idle_seconds=1)


def test_a_slow_reader_slows_the_app_and_nothing_piles_up(play, signals):
    async def scenario(it):
        async with it.client.stream("GET", "/large/64") as response:
            await until_async(lambda: signals.notes)  # held back: nobody reads
            received = bytearray()
            async for piece in response.aiter_raw():
                received += piece
        assert received.count(b"x") == 64 * 2**20
        megabytes_more = int(received.strip(b"x"))
        assert megabytes_more < 8

    play(scenario)
    assert int(signals.notes[0]) < 32  # the rest of the 64 MiB had not been made; sockets take some


def test_answers_without_a_body_have_none_on_the_wire(play):
    async def scenario(it):
        for path, status in (("/status/204", 204), ("/status/304", 304)):
            response = await it.client.get(path)
            assert (response.status_code, response.content) == (status, b"")
        head, whole = await it.client.head("/length/5000"), await it.client.get("/length/5000")
        assert head.content == b""
        assert head.headers["content-length"] == whole.headers["content-length"] == "5000"
        assert len(whole.content) == 5000

    play(scenario)


def test_errors_before_the_first_byte_are_clean_and_spare_the_environment(play):
    async def scenario(it):
        before = (await it.client.get("/process/")).text
        for path in ("/raises/", "/header/20000"):  # a prelude over 16 KB is one, too
            response = await it.client.get(path)
            assert (response.status_code, response.content) == (500, INTERNAL_ERROR_BODY)
            assert response.headers["content-type"] == "application/json"
        assert (await it.client.get("/process/")).text == before

    play(scenario)


def test_an_event_stream_that_fails_ends_properly_with_an_error_event(play):
    async def scenario(it):
        response = await it.client.get("/breaks/events")
        assert response.content == b"data: first\n\n" + ERROR_EVENT

    play(scenario)


def test_any_other_answer_that_fails_is_cut_so_that_nobody_takes_it_for_whole(play):
    async def scenario(it):
        async with it.client.stream("GET", "/breaks/text") as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"data: first\n\n"
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await anext(pieces)

    play(scenario)


def test_an_answer_is_whole_before_the_work_after_it_and_no_invocation_follows_before_that_is_done(play, signals):
    async def scenario(it):
        async with it.client.stream("GET", "/goes_on/") as response:
            await signals.give("go")
            assert await response.aread() == b"firstlast"
        assert signals.notes == []
        second = asyncio.create_task(it.client.get("/process/"))
        await until_async(lambda: len(it.function._waiting) == 1)  # it waits for the environment
        await signals.give("end")
        assert (await second).status_code == 200

    play(scenario)
    assert signals.notes == ["ended", "process"]


def test_a_client_that_goes_away_stops_nothing(play, signals):
    async def scenario(it):
        async with it.client.stream("GET", "/goes_on/") as response:
            assert await anext(response.aiter_raw()) == b"first"
        for pipe in PIPES:
            await signals.give(pipe)
        assert (await it.client.get("/process/")).status_code == 200

    play(scenario)
    assert signals.notes == ["ended", "process"]


def test_a_function_that_answers_in_one_piece_behind_an_integration_that_streams_is_a_500(play):
    async def scenario(it):
        response = await it.client.get("/process/")
        assert (response.status_code, json.loads(response.content)["error_code"]) == (500, "INTERNAL_ERROR")

    play(scenario, mode="buffered")


def test_a_function_that_streams_behind_a_buffered_integration_gives_no_body(play):
    async def scenario(it):
        response = await it.client.get("/length/5000")
        assert (response.status_code, response.content) == (200, b"")

    play(scenario, stream=False, mode="streaming")


def test_our_loop_answers_as_the_stage_says_so_that_a_switch_of_modes_loses_no_answer(play):
    async def scenario(it):
        response = await it.client.get("/length/5000")
        assert (response.status_code, len(response.content)) == (200, 5000)

    play(scenario, stream=True)
    play(scenario, stream=False)
