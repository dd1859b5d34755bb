"""A user on the deployed stack: remembered in a new session, and all that is known of them said in one."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.build

USER = {"user_id": "e2e-user"}


def asked_to_remember(text: str) -> str:
    task = f"call add_memory {json.dumps({'memory': text})}"
    return f"call update_user_memory {json.dumps({'task': task})}"


def known_to(api, session_id):
    """What the agent is told of the user in a run of this session."""
    run = api.post("/agents/companion/runs", json={"message": "Hello", "session_id": session_id, **USER}).json()
    assert run["status"] == "COMPLETED"
    return "".join(message["content"] for message in run["messages"] if message["role"] == "system")


def test_a_user_who_comes_back_in_a_new_session_is_remembered(api):
    for number, text in enumerate(("likes tea", "asked once: what did I say?")):
        body = {"message": asked_to_remember(text), "session_id": f"first-{number}", **USER}
        assert api.post("/agents/companion/runs", json=body).json()["status"] == "COMPLETED"

    assert "likes tea" in known_to(api, "second")
    page = api.get("/memories", params=USER).json()
    assert page["meta"]["total_count"] == len(page["data"]) == 2

    done = api.post("/optimize-memories", json=USER)
    assert (done.status_code, done.json()["memories_before"]) == (200, 2)
    assert "You have not said anything before." in known_to(api, "third")
    memory_id = done.json()["memories"][0]["memory_id"]
    assert api.delete(f"/memories/{memory_id}").status_code == 204
    assert "likes tea" not in known_to(api, "fourth")
