"""A run that takes longer than its function may, on the deployed stack, whose worker has a minute."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.e2e import emulator
from tests.e2e.client import wait_for
from tests.e2e.deployment import WORKER_SECONDS, Deployment
from tests.e2e.sse import arriving
from tests.local.websocket_client import Client
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.build

LEGS = 15
END = "WorkflowCompleted"
PATIENCE = 3 * PATIENCE_SECONDS
"""A new worker unpacks all layers and imports the engine, which takes half a minute on a busy machine."""


def resumed(client: httpx.Client, path: str, after: int, most: int | None = None) -> list[dict[str, Any]]:
    """The events of a run after an index, from one answer. ``most``: how many are read before the client goes away."""
    with client.stream("POST", f"{path}/resume", data={"last_event_index": str(after)}) as answer:
        assert answer.status_code == 200
        return list(islice((event for event in arriving(answer.iter_lines()) if "event_index" in event), most))


def followed(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All events of a run. The first answer is dropped after some of them; an answer ends when its function does."""
    seen = resumed(client, path, after=-1, most=5)

    def ended() -> bool:
        seen.extend(resumed(client, path, after=seen[-1]["event_index"]))
        return seen[-1]["event"] == END

    until(ended, PATIENCE)
    return seen


def invocations(deployment: Deployment, run_id: str) -> set[str]:
    """The invocations of the worker that have told of the run in the log."""
    group = deployment.physical("WorkerLogGroup")
    told = [message for name, message in deployment.log() if name == group and f'"run_id": "{run_id}"' in message]
    return {json.loads(message)["requestId"] for message in told}


def test_clients_of_both_protocols_follow_a_run_from_worker_to_worker_and_over_a_reload(
    deployment: Deployment, api: httpx.Client, other: httpx.Client
) -> None:
    worker = deployment.client("lambda").get_function_configuration(FunctionName=deployment.physical("WorkerFunction"))
    assert worker["Timeout"] == WORKER_SECONDS == 60
    url = emulator.websocket_url(deployment.cloud, deployment.outputs["WebSocketUrl"])
    with Client(url, deployment.key) as page:
        page.send(action="start-workflow", workflow_id="relay", message="go")
        socket = page.until("StepCompleted", timeout=PATIENCE)
    run_id = socket[0]["run_id"]
    path = f"/workflows/relay/runs/{run_id}"
    with ThreadPoolExecutor() as pool, Client(url, deployment.key) as page:
        stream = pool.submit(followed, other, path)
        page.send(action="reconnect", run_id=run_id, last_event_index=socket[-1]["event_index"])
        socket += page.until(END, timeout=PATIENCE)
    on_socket = [event for event in socket if "event_index" in event]
    for seen in (on_socket, stream.result()):
        names = [event["event"] for event in seen]
        assert [event["event_index"] for event in seen] == list(range(len(seen)))
        assert (names[0], names[-1]) == ("WorkflowStarted", END)
        assert (names.count("WorkflowStarted"), names.count("StepCompleted"), names.count(END)) == (1, LEGS, 1)
    assert wait_for(api, path, "COMPLETED")["content"] == " ".join(["go", *map(str, range(LEGS))])
    assert until(lambda: len(invocations(deployment, run_id)) >= 2)
