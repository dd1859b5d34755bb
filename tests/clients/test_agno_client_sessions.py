"""Each method of agno's own client that is about sessions, unchanged, against the running stack."""

import pytest
from agno.client import AgentOSClient
from agno.db.base import SessionType
from httpx import HTTPStatusError

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import SAMPLE

pytestmark = [pytest.mark.anyio, pytest.mark.clients]

AGENT = SAMPLE[Kind.AGENT]


async def spoken(agentos: AgentOSClient, session_id: str, user_id: str | None = None) -> str:
    """The id of a run in the session."""
    output = await agentos.run_agent(AGENT, "Hello", session_id=session_id, user_id=user_id)
    assert output.run_id is not None
    return output.run_id


async def test_create_session(agentos, fresh_id):
    made = await agentos.create_session(
        session_id=fresh_id, user_id="ada", session_name="Ships", session_state={"port": "Genoa"}, agent_id=AGENT
    )
    assert (made.session_id, made.session_name, made.session_state) == (fresh_id, "Ships", {"port": "Genoa"})
    await agentos.run_agent(AGENT, "Hello", session_id=fresh_id, user_id="ada")
    kept = await agentos.get_session(fresh_id)
    assert (kept.session_name, kept.session_state) == ("Ships", {"port": "Genoa"})


@pytest.mark.parametrize("kind", list(Kind))
async def test_get_session(agentos, fresh_id, kind):
    await getattr(agentos, f"run_{kind}")(SAMPLE[kind], "Hello", session_id=fresh_id)
    session = await agentos.get_session(fresh_id, session_type=SessionType(kind))
    assert (session.session_id, session.session_name) == (fresh_id, "Hello")
    assert getattr(session, f"{kind}_id") == SAMPLE[kind]


async def test_get_sessions(agentos, fresh_id):
    user = f"user-{fresh_id}"
    for place in range(3):
        await agentos.create_session(session_id=f"{fresh_id}-{place}", user_id=user, session_name=f"Talk {place}")
    page = await agentos.get_sessions(user_id=user, limit=2, sort_order="asc")
    assert [session.session_id for session in page.data] == [f"{fresh_id}-0", f"{fresh_id}-1"]
    assert (page.meta.total_count, page.meta.total_pages) == (3, 2)
    found = await agentos.get_sessions(user_id=user, session_name="TALK 2")
    assert [session.session_name for session in found.data] == ["Talk 2"]


async def test_get_session_runs(agentos, fresh_id):
    run_id = await spoken(agentos, fresh_id)
    [run] = await agentos.get_session_runs(fresh_id, status=["COMPLETED"])
    assert (run.run_id, run.run_input) == (run_id, "Hello")


async def test_get_session_run(agentos, fresh_id):
    run_id = await spoken(agentos, fresh_id)
    run = await agentos.get_session_run(fresh_id, run_id)
    assert (run.run_id, run.agent_id, run.status) == (run_id, AGENT, "COMPLETED")


async def test_get_session_run_previews(agentos, fresh_id):
    run_id = await spoken(agentos, fresh_id)
    [preview] = await agentos.aget_session_run_previews(fresh_id)
    assert (preview.run_id, preview.run_input) == (run_id, "Hello")
    assert agentos.get_session_run_previews(fresh_id) == [preview]


async def test_rename_session(agentos, fresh_id):
    await spoken(agentos, fresh_id)
    renamed = await agentos.rename_session(fresh_id, "Harbours")
    assert renamed.session_name == "Harbours"
    await spoken(agentos, fresh_id)
    assert (await agentos.get_session(fresh_id)).session_name == "Harbours"


async def test_update_session(agentos, fresh_id):
    await spoken(agentos, fresh_id)
    changed = await agentos.update_session(fresh_id, session_state={"port": "Lisbon"}, metadata={"tags": ["ships"]})
    assert (changed.session_state, changed.metadata) == ({"port": "Lisbon"}, {"tags": ["ships"]})
    output = await agentos.run_agent(AGENT, "Hello", session_id=fresh_id)
    assert output.session_state == {"port": "Lisbon"}


async def test_delete_session(agentos, fresh_id):
    await spoken(agentos, fresh_id)
    for _ in range(2):
        await agentos.delete_session(fresh_id)
    with pytest.raises(HTTPStatusError) as refused:
        await agentos.get_session(fresh_id)
    assert "404" in str(refused.value)


async def test_delete_sessions(agentos, fresh_id):
    ids = [f"{fresh_id}-{place}" for place in range(2)]
    for session_id in ids:
        await agentos.create_session(session_id=session_id, user_id=fresh_id)
    await agentos.delete_sessions(ids, [SessionType.AGENT, SessionType.AGENT])
    assert (await agentos.get_sessions(user_id=fresh_id)).data == []


def test_each_method_about_sessions_has_a_test():
    methods = {name for name in dir(AgentOSClient) if "session" in name and not name.startswith("_")}
    asked = {
        name.removeprefix("a") if name.startswith("aget") else name for name in methods - {"get_trace_session_stats"}
    }
    assert {f"test_{name}" for name in asked} <= globals().keys()
    assert len(asked) == 10
