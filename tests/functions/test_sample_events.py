"""Every event in events/, sent through the function that it is for."""

from __future__ import annotations

import base64
import json

from tests.functions.handlers import Context, load_handler, sample_event
from tests.process import ROOT


def invoke(event: str) -> tuple[int, dict[str, str], str]:
    answer = load_handler(event.partition("-")[0])(sample_event(event), Context())
    assert answer["isBase64Encoded"] is False
    return answer["statusCode"], answer["headers"], answer["body"]


def test_every_function_has_an_event_and_every_event_is_sent():
    events = {path.stem for path in (ROOT / "events").iterdir()}
    assert {event.partition("-")[0] for event in events} == {
        path.parent.name for path in ROOT.glob("functions/*/app.py")
    }
    # Those of the websocket function are in tests/websocket.
    sent = {"config", "control", "follow", "agents", "teams", "workflows", "worker", "sweeper"}
    sent |= {"control-sessions", "worker-deletion"}
    assert {event for event in events if not event.startswith("websocket-")} == sent


def stored_statuses(aws) -> list[str]:
    items = aws.dynamodb.scan(TableName="Runs")["Items"]
    return [item["status"]["S"] for item in items]


def test_config_tells_of_the_components(aws):
    status, _, body = invoke("config")
    assert status == 200
    assert {agent["id"] for agent in json.loads(body)["agents"]} >= {"assistant", "companion"}
    assert stored_statuses(aws) == []


def test_control_describes_a_component(aws):
    status, _, body = invoke("control")
    assert (status, json.loads(body)["id"]) == (200, "assistant")


def test_control_lists_sessions(aws):
    invoke("agents")
    status, _, body = invoke("control-sessions")
    listed = json.loads(body)
    assert (status, listed["meta"]["limit"], listed["meta"]["total_count"]) == (200, 5, 1)
    assert [session["agent_id"] for session in listed["data"]] == ["assistant"]


def test_a_worker_goes_on_with_a_deletion(aws):
    assert load_handler("worker")(sample_event("worker-deletion"), Context()) == {"batchItemFailures": []}


def test_nobody_can_follow_a_run_that_there_is_not(aws):
    status, _, body = invoke("follow")
    assert (status, json.loads(body)["detail"]) == (404, "Run not found")


def test_an_agent_runs_with_the_uploaded_file(aws):
    status, _, body = invoke("agents")
    run = json.loads(body)
    assert (status, run["status"], run["agent_id"]) == (200, "COMPLETED", "assistant")
    assert "SHA-256" in run["content"]
    assert stored_statuses(aws) == ["COMPLETED"]


def test_a_team_runs_and_its_member_is_told_of(aws):
    status, _, body = invoke("teams")
    run = json.loads(body)
    assert (status, run["status"], run["team_id"]) == (200, "COMPLETED", "newsroom")
    assert [member["agent_id"] for member in run["member_responses"]] == ["researcher"]
    assert stored_statuses(aws) == ["COMPLETED"]


def test_a_workflow_runs_and_its_events_come_whole(aws):
    status, headers, body = invoke("workflows")
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    frames = [frame for frame in body.split("\n\n") if frame]
    assert frames[0].startswith("event: WorkflowStarted\nid: 0\n")
    assert frames[-1].startswith("event: WorkflowCompleted\n")
    assert stored_statuses(aws) == ["COMPLETED"]


def test_a_background_run_is_executed_by_the_worker_function(aws, sqs):
    event = sample_event("teams")
    asked = json.dumps({**json.loads(base64.b64decode(event["body"])), "background": True})
    event |= {"body": asked, "isBase64Encoded": False}
    answer = load_handler("teams")(event, Context())
    assert answer["statusCode"] == 202
    assert stored_statuses(aws) == ["PENDING"]
    queue = sqs.list_queues()["QueueUrls"][0]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    records = {"Records": [{"messageId": message["MessageId"], "body": message["Body"]}]}
    assert load_handler("worker")(records, Context()) == {"batchItemFailures": []}
    assert stored_statuses(aws) == ["COMPLETED"]
    swept = load_handler("sweeper")({}, Context())
    assert set(swept.values()) == {0}


def test_a_message_that_cannot_be_read_is_reported(aws):
    records = {"Records": [{"messageId": "m", "body": "{"}]}
    assert load_handler("worker")(records, Context()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_a_worker_is_done_with_a_message_whose_run_is_not_there(aws):
    assert load_handler("worker")(sample_event("worker"), Context()) == {"batchItemFailures": []}
    assert stored_statuses(aws) == []


def test_a_sweep_with_nothing_to_do_tells_so(aws):
    swept = load_handler("sweeper")(sample_event("sweeper"), Context())
    assert set(swept.values()) == {0}
