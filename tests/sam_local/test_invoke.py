"""Every file of events/ with ``sam local invoke -e``, by the command that is printed while the stack runs."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.e2e.sse import names
from tests.sam_local.stack import ROOT, SamStack
from tests.waiting import until

pytestmark = pytest.mark.docker

EVENTS = {path.stem: path for path in (ROOT / "events").iterdir()}
AT_ONCE = 6
CONNECTION = "Vb3xBc5zDoECGVQ="
RUN = "1cb9dc4e-bef2-4763-be29-f19b3d4e5f60"
CONVERSATION = (
    *("connect", "authenticate", "greet", "ping", "default"),
    *("reconnect", "continue-workflow", "cancel-workflow", "start-workflow", "disconnect"),
)
"""What happens on one connection, in an order that makes sense."""


def before(event: str) -> list[str]:
    """What must have been answered before an event of the connection is sent."""
    earlier = [f"websocket-{name}" for name in CONVERSATION]
    if event not in earlier:
        return []
    return earlier[: earlier.index(event) if event.endswith("-disconnect") else min(earlier.index(event), 2)]


def function_of(event: str) -> str:
    """The logical id of the function that takes an event of this name."""
    name = event.partition("-")[0]
    return "WebSocketFunction" if name == "websocket" else f"{name.capitalize()}Function"


@pytest.fixture(scope="session")
def answers(stack) -> dict[str, Future[Any]]:
    """What each event is answered. Many are sent at a time: sam makes an image for those that start together, once."""

    def invoke(event: str) -> Any:
        wait([answers[earlier] for earlier in before(event)])
        if event == "websocket-disconnect":
            until(lambda: told(stack, "WorkflowCompleted"), 60)
        done = stack.invoke(function_of(event), EVENTS[event])
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    first, *conversation = (f"websocket-{name}" for name in CONVERSATION)
    others = EVENTS.keys() - {first, *conversation}
    answers: dict[str, Future[Any]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for event in (first, *others, *conversation):
            answers[event] = pool.submit(invoke, event)
    return answers


def told(stack: SamStack, event: str) -> list[str]:
    """The messages of this name that were sent to the connection."""
    return [post for post in stack.posts() if post.startswith(f"{CONNECTION}: event: {event} ")]


def body(answers: dict[str, Future[Any]], event: str) -> Any:
    answer = answers[event].result()
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    return json.loads(answer["body"])


def test_there_is_an_expectation_for_every_event():
    http = {"config", "control", "follow", "agents", "teams", "workflows"}
    sessions = {"control-sessions", "worker-deletion"}
    assert set(EVENTS) == http | sessions | {"worker", "sweeper"} | {f"websocket-{name}" for name in CONVERSATION}


def test_config_tells_of_the_components(answers):
    assert {agent["id"] for agent in body(answers, "config")["agents"]} >= {"assistant", "companion"}


def test_control_describes_a_component(answers):
    assert body(answers, "control")["id"] == "assistant"


def test_control_lists_sessions(answers):
    assert body(answers, "control-sessions")["meta"]["limit"] == 5


def test_a_worker_goes_on_with_a_deletion(answers):
    assert answers["worker-deletion"].result() == {"batchItemFailures": []}


def test_nobody_can_follow_a_run_that_there_is_not(answers):
    assert answers["follow"].result()["statusCode"] == 404


def test_an_agent_runs_with_the_uploaded_file_and_the_run_is_kept(answers, api):
    run = body(answers, "agents")
    assert (run["status"], run["agent_id"], "SHA-256" in run["content"]) == ("COMPLETED", "assistant", True)
    assert api.get(f"/agents/assistant/runs/{run['run_id']}").json()["content"] == run["content"]


def test_a_team_runs(answers):
    run = body(answers, "teams")
    assert (run["status"], run["team_id"]) == ("COMPLETED", "newsroom")
    assert [member["agent_id"] for member in run["member_responses"]] == ["researcher"]


def test_a_workflow_s_events_come_whole(answers):
    answer = answers["workflows"].result()
    assert (answer["statusCode"], names(answer["body"])[-1]) == (200, "WorkflowCompleted")


def test_a_worker_is_done_with_a_message_whose_run_is_not_there(answers):
    assert answers["worker"].result() == {"batchItemFailures": []}


def test_a_sweep_tells_what_it_did(answers):
    swept = answers["sweeper"].result()
    assert {"lost", "never_started", "sent_again"} <= set(swept)
    assert set(swept.values()) == {0}


@pytest.mark.parametrize("name", CONVERSATION)
def test_a_websocket_event_is_answered_without_a_body(answers, name):
    assert answers[f"websocket-{name}"].result() == {"statusCode": 200}


@pytest.mark.parametrize(
    "message",
    [
        {"event": "pong"},
        {"event": "error", "error": "The message is not valid JSON"},
        {"event": "error", "error": f"Run {RUN} not found in buffer or database"},
        {"event": "error", "error": f"Run {RUN} not found"},
    ],
)
def test_what_a_client_would_have_got_is_shown(answers, stack, message):
    assert message in [json.loads(post.partition(": ")[2]) for post in stack.posts() if ": {" in post[:20]]


def test_a_connection_is_greeted_once_and_told_of_its_run(answers, stack):
    everything = "\n".join(stack.posts())
    assert everything.count('"connected"') == 1
    assert everything.index('"connected"') < everything.index('"authenticated"')
    assert [len(told(stack, event)) for event in ("WorkflowStarted", "WorkflowCompleted")] == [1, 1]
