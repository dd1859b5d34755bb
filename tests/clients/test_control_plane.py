"""What AgentOS's control plane asks for on its pages Home, Chat, Sessions and Memory, from its own origin and loopback.

Its source is not public: these are the operations of those pages in AgentOS 3.1.10's documentation and document, with
the parameters that these name. None may be a 404, a 5xx, or unreadable for the page.
"""

import json

import pytest

from tests.clients.served import Page, Served

pytestmark = pytest.mark.clients

PAGED = {"limit": 20, "page": 1, "sort_by": "updated_at", "sort_order": "desc"}


@pytest.mark.parametrize("origin", ["https://os.agno.com", "http://127.0.0.1:4173"])
def test_every_request_of_its_pages_is_answered(locked_stack: Served, origin: str) -> None:
    with Page(locked_stack, origin) as page:
        _home(page)
        session_id, database = _chat(page)
        _sessions(page, session_id, database)
        _memory(page, database)
    wrong = [asked for asked in page.asked if asked[2] >= 400]
    assert wrong == []
    assert len(page.asked) > 40


def _home(page: Page) -> None:
    for path in ("/health", "/info", "/config", "/models", "/agents", "/teams", "/workflows"):
        page.get(path)
    for path in ("/agents/assistant", "/teams/newsroom", "/workflows/letter"):
        page.get(path)


def _chat(page: Page) -> tuple[str, str]:
    """A session of an agent, and the id of the database."""
    config = page.get("/config").json()
    session_id = ""
    for path in ("/agents/assistant", "/teams/newsroom", "/workflows/letter"):
        form = {"message": "Hello", "stream": "true", "session_id": "", "user_id": "ada@example.com"}
        run = page.post(f"{path}/runs", files={name: (None, value) for name, value in form.items()})
        found = run.headers["content-type"].startswith("text/event-stream") and '"session_id":"' in run.text
        assert found, run.text
        session_id = session_id or run.text.partition('"session_id":"')[2].partition('"')[0]
    picture = ("a.png", b"\x89PNG\r\n\x1a\n0", "image/png")
    page.post("/agents/assistant/runs", data={"message": "look", "stream": "false"}, files={"files": picture})
    paused = page.post("/agents/clerk/runs", data={"message": 'call send_letter {"to": "A", "text": "B"}'}).json()
    page.get(f"/agents/clerk/runs/{paused['run_id']}")
    tools = json.dumps([{**tool, "confirmed": True} for tool in paused["tools"]])
    decided = {"tools": tools, "session_id": paused["session_id"], "stream": "true"}
    page.post(f"/agents/clerk/runs/{paused['run_id']}/continue", data=decided)
    page.get("/agents/clerk/runs", params={"session_id": paused["session_id"]})
    page.post(f"/agents/clerk/runs/{paused['run_id']}/cancel")
    page.post(f"/agents/clerk/runs/{paused['run_id']}/resume", data={"session_id": paused["session_id"]})
    return session_id, config["session"]["dbs"][0]["db_id"]


def _sessions(page: Page, session_id: str, database: str) -> None:
    for kind in ("agent", "team", "workflow"):
        page.get("/sessions", params={"type": kind, "db_id": database, "table": "agno_sessions", **PAGED})
    page.get("/sessions", params={"type": "agent", "session_name": "hel", "user_id": "ada@example.com", **PAGED})
    here = {"type": "agent", "db_id": database}
    for path in ("", "/runs", "/run-previews"):
        page.get(f"/sessions/{session_id}{path}", params=here)
    run_id = page.get(f"/sessions/{session_id}/runs", params=here).json()[0]["run_id"]
    page.get(f"/sessions/{session_id}/runs/{run_id}", params=here)
    page.post(f"/sessions/{session_id}/rename", params=here, json={"session_name": "Renamed"})
    page.patch(f"/sessions/{session_id}", params=here, json={"session_state": {"a": 1}})
    made = page.post("/sessions", params=here, json={"agent_id": "assistant"}).json()
    page.delete(f"/sessions/{made['session_id']}", params=here)
    page.request("DELETE", "/sessions", params=here, json={"session_ids": [session_id], "session_types": ["agent"]})


def _memory(page: Page, database: str) -> None:
    here = {"db_id": database}
    memory = {"memory": "Ada likes tea.", "topics": ["drinks"], "user_id": "ada@example.com"}
    made = page.post("/memories", params=here, json=memory).json()
    page.get("/memories", params={**here, **PAGED, "user_id": "ada@example.com", "topics": "drinks"})
    page.get("/memories", params={**here, **PAGED, "search_content": "tea"})
    page.get(f"/memories/{made['memory_id']}", params=here)
    page.get("/memory_topics", params=here)
    page.get("/user_memory_stats", params={**here, "limit": 20, "page": 1})
    page.patch(f"/memories/{made['memory_id']}", params=here, json={**memory, "memory": "Ada likes coffee."})
    other = page.post("/memories", params=here, json=memory).json()
    page.delete(f"/memories/{made['memory_id']}", params={**here, "user_id": "ada@example.com"})
    page.request("DELETE", "/memories", params=here, json={"memory_ids": [other["memory_id"]]})
