"""``python -m tests.identity.agentos``: asks the released AgentOS what the matrix expects, and prints it as JSON.

The same callers, operations and objects as in the matrix; isolation, scopes and the security key are on. What it prints
is in ``agentos.json``.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.os import AgentOS
from agno.os.authz import Authorization
from agno.os.settings import AgnoAPISettings
from agno.team import Team
from agno.workflow import Step, Workflow
from starlette.testclient import TestClient

from agentos_lambda.engine.models.demo import DemoModel
from tests.identity.callers import AUDIENCE, CALLERS, ISSUER, KINDS, SECURITY_KEY, filled, messages, sent, token_of
from tests.identity.tokens import SECRET

_ASKED = (
    *("/agents", "/teams", "/workflows", "/config", "/sessions"),
    *("/memories", "/memory_topics", "/user_memory_stats"),
)
_LEFT_OUT = ("/checkpoints", "/fork", "/compact", "/media")
"""What the in-memory database of AgentOS does not do, or does not tell apart."""


class Now:
    """The clock of AgentOS is that of the machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


def released() -> TestClient:
    """AgentOS with one component of each kind."""
    database = InMemoryDb()
    agent, team, workflow = KINDS.values()
    return TestClient(
        AgentOS(
            id=AUDIENCE,
            db=database,
            agents=[Agent(id=agent, name=agent, model=DemoModel(), db=database)],
            teams=[Team(id=team, name=team, model=DemoModel(), members=[], db=database)],
            workflows=[Workflow(id=workflow, name=workflow, steps=[Step(name="step", executor=_step)], db=database)],
            settings=AgnoAPISettings(os_security_key=SECURITY_KEY),
            authorization=Authorization(
                verification_keys=[SECRET], algorithm="HS256", verify_audience=True, audience=AUDIENCE, issuer=ISSUER
            ),
            user_isolation=True,
            telemetry=False,
        ).get_app(),
        raise_server_exceptions=False,
    )


def _step(_given: Any) -> str:
    return "done"


def run_ids(client: TestClient) -> dict[str, str]:
    """A run of user A for each kind."""
    headers = {"Authorization": f"Bearer {token_of('user A', Now())}"}
    found = {}
    for kind, name in KINDS.items():
        answer = client.post(f"/{kind}/{name}/runs", headers=headers, **sent("POST", f"/{kind}"))
        found[kind] = answer.raise_for_status().json()["run_id"]
    return found


def operations(client: TestClient) -> Iterator[tuple[str, str]]:
    """Of components, runs and sessions, those that delete nothing."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if path.startswith(_ASKED) and not any(left in path for left in _LEFT_OUT):
            yield from ((method.upper(), path) for method in methods if method != "delete")


def asked() -> dict[str, Any]:
    """By operation, the status that each of the callers gets; by action, the first event."""
    client = released()
    of_a = run_ids(client)
    found: dict[str, Any] = {"callers": list(CALLERS), "http": {}, "websocket": {}}
    for method, path in sorted(operations(client)):
        found["http"][f"{method} {path}"] = " ".join(
            str(_status(client, caller, method, path, of_a)) for caller in CALLERS
        )
    for action, message in messages(of_a).items():
        found["websocket"][action] = [_event(client, caller, message) for caller in CALLERS]
    return found


def _status(client: TestClient, caller: str, method: str, path: str, of_a: dict[str, str]) -> int:
    token = token_of(caller, Now())
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.request(method, filled(path, of_a), headers=headers, **sent(method, path)).status_code


def _event(client: TestClient, caller: str, message: Any) -> str:
    """The first event of the answer, with its error if it is one."""
    with client.websocket_connect("/workflows/ws") as socket:
        socket.receive_text()
        token = token_of(caller, Now())
        if token is not None:
            socket.send_text(json.dumps({"action": "authenticate", "token": token}))
            if json.loads(socket.receive_text())["event"] == "authenticated":
                socket.receive_text()
        socket.send_text(json.dumps(message))
        text = socket.receive_text()
        answer = json.loads(text.partition("data: ")[2] if text.startswith("event: ") else text)
    said = ": ".join(str(answer[name]) for name in ("event", "error") if name in answer)
    return said.replace(message.get("run_id", "RUN"), "RUN")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    json.dump(asked(), sys.stdout, indent=1)
