"""What runs of the deployed stack ask of AWS is what docs/costs.md says that they cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest

from tests.e2e import emulator
from tests.e2e.deployment import Deployment
from tests.e2e.metering import Meter
from tests.local.websocket_client import Client
from tests.stack.costs import per_run
from tests.waiting import until

pytestmark = pytest.mark.build

RUNS = "/agents/assistant/runs"
MESSAGE = "[slow 20ms] " + "word " * 100
SECONDS = 2.0
"""How long the message is streamed."""
TRIES = 4
SLACK = 0.1
PACKING = 3
"""Write units by which streams differ: a pack of events counts whole KB, and twice if it falls into the commit."""
BY_THE_SECOND = {"DynamoDB write units": 1, "DynamoDB read units": 1, "WebSocket messages": 5}
"""What a run takes more of for each second that it takes longer, as the document says: a machine may be busy."""


@pytest.fixture(scope="module")
def meter(deployment: Deployment) -> Iterator[Meter]:
    with deployment.meter.measuring():
        yield deployment.meter


class Counted(NamedTuple):
    """What one run took, by the names that the document has."""

    seconds: float
    of: dict[str, float]

    def fits(self, name: str, documented: float, packing: float) -> bool:
        """Units and messages depend on how events fall together, a little; requests do not."""
        if "requests" in name:
            return self.of[name] == documented
        slack = SLACK * documented + (packing if name == "DynamoDB write units" else 0)
        longer = max(0.0, self.seconds - SECONDS)
        return documented - slack <= self.of[name] <= documented + slack + longer * BY_THE_SECOND.get(name, 0)


Run = Callable[[], Counted]


class Ledger:
    """Counts what one run takes."""

    def __init__(self, deployment: Deployment, meter: Meter) -> None:
        self._deployment = deployment
        self._meter = meter

    def begin(self) -> None:
        self._invoked = self._invocations()
        self._meter.take()
        self._began = time.monotonic()

    def end(self, *, invocations: int, **by_the_client: float) -> Counted:
        """What was counted since ``begin``, once so many invocations are over."""
        until(lambda: self._invocations() - self._invoked >= invocations)
        seconds = time.monotonic() - self._began
        counted = self._meter.take()
        numbers = {
            **by_the_client,
            "Lambda requests": self._invocations() - self._invoked,
            "DynamoDB write units": counted["write units"],
            "DynamoDB read units": counted["read units"],
            # A message is received and deleted, too: by Lambda, beside the functions.
            "SQS requests": 3 * counted.get("SQS SendMessage", 0) + counted.get("SQS GetQueueAttributes", 0),
            "S3 requests that write": counted.get("S3 PUT", 0),
        }
        return Counted(seconds, numbers)

    def _invocations(self) -> int:
        sweeper = self._deployment.physical("SweeperLogGroup")
        lines = (message for group, message in self._deployment.log() if group != sweeper)
        return sum(line.startswith("START RequestId") for line in lines)


@pytest.fixture
def ledger(deployment: Deployment, meter: Meter) -> Ledger:
    return Ledger(deployment, meter)


def foreground(api: httpx.Client, ledger: Ledger, *, stream: str) -> Counted:
    ledger.begin()
    body = {"message": MESSAGE, "session_id": f"costs-{stream}", "stream": stream}
    assert api.post(RUNS, data=body).status_code == 200
    return ledger.end(invocations=1, **{"API requests": 1})


def background(api: httpx.Client, ledger: Ledger, deployment: Deployment) -> Counted:
    ledger.begin()
    body = {"message": MESSAGE, "session_id": "costs-background", "background": "true"}
    run_id = api.post(RUNS, data=body).json()["run_id"]
    for _ in range(4):
        assert api.get(f"{RUNS}/{run_id}").status_code == 200
    key = {"run_id": {"S": run_id}, "item": {"S": "RECORD"}}
    table = deployment.outputs["RunsTableName"]
    dynamodb = deployment.client("dynamodb")
    until(lambda: dynamodb.get_item(TableName=table, Key=key)["Item"]["status"]["S"] == "COMPLETED")
    assert api.get(f"{RUNS}/{run_id}").json()["status"] == "COMPLETED"
    return ledger.end(invocations=7, **{"API requests": 6})


def websocket(deployment: Deployment, ledger: Ledger) -> Counted:
    url = emulator.websocket_url(deployment.cloud, deployment.outputs["WebSocketUrl"])
    ledger.begin()
    with Client(url, deployment.key) as client:
        client.send(action="start-workflow", workflow_id="letter", message=MESSAGE, session_id="costs-websocket")
        told = client.until("WorkflowCompleted")
    controls = 4  # authenticate and start-workflow, connected and authenticated
    counted = ledger.end(invocations=2, **{"WebSocket messages": controls + len(told)})
    # The emulator logs no invocation by a route: $connect, the two messages, $disconnect.
    counted.of["Lambda requests"] += 4
    return counted


@pytest.mark.parametrize("way", ["whole", "streamed", "background", "WebSocket"])
def test_a_run_takes_what_is_written_down(api, deployment, ledger, way):
    run: Run = {
        "whole": lambda: foreground(api, ledger, stream="false"),
        "streamed": lambda: foreground(api, ledger, stream="true"),
        "background": lambda: background(api, ledger, deployment),
        "WebSocket": lambda: websocket(deployment, ledger),
    }[way]
    run()  # makes the session and the environments
    documented, packing = per_run()[way], 0 if way == "whole" else PACKING
    tries = [run()]

    def unlike() -> list[str]:
        """The names whose number no try comes near."""
        return [name for name in tries[0].of if not any(each.fits(name, documented[name], packing) for each in tries)]

    while len(tries) < TRIES and unlike():
        tries.append(run())
    assert not unlike(), tries
