"""Our components as ``RemoteAgent``, ``RemoteTeam`` and ``RemoteWorkflow`` of a released AgentOS, unchanged.

Ours needs no key: AgentOS asks for a remote component's description without one, and does not start if it is refused.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.clients.served import Served
from tests.process import PACKAGE, ROOT, free_port
from tests.waiting import until

pytestmark = pytest.mark.clients

_ORACLE = ROOT / ".venvs/oracle/bin/python"
NAMES = {Kind.AGENT: "assistant", Kind.TEAM: "newsroom", Kind.WORKFLOW: "letter"}
KINDS = pytest.mark.parametrize("kind", list(Kind))


@pytest.fixture(scope="module")
def gateway(open_stack: Served) -> Iterator[httpx.Client]:
    """AgentOS in front of ours."""
    if not _ORACLE.exists():
        pytest.skip("there is no released AgentOS: `make .venvs/oracle/.ready` installs it")
    port = free_port()
    command = [_ORACLE, "-m", "tests.clients.gateway", str(port), open_stack.url]
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE}{os.pathsep}{ROOT}"}
    with (
        subprocess.Popen(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):

        def answers() -> bool:
            assert process.poll() is None
            try:
                return client.get("/health").is_success
            except httpx.TransportError:
                return False

        try:
            until(answers, 120)
            yield client
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def ours(open_stack: Served) -> Iterator[httpx.Client]:
    """The one behind it."""
    with httpx.Client(base_url=open_stack.url, timeout=60) as client:
        yield client


def events_of(gateway: httpx.Client, path: str, **form: str) -> list[dict[str, Any]]:
    answer = gateway.post(path, data={**form, "stream": "true"})
    assert answer.status_code == 200, answer.text
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n") if line.startswith("data: ")]


@KINDS
def test_the_gateway_lists_and_describes_what_we_have(gateway: httpx.Client, kind: Kind) -> None:
    assert NAMES[kind] in [each["id"] for each in gateway.get(f"/{kind.plural}").json()]
    described = gateway.get(f"/{kind.plural}/{NAMES[kind]}")
    assert (described.status_code, described.json()["id"]) == (200, NAMES[kind])


@KINDS
def test_a_run_through_the_gateway_is_a_run_of_ours(gateway: httpx.Client, ours: httpx.Client, kind: Kind) -> None:
    path = f"/{kind.plural}/{NAMES[kind]}/runs"
    run = gateway.post(path, data={"message": "Hello", "stream": "false", "user_id": "ada"}).json()
    assert (run["status"], "Hello" in run["content"]) == ("COMPLETED", True)
    assert ours.get(f"{path}/{run['run_id']}").json()["content"] == run["content"]


@KINDS
def test_a_stream_through_the_gateway_has_our_events(gateway: httpx.Client, kind: Kind) -> None:
    events = events_of(gateway, f"/{kind.plural}/{NAMES[kind]}/runs", message="Hello")
    prefix = {Kind.AGENT: "Run", Kind.TEAM: "TeamRun", Kind.WORKFLOW: "Workflow"}[kind]
    assert (events[0]["event"], events[-1]["event"]) == (f"{prefix}Started", f"{prefix}Completed")
    assert "Hello" in str(events[-1]["content"])


def test_the_gateway_continues_a_run_that_waits(gateway: httpx.Client) -> None:
    message = 'call send_letter {"to": "Ada", "text": "Good morning!"}'
    paused = gateway.post("/agents/clerk/runs", data={"message": message, "stream": "false"}).json()
    assert paused["status"] == "PAUSED"
    form = {"tools": json.dumps([{**tool, "confirmed": True} for tool in paused["tools"]]), "stream": "false"}
    form["session_id"] = paused["session_id"]
    run = gateway.post(f"/agents/clerk/runs/{paused['run_id']}/continue", data=form).json()
    assert (run["status"], "sent to Ada" in run["content"]) == ("COMPLETED", True)


@KINDS
def test_the_gateway_cancels_a_run_of_ours(gateway: httpx.Client, ours: httpx.Client, kind: Kind) -> None:
    path = f"/{kind.plural}/{NAMES[kind]}/runs"
    form = {"message": "[slow 100ms] " + "word " * 200, "background": "true"}
    run = ours.post(path, data=form).json()
    assert gateway.post(f"{path}/{run['run_id']}/cancel").is_success
    until(lambda: ours.get(f"{path}/{run['run_id']}").json()["status"] == "CANCELLED")


def test_the_gateway_has_our_sessions_and_memories(gateway: httpx.Client) -> None:
    run = gateway.post("/agents/companion/runs", data={"message": "My name is Ada.", "stream": "false"}).json()
    database = gateway.get("/config").json()["session"]["dbs"][0]["db_id"]
    here = {"type": "agent", "db_id": database}
    listed = gateway.get("/sessions", params=here)
    assert run["session_id"] in [each["session_id"] for each in listed.json()["data"]], listed.text
    [had] = gateway.get(f"/sessions/{run['session_id']}/runs", params=here).json()
    assert had["run_input"] == "My name is Ada."
    made = gateway.post("/memories", params={"db_id": database}, json={"memory": "Ada likes tea.", "user_id": "ada"})
    assert made.is_success, made.text
    memories = gateway.get("/memories", params={"db_id": database, "user_id": "ada"}).json()
    assert "Ada likes tea." in [each["memory"] for each in memories["data"]]
