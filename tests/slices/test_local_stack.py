"""Runs that take several workers of the local stack, in processes of their own, with slices of a second."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from agno.agent import RemoteAgent
from agno.client import AgentOSClient
from agno.run.base import RunStatus
from agno.utils.http import aclose_default_clients

from tests.clients.agent_ui import chat, get
from tests.clients.served import Page, Served
from tests.local.websocket_client import Client
from tests.local_stack import StackProcess, running_stack
from tests.slices.components import ROUNDS

pytestmark = pytest.mark.slices

SLICES = 5
KEY = "the key of this stack"
TEXT = "".join(f"step {number}. " for number in range(ROUNDS)) + f"done {ROUNDS}"
LINE = "".join(["go afresh", *(f">{number}" for number in range(ROUNDS))])


@pytest.fixture(scope="module")
def work_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work") / "log"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, work_log: Path) -> Iterator[StackProcess]:
    components = Path(__file__).parent / "components.py"
    variables = {"OS_SECURITY_KEY": KEY, "SLICE_SECONDS": "1", "WORK_LOG": str(work_log)}
    with running_stack(tmp_path_factory.mktemp("stack"), variables, components=components, sweeps=1) as stack:
        yield stack


@pytest.fixture(scope="module")
def http(stack: StackProcess) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=90) as http:
        yield http


def frames(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
        elif line.startswith(": the run goes on"):
            yield {"event": "goes on"}


def ended(http: httpx.Client, path: str) -> dict[str, Any]:
    """The run once it has ended, as a client that polls sees it."""
    seen: list[str] = []
    while True:
        run: dict[str, Any] = http.get(path).raise_for_status().json()
        if run["status"] not in ("PENDING", "RUNNING"):
            break
        seen.append(run["status"])
        threading.Event().wait(0.2)
    assert seen == sorted(seen), "a run that has begun does not wait again"
    return run


def follow(http: httpx.Client, path: str, *, after: int = -1, stop_after: int | None = None) -> list[dict[str, Any]]:
    """The events of a run after an index, by ``resume``, dropping the connection once in the middle."""
    got: list[dict[str, Any]] = []
    for limit in (stop_after, None):
        last = max((each["event_index"] for each in got), default=after)
        with http.stream("POST", f"{path}/resume", data={"last_event_index": str(last)}) as response:
            for frame in frames(response):
                if "event_index" in frame:
                    got.append(frame)
                if limit is not None and len(got) >= limit:
                    break
    return got


def test_runs_of_each_kind_take_several_workers_and_look_like_one(
    http: httpx.Client, stack: StackProcess, work_log: Path
) -> None:
    paths = {"agents": "worker", "teams": "crew", "workflows": "line"}
    started = {}
    for kind, name in paths.items():
        answer = http.post(
            f"/{kind}/{name}/runs", data={"message": "go afresh", "background": "true", "stream": "false"}
        )
        assert answer.status_code == 202, answer.text
        started[kind] = answer.json()["run_id"]
    got: dict[str, list[dict[str, Any]]] = {}

    def watch(kind: str, run_id: str) -> None:
        got[kind] = follow(http, f"/{kind}/{paths[kind]}/runs/{run_id}", stop_after=20)

    watchers = [threading.Thread(target=watch, args=each) for each in started.items()]
    for watcher in watchers:
        watcher.start()
    with Client(f"ws://127.0.0.1:{stack.port}/workflows/ws", KEY) as client:
        client.send(action="reconnect", run_id=started["workflows"])
        socket = client.until("StepCompleted")
    with Client(f"ws://127.0.0.1:{stack.port}/workflows/ws", KEY) as client:  # the page was loaded again
        last = max(message.get("event_index", -1) for message in socket)
        client.send(action="reconnect", run_id=started["workflows"], last_event_index=last)
        socket += client.until("WorkflowCompleted")
    for watcher in watchers:
        watcher.join(90)
    for kind, run_id in started.items():
        run = ended(http, f"/{kind}/{paths[kind]}/runs/{run_id}")
        assert run["status"] == "COMPLETED"
        assert run["content"] == (LINE if kind == "workflows" else TEXT)
        indexes = [frame["event_index"] for frame in got[kind]]
        assert indexes == sorted(set(indexes))
        own = [frame["event"] for frame in got[kind] if frame.get("run_id") == run_id]
        prefix = {"agents": "Run", "teams": "TeamRun", "workflows": "Workflow"}[kind]
        assert own.count(f"{prefix}Started") == own.count(f"{prefix}Completed") == 1
        assert not [name for name in own if "Paused" in name or "Continued" in name or "Cancelled" in name]
        said = [frame["content"] for frame in got[kind] if frame["event"] == f"{prefix}Content"]
        assert "".join(said) == (TEXT if kind != "workflows" else "")
    on_socket = [message["event_index"] for message in socket if "event_index" in message]
    assert on_socket == sorted(set(on_socket))
    lines = [line.split() for line in work_log.read_text().splitlines()]
    for who in (started["agents"], "afresh", started["workflows"]):
        done = [(number, process) for name, number, process in lines if name == who]
        assert sorted(int(number) for number, _ in done) == list(range(ROUNDS))  # each once
        assert len({process for _, process in done}) >= SLICES


@pytest.mark.sample
def test_a_foreground_stream_ends_with_a_comment_and_is_resumed(http: httpx.Client) -> None:
    with http.stream("POST", "/agents/worker/runs", data={"message": "go", "stream": "true"}) as response:
        first = list(frames(response))
    assert first[-1] == {"event": "goes on"}
    run_id, last = first[0]["run_id"], first[-2]["event_index"]
    with http.stream("POST", f"/agents/worker/runs/{run_id}/resume", data={"last_event_index": str(last)}) as response:
        rest = [frame for frame in frames(response) if "event_index" in frame]
    assert [frame["event_index"] for frame in [*first[:-1], *rest]] == list(range(last + 1 + len(rest)))
    assert (rest[-1]["event"], rest[-1]["content"]) == ("RunCompleted", TEXT)


def test_a_foreground_run_that_is_not_streamed_is_answered_as_it_stands(http: httpx.Client) -> None:
    answer = http.post("/agents/worker/runs", data={"message": "go", "stream": "false"})
    assert answer.status_code == 200
    run = answer.json()
    assert run["status"] == "RUNNING"
    assert TEXT.startswith(run["content"])
    path = f"/agents/worker/runs/{run['run_id']}"
    assert ended(http, path)["content"] == TEXT
    events = follow(http, path)
    assert "".join(event["content"] for event in events if event["event"] == "RunContent") == TEXT
    assert events[0]["event"] == "RunStarted"


@pytest.mark.sample
@pytest.mark.anyio
async def test_agnos_own_clients_see_what_there_is_so_far_and_no_error(stack: StackProcess, http: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    client = AgentOSClient(base_url=stack.url)
    remote = RemoteAgent(base_url=stack.url, agent_id="worker")
    streams = [
        client.run_agent_stream("worker", "go", headers=headers),
        remote.arun("go", stream=True, stream_events=True, auth_token=KEY),
    ]
    for stream in streams:
        seen = [event async for event in stream]  # type: ignore[union-attr]
        assert seen[0].event == "RunStarted"
        assert not {"RunCompleted", "RunError", "RunCancelled"} & {event.event for event in seen}
        assert [event.event_index for event in seen] == list(range(len(seen)))
    rest = follow(http, f"/agents/worker/runs/{seen[0].run_id}", after=seen[-1].event_index)
    assert [event["event_index"] for event in rest] == list(range(len(seen), len(seen) + len(rest)))
    assert (rest[-1]["event"], rest[-1]["content"]) == ("RunCompleted", TEXT)
    run = await client.run_agent("worker", "go", headers=headers)
    assert run.status is RunStatus.running
    assert TEXT.startswith(str(run.content))
    await aclose_default_clients()


def test_agent_ui_shows_the_text_so_far_and_the_whole_when_the_session_is_opened_again(
    http: httpx.Client, stack: StackProcess
) -> None:
    with Page(Served(stack.url, KEY), "http://localhost:3000") as page:
        events = chat(page, "/agents/worker/runs", "go")
        text = "".join(event["content"] for event in events if event["event"] == "RunContent")
        assert text
        assert TEXT.startswith(text)
        assert events[-1]["event"] != "RunCompleted"
        ended(http, f"/agents/worker/runs/{events[0]['run_id']}")
        [run] = get(page, f"/sessions/{events[0]['session_id']}/runs", type="agent")
        assert (run["status"], run["content"]) == ("COMPLETED", TEXT)
