"""The running stack answers as its OpenAPI document says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import SAMPLE

PAUSES = {
    Kind.AGENT: ("clerk", 'call send_letter {"to": "Ada", "text": "Hello"}', "tools", "confirmed"),
    Kind.TEAM: ("press-office", 'call publish {"title": "News"}', "requirements", "confirmation"),
    Kind.WORKFLOW: ("newsletter", "agents", "step_requirements", "confirmed"),
}


class Described:
    """The API, each of whose answers has to be one of those that the document has for the operation."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._document = client.get("/openapi.json").json()
        self._operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
        }

    def ask(self, operation_id: str, status: int, *, ids: dict[str, str] | None = None, **request: Any) -> Any:
        method, path, operation = self._operations[operation_id]
        answer = self._client.request(method, path.format_map(ids or {}), **request)
        assert answer.status_code == status, answer.text
        described = operation["responses"][str(status)]
        if "$ref" in described:
            described = self._document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        schema = described["content"][answer.headers["content-type"].partition(";")[0]]["schema"]
        told = answer.text if "event-stream" in answer.headers["content-type"] else answer.json()
        Draft202012Validator({**schema, "components": self._document["components"]}).validate(told)
        return told


@pytest.fixture(scope="module")
def api(client: httpx.Client) -> Described:
    return Described(client)


@pytest.mark.parametrize("operation", ["get_home", "health_check", "get_info", "get_config", "get_models"])
def test_discovery(api, operation):
    api.ask(operation, 200)


@pytest.mark.parametrize("kind", list(Kind))
def test_runs_of_every_kind_and_what_is_wrong_with_them(api, kind, fresh_id):
    component = {f"{kind}_id": SAMPLE[kind]}
    create, run = f"create_{kind}_run", {**component, "run_id": fresh_id}
    api.ask(f"get_{kind.plural}", 200)
    api.ask(f"get_{kind}", 200, ids=component)
    api.ask(f"get_{kind}", 404, ids={f"{kind}_id": "nope"})
    body = {"message": "Hello", "run_id": fresh_id, "session_id": fresh_id}
    api.ask(create, 200, ids=component, json=body)
    api.ask(create, 409, ids=component, json=body)
    api.ask(create, 200, ids=component, json={"message": "Hello", "stream": True})
    api.ask(create, 200, ids=component, json={"message": "[fail]"})
    api.ask(create, 202, ids=component, json={"message": "Hello", "background": True})
    api.ask(create, 400, ids=component, content=b"{")
    api.ask(create, 413, ids=component, data={"message": "x" * (1024 * 1024 + 1)})
    api.ask(create, 422, ids=component, data={"message": ""})
    assert api.ask(f"list_{kind}_runs", 200, ids=component, params={"session_id": fresh_id})
    api.ask(f"list_{kind}_runs", 422, ids=component)
    api.ask(f"get_{kind}_run", 200, ids=run)
    api.ask(f"get_{kind}_run", 404, ids={**component, "run_id": "nope"})
    api.ask(f"cancel_{kind}_run", 200, ids=run)
    api.ask(f"resume_{kind}_run_stream", 200, ids=run)
    api.ask(f"resume_{kind}_run_stream", 422, ids=run, data={"last_event_index": "x"})


@pytest.mark.parametrize("kind", list(Kind))
def test_a_run_that_waits_and_goes_on(api, kind):
    component_id, message, name, decision = PAUSES[kind]
    component = {f"{kind}_id": component_id}
    paused = api.ask(f"create_{kind}_run", 200, ids=component, json={"message": message})
    run = {**component, "run_id": paused["run_id"]}
    decided = {name: [{**waiting, decision: True} for waiting in paused[name]]}
    unknown = dict.fromkeys(("id", "tool_call_id", "step_id"), "nope")
    api.ask(f"continue_{kind}_run", 400, ids=run, json={name: [unknown]})
    api.ask(f"continue_{kind}_run", 200, ids=run, json=decided)
    api.ask(f"continue_{kind}_run", 409, ids=run, json=decided)


def test_sessions_and_what_is_wrong_with_them(api, fresh_id):
    session, nope = {"session_id": fresh_id}, {"session_id": "nope", "run_id": "nope"}
    body = {**session, "agent_id": SAMPLE[Kind.AGENT], "session_name": "Ships", "session_state": {"port": "Genoa"}}
    api.ask("create_session", 201, json=body)
    api.ask("create_session", 409, json=body)
    api.ask("create_session", 422, json={"session_state": []})
    component = {"agent_id": SAMPLE[Kind.AGENT]}
    api.ask(
        "create_agent_run", 200, ids=component, json={"message": "Hello", "session_id": fresh_id, "run_id": fresh_id}
    )
    assert api.ask("get_sessions", 200, params={"limit": 1})["data"]
    api.ask("get_sessions", 404, params={"db_id": "nope"})
    api.ask("get_sessions", 422, params={"limit": 0})
    for operation in ("get_session", "get_session_runs", "get_session_run_previews"):
        assert api.ask(operation, 200, ids=session)
        api.ask(operation, 404, ids=nope)
    api.ask("get_session_run", 200, ids={**session, "run_id": fresh_id})
    api.ask("get_session_run", 404, ids=nope)
    api.ask("get_session_media", 404, ids={**session, "storage_key": "nope"})
    api.ask("update_session", 200, ids=session, json={"session_state": {"port": "Lisbon"}})
    api.ask("update_session", 400, ids=session, content=b"{")
    api.ask("rename_session", 200, ids=session, json={"session_name": "Harbours"})
    api.ask("rename_session", 404, ids=nope, json={"session_name": "Harbours"})
    api.ask("delete_sessions", 400, json={"session_ids": [fresh_id], "session_types": ["agent", "agent"]})
