"""The real function of agents, with the demo model and a real store, behind the emulated API Gateway."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agentos_lambda.runs.slices import STEP_TOO_LONG
from local.cloud.resources import create_resources
from local.cloud.session import CloudClients
from local.settings import Settings
from local.template.document import Template
from local.variables import function_variables
from tests.aws.emulator import emulator
from tests.aws.signals import Signals
from tests.process import ROOT

COMPONENTS = Path(__file__).parent / "paced" / "components.py"


@pytest.fixture(scope="module")
def cloud(cloud_url):
    create_resources(Template.load(ROOT / "template.yaml"), CloudClients(cloud_url))
    return cloud_url


@pytest.fixture
def signals(tmp_path):
    return Signals(tmp_path)


@pytest.fixture
def play(cloud, signals):
    """Run a scenario with the function and the integration that the template describes for a response mode."""

    def play(scenario, *, timeout=900):
        template = Template.load(ROOT / "template.yaml")
        spec = replace(template.functions["AgentsFunction"], timeout_seconds=timeout)
        variables = function_variables(Settings(components=COMPONENTS), spec.variables, cloud)
        for name in ("AGENTOS_MANIFEST", "OS_SECURITY_KEY", "AGENTOS_MODEL"):
            variables.pop(name, None)
        variables["SIGNALS"] = str(signals.folder)

        async def run():
            async with emulator(spec, variables) as it:
                await scenario(it.client)

        asyncio.run(run())

    return play


def events(body: str):
    """The events of a body that is nothing but whole frames."""
    frames = body.split("\n\n")
    assert frames.pop() == ""
    parsed = []
    for frame in frames:
        name, number, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['event']}"
        assert number == f"id: {event['event_index']}"
        parsed.append(event)
    return parsed


def test_each_event_is_with_the_client_within_100_ms_and_before_the_engine_gives_the_next(play, signals):
    arrivals = []

    async def a_run(client):
        form = {"message": "one two three", "stream": "true"}
        async with client.stream("POST", "/agents/paced/runs", data=form) as response:
            async for frame in response.aiter_text():
                arrivals[-1].append(time.monotonic())
                [event] = events(frame)
                if event["event"] != "RunCompleted":
                    await signals.give("go")
        return event["event"]

    async def scenario(client):
        for _ in range(3):
            arrivals.append([])
            assert await a_run(client) == "RunCompleted"

    play(scenario)
    given = [float(note) for note in signals.notes]
    runs = len(arrivals[0])
    assert runs >= 6
    assert [len(each) for each in arrivals] == [runs] * 3
    delays = [[arrival - given.pop(0) for arrival in each] for each in arrivals]
    # The best of three: a busy machine delays some, a design that holds events back delays all.
    first, later = min(each[0] for each in delays), [min(each[1:-1]) for each in delays]
    assert first < 0.1
    assert max(later) < 0.1


def test_the_deadline_ends_a_run_with_its_terminal_event_and_the_stream_properly(play):
    async def scenario(client):
        await client.post("/agents/plain/runs", data={"message": "hello"})  # a cold start takes seconds of its time
        answer = await client.post("/agents/plain/runs", data={"message": "[hang]", "stream": "true"})
        last = events(answer.text)[-1]
        assert (last["event"], last["content"]) == ("RunError", STEP_TOO_LONG)
        run = await client.get(f"/agents/plain/runs/{last['run_id']}")
        assert run.json()["status"] == "ERROR"

    play(scenario, timeout=12)  # runs end 5 seconds before
