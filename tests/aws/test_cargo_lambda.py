"""Our runtime against an emulator of Lambda that knows nothing of us: cargo-lambda's."""

import asyncio
import statistics
import time

import httpx
import pytest

from agentos_lambda.aws.handlers.cycle import ERROR_EVENT, INTERNAL_ERROR_BODY
from tests.aws.cargo_lambda import cargo_lambda
from tests.aws.runtime_process import STREAMS, runtime
from tests.aws.signals import Signals
from tests.waiting import until_async


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    return Signals(tmp_path_factory.mktemp("signals"))


@pytest.fixture(scope="module")
def url(tmp_path_factory, signals):
    with (
        cargo_lambda(tmp_path_factory.mktemp("cargo-lambda")) as address,
        runtime(f"http://{address}/.rt", task=STREAMS, SIGNALS=str(signals.folder)),
    ):
        yield f"http://{address}"


@pytest.fixture
def play(url):
    def play(scenario):
        async def run():
            # Without a query its event has null where Lambda's own has "", and Mangum wants a string.
            query = {"a": "query"}
            async with httpx.AsyncClient(base_url=url, params=query, timeout=60, trust_env=False) as client:
                await scenario(client)

        asyncio.run(run())

    return play


def test_no_piece_waits_for_the_next_and_each_arrives_at_once(play, signals):
    latencies = []

    async def scenario(client):
        async with client.stream("GET", "/times/20") as response:
            assert response.headers["lambda-runtime-function-response-mode"] == "streaming"
            async for piece in response.aiter_raw():
                latencies.append(time.monotonic() - float(piece))
                if len(latencies) < 20:
                    await signals.give("go")

    play(scenario)
    assert len(latencies) == 20
    assert statistics.median(latencies) < 0.05


def test_status_headers_and_cookies_arrive(play):
    async def scenario(client):
        response = await client.get("/cookies/418")
        assert response.status_code == 418
        assert response.headers["content-type"] == "text/plain"
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]

    play(scenario)


def test_an_answer_of_many_megabytes_is_whole_and_waits_for_its_reader(play, signals):
    async def scenario(client):
        async with client.stream("GET", "/large/64") as response:
            await until_async(lambda: signals.notes)  # held back: nobody reads
            received = await response.aread()
        assert received.count(b"x") == 64 * 2**20

    play(scenario)
    assert int(signals.notes[0]) < 32


def test_errors_are_answered_before_the_first_byte_and_told_after_it(play):
    async def scenario(client):
        response = await client.get("/raises/")
        assert (response.status_code, response.content) == (500, INTERNAL_ERROR_BODY)
        assert (await client.get("/breaks/events")).content == b"data: first\n\n" + ERROR_EVENT

    play(scenario)
