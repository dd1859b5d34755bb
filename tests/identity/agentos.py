"""``python -m tests.identity.agentos``: asks the released AgentOS what the matrix expects, and prints it as JSON.

The same callers, operations and objects as in the matrix; isolation, scopes and the security key are on. What it prints
is in ``agentos.json``.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.db.sqlite import SqliteDb
from agno.os import AgentOS
from agno.os.authz import Authorization
from agno.os.settings import AgnoAPISettings
from agno.team import Team
from agno.workflow import Step, Workflow
from starlette.testclient import TestClient

from agentos_lambda.engine.models.demo import DemoModel
from tests.identity.callers import (
    AUDIENCE,
    CALLERS,
    ISSUER,
    KINDS,
    OF_ACCOUNTS,
    SECURITY_KEY,
    filled,
    messages,
    sent,
    slug,
    token_of,
)
from tests.identity.tokens import SECRET

_ASKED = (
    *("/agents", "/teams", "/workflows", "/config", "/sessions"),
    *("/memories", "/memory_topics", "/user_memory_stats", "/optimize-memories"),
)
_LEFT_OUT = ("/checkpoints", "/fork", "/compact", "/media")
"""What the in-memory database of AgentOS does not do, or does not tell apart."""


class Now:
    """The clock of AgentOS is that of the machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class Database(InMemoryDb):
    """AgentOS's database in memory, which has no service accounts: they are in the one of SQLite."""

    def __init__(self, file: str) -> None:
        super().__init__()
        accounts = SqliteDb(db_file=file)
        for name in vars(SqliteDb):
            if "service_account" in name:
                setattr(self, name, getattr(accounts, name))


def released(file: str) -> TestClient:
    """AgentOS with one component of each kind, and with its service accounts in this file."""
    database = Database(file)
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


def account_tokens(client: TestClient, file: str) -> dict[str, str]:
    """The tokens of service accounts, by their caller."""
    headers, tokens = {"Authorization": f"Bearer {token_of('admin', Now())}"}, {}
    for caller, scopes in OF_ACCOUNTS.items():
        wanted = {"name": slug(caller), "scopes": [{"scope": scope} for scope in scopes]}
        wanted |= {"allow_privileged_scopes": True}
        made = client.post("/service-accounts", json=wanted, headers=headers).raise_for_status().json()
        tokens[caller] = made["token"]
        if caller == "revoked account":
            client.delete(f"/service-accounts/{made['id']}", headers=headers).raise_for_status()
    with sqlite3.connect(file) as table:
        table.execute("UPDATE agno_service_accounts SET expires_at = 1 WHERE name = ?", [slug("expired account")])
    return tokens


def asked(file: str) -> dict[str, Any]:
    """By operation, the status that each of the callers gets; by action, the first event."""
    client = released(file)
    of_a, accounts = run_ids(client), account_tokens(client, file)
    found: dict[str, Any] = {"callers": list(CALLERS), "http": {}, "websocket": {}}
    for method, path in sorted(operations(client)):
        found["http"][f"{method} {path}"] = " ".join(
            str(_status(client, token_of(caller, Now(), accounts), method, path, of_a)) for caller in CALLERS
        )
    for action, message in messages(of_a).items():
        found["websocket"][action] = [_event(client, caller, message, accounts) for caller in CALLERS]
    return found


def _status(client: TestClient, token: str | None, method: str, path: str, of_a: dict[str, str]) -> int:
    app: Any = client.app
    app.state.service_account_verifier._limiter._failures.clear()  # a caller that is refused often is refused otherwise
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.request(method, filled(path, of_a), headers=headers, **sent(method, path)).status_code


def _event(client: TestClient, caller: str, message: Any, accounts: dict[str, str]) -> str:
    """The first event of the answer, with its error if it is one."""
    with client.websocket_connect("/workflows/ws") as socket:
        socket.receive_text()
        token = token_of(caller, Now(), accounts)
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
    with tempfile.TemporaryDirectory() as folder:
        json.dump(asked(f"{folder}/accounts.db"), sys.stdout, indent=1)
