"""A conversation over agno's agent-ui, whose requests are in ``tests/clients/agent_ui.py``."""

from collections.abc import Iterator

import pytest

from tests.clients.agent_ui import JSON, chat, get
from tests.clients.served import Page, Served

pytestmark = pytest.mark.clients


@pytest.fixture(params=["open_stack", "locked_stack"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with Page(request.getfixturevalue(request.param), "http://127.0.0.1:5173") as page:
        yield page


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://localhost", "http://127.0.0.1:80", "http://[::1]:9"]
)
def test_any_port_of_this_machine_may_be_the_pages(open_stack: Served, origin: str) -> None:
    with Page(open_stack, origin) as page:
        get(page, "/agents")


def test_a_conversation(page: Page) -> None:
    assert page.get("/health", headers=JSON).status_code == 200
    teams, agents = get(page, "/teams"), get(page, "/agents")
    assert {"newsroom"} <= {team["id"] for team in teams}
    [assistant] = [agent for agent in agents if agent["id"] == "assistant"]
    assert assistant["model"]["model"] == "demo"
    listed = {"type": "agent", "component_id": "assistant", "db_id": assistant["db_id"]}
    get(page, "/sessions", **listed)

    events = chat(page, "/agents/assistant/runs", "add 2 and 3")
    session_id = events[0]["session_id"]
    assert events[0]["event"] == "RunStarted"
    tools = [event["tool"] for event in events if event["event"] in ("ToolCallStarted", "ToolCallCompleted")]
    assert [tool["tool_name"] for tool in tools] == ["add", "add"]
    assert len({tool["tool_call_id"] for tool in tools}) == 1
    text = "".join(event["content"] for event in events if event["event"] == "RunContent")
    assert (events[-1]["event"], events[-1]["content"], text) == ("RunCompleted", "add gave: 5.0", "add gave: 5.0")
    chat(page, "/agents/assistant/runs", "Hello!", session_id)

    # After a reload, from the URL alone.
    [session] = [each for each in get(page, "/sessions", **listed)["data"] if each["session_id"] == session_id]
    assert session["session_name"] == "add 2 and 3"
    runs = get(page, f"/sessions/{session_id}/runs", type="agent", db_id=assistant["db_id"])
    assert [run["run_input"] for run in runs] == ["add 2 and 3", "Hello!"]
    assert [tool["tool_name"] for tool in runs[0]["tools"]] == ["add"]
    assert runs[0]["content"] == "add gave: 5.0"

    deleted = page.delete(f"/sessions/{session_id}", params={"db_id": assistant["db_id"]}, headers=JSON)
    assert deleted.is_success
    assert session_id not in [each["session_id"] for each in get(page, "/sessions", **listed)["data"]]


def test_a_team_shows_its_text_and_its_tools(page: Page) -> None:
    events = chat(page, "/teams/newsroom/runs", "ask writer: a headline, please")
    names = {event["event"] for event in events}
    assert {"TeamRunStarted", "TeamToolCallStarted", "TeamToolCallCompleted", "TeamRunContent"} <= names
    assert (events[-1]["event"], "a headline" in events[-1]["content"]) == ("TeamRunCompleted", True)


def test_a_run_that_waits_is_shown_as_paused(page: Page) -> None:
    events = chat(page, "/agents/clerk/runs", 'call send_letter {"to": "Ada", "text": "Good morning!"}')
    assert events[-1]["event"] == "RunPaused"
    waits = "I have tools to execute, but I need confirmation."
    assert waits in "".join(event.get("content") or "" for event in events)
    [run] = get(page, f"/sessions/{events[0]['session_id']}/runs", type="agent")
    assert (run["status"], run["content"]) == ("PAUSED", waits)
    assert [tool["tool_name"] for tool in run["tools"]] == ["send_letter"]


def test_a_wrong_key_is_told(locked_stack: Served) -> None:
    with Page(Served(locked_stack.url, "wrong"), "http://localhost:3000") as page:
        assert page.get("/agents", headers=JSON).status_code == 401
        assert page.get("/health", headers=JSON).status_code == 200
        refused = page.post("/agents/assistant/runs", files={"message": (None, "Hello")})
        assert "detail" in refused.json()
