"""Sessions on the deployed stack: its routes, its indexes, its queue, and the policies of control and worker."""

from __future__ import annotations

import pytest

from tests.waiting import until

pytestmark = pytest.mark.build


def test_a_session_from_its_creation_to_its_removal(api, deployment):
    created = api.post("/sessions", json={"session_id": "e2e", "agent_id": "assistant", "session_state": {"a": 1}})
    assert created.status_code == 201
    run = api.post("/agents/assistant/runs", json={"message": "Hello", "session_id": "e2e"}).json()
    renamed = api.post("/sessions/e2e/rename", json={"session_name": "Ships"}).json()
    assert (renamed["session_name"], renamed["session_state"]) == ("Ships", {"a": 1})
    assert api.patch("/sessions/e2e", json={"metadata": {"tags": []}}).json()["metadata"] == {"tags": []}
    for params in ({"type": "agent"}, {"component_id": "assistant"}, {"session_name": "ships"}):
        page = api.get("/sessions", params=params).json()
        assert "e2e" in [session["session_id"] for session in page["data"]]
        assert page["meta"]["total_count"] >= 1
    assert [each["run_id"] for each in api.get("/sessions/e2e/runs").json()] == [run["run_id"]]
    assert api.delete("/sessions/e2e").status_code == 204
    assert api.get("/sessions/e2e").status_code == 404
    until(lambda: api.get(f"/agents/assistant/runs/{run['run_id']}").status_code == 404, 60)
    dynamodb, table = deployment.client("dynamodb"), deployment.outputs["SessionsTableName"]

    def left() -> list[str]:
        found = dynamodb.query(
            TableName=table,
            KeyConditionExpression="session_id = :session_id",
            ExpressionAttributeValues={":session_id": {"S": "e2e"}},
        )
        return [item["item"]["S"] for item in found["Items"]]

    until(lambda: left() == ["SESSION"], 60)


def test_operations_of_agentos_that_are_not_served_are_told_from_wrong_paths(api):
    for path in ("/learnings", "/learnings/some", "/knowledge/content", "/schedules/some/runs"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert api.get("/learnings/some/thing").status_code == 404
