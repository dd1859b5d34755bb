"""Runs that a worker executes, and what becomes of those that none can."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.timing import MAX_WAIT_MS
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from tests.e2e.client import wait_for
from tests.e2e.deployment import Deployment
from tests.e2e.sse import events, indexes, names

pytestmark = pytest.mark.build

COMPONENTS = {"agents": "assistant", "teams": "newsroom", "workflows": "letter"}
RUNS = "/agents/assistant/runs"


def start(client: httpx.Client, message: str, runs: str = RUNS) -> str:
    """The path of a run in the background."""
    accepted = client.post(runs, data={"message": message, "background": "true"})
    assert (accepted.status_code, accepted.json()["status"]) == (202, "PENDING")
    return f"{runs}/{accepted.json()['run_id']}"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_worker_executes_the_run(api, other, kind):
    path = start(api, "hello", f"/{kind}/{COMPONENTS[kind]}/runs")
    assert "you said: hello" in wait_for(other, path, "COMPLETED")["content"]


def test_a_worker_s_run_is_cancelled_by_another_client_and_never_completed(api, other):
    path = start(api, "[hang]")
    wait_for(other, path, "RUNNING")
    assert other.post(f"{path}/cancel").json()["cancel_requested"] is True
    wait_for(api, path, "CANCELLED")
    assert other.post(f"{path}/cancel").json()["status"] == "CANCELLED"


def test_what_was_missed_of_a_run_is_had_again_once_and_in_order(api, other):
    path = start(api, "[slow 50ms] one two three four five six")
    live = api.post(f"{path}/resume", data={"last_event_index": "-1"}).text
    again = other.post(f"{path}/resume").text
    assert names(live)[-1] == names(again)[-1] == "RunCompleted"
    first = indexes(live)[0]
    rest = other.post(f"{path}/resume", data={"last_event_index": str(first)}).text
    assert indexes(rest)[0] > first
    assert indexes(rest)[-1] == indexes(again)[-1] == indexes(live)[-1]


@pytest.mark.parametrize("mode", [{}, {"stream": "true"}, {"background": "true"}])
def test_a_run_that_asks_goes_on_when_it_is_answered(api, other, mode):
    message = 'call send_letter {"to": "Ada", "text": "Good morning!"}'
    paused = api.post("/agents/clerk/runs", json={"message": message}).json()
    assert paused["status"] == "PAUSED"
    path = f"/agents/clerk/runs/{paused['run_id']}"
    tools = [{**tool, "confirmed": True} for tool in paused["tools"]]
    answer = other.post(f"{path}/continue", data={"tools": json.dumps(tools), **mode})
    assert answer.status_code == (202 if "background" in mode else 200), answer.text
    assert "send_letter gave: " in wait_for(api, path, "COMPLETED")["content"]
    if "stream" in mode:
        assert names(answer.text)[-1] == "RunCompleted"
    assert other.post(f"{path}/continue", data={"tools": json.dumps(tools)}).status_code == 409


def test_a_run_whose_executor_has_died_ends_as_lost(deployment, api):
    record = abandoned("lost-executor", status=RunStatus.RUNNING, attempt=1, tries=1, executor="dead", lease_until=1)
    assert swept(deployment, record)["lost"] == 1
    assert wait_for(api, f"{RUNS}/{record.run_id}", "ERROR")["content"] == "execution lost"
    told = api.post(f"{RUNS}/{record.run_id}/resume").text
    assert [event["event"] for event in events(told) if "event_index" in event] == ["RunError"]


def test_a_run_that_no_worker_has_taken_in_time_ends_as_never_started(deployment, api):
    record = abandoned("never-taken", queued_at=now() - MAX_WAIT_MS, sends=1)
    assert swept(deployment, record)["never_started"] == 1
    assert wait_for(api, f"{RUNS}/{record.run_id}", "ERROR")["content"] == "never started"


def test_a_run_whose_message_was_lost_is_sent_again(deployment, api):
    record = abandoned("sent-again", queued_at=now() - 3_600_000, sends=1)
    assert swept(deployment, record, work={"input": {"message": "hello", "media": []}})["sent_again"] == 1
    assert "you said: hello" in wait_for(api, f"{RUNS}/{record.run_id}", "COMPLETED")["content"]


def now() -> int:
    return time.time_ns() // 1_000_000


def abandoned(run_id: str, **fields: Any) -> RunRecord:
    """The record of a run that nobody looks after any more."""
    record = RunRecord(
        run_id=run_id,
        kind=Kind.AGENT,
        component_id="assistant",
        session_id=f"session-{run_id}",
        user_id=None,
        status=RunStatus.PENDING,
        accepted_at=now() - 3_600_000,
        token=run_id,
    )
    return replace(record, **fields)


def swept(deployment: Deployment, record: RunRecord, work: Any = None) -> dict[str, int]:
    """What a sweep says that it has done, with this record in the table."""
    outputs = deployment.outputs
    tables = Tables(
        outputs["RunsTableName"], outputs["SessionsTableName"], outputs["RunEventsTableName"], outputs["BucketName"]
    )
    clients = Clients(dynamodb=deployment.client("dynamodb"), s3=deployment.client("s3"))
    store = DynamoDBStore(tables, clients=clients)
    rules, every_minute = deployment.client("events"), deployment.physical("SweeperFunctionEveryMinute")
    rules.disable_rule(Name=every_minute)  # its sweep would take the record
    try:
        store.accept(record, work=work)
        answer = deployment.client("lambda").invoke(FunctionName=deployment.physical("SweeperFunction"))
    finally:
        rules.enable_rule(Name=every_minute)
    assert "FunctionError" not in answer
    return json.load(answer["Payload"])
