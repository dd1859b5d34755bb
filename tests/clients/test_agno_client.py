"""agno's own client of AgentOS, unchanged, against the running stack."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agno.client import AgentOSClient
from agno.media import Audio, File, Image, Video
from agno.run.agent import RunOutput
from agno.run.base import RunStatus
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import SAMPLE
from tests.local_stack import KEY

pytestmark = [pytest.mark.anyio, pytest.mark.clients]

BYTES = bytes(range(256)) * 3
OUTPUTS = {Kind.AGENT: RunOutput, Kind.TEAM: TeamRunOutput, Kind.WORKFLOW: WorkflowRunOutput}
KINDS = pytest.mark.parametrize("kind", list(Kind))


def method(agentos: AgentOSClient, pattern: str, kind: Kind) -> Any:
    return getattr(agentos, pattern.format(kind))


def run(agentos: AgentOSClient, kind: Kind, message: str, **options: Any) -> Any:
    return method(agentos, "run_{}", kind)(SAMPLE[kind], message, **options)


def stream(agentos: AgentOSClient, kind: Kind, component_id: str, message: str, **options: Any) -> AsyncIterator[Any]:
    return method(agentos, "run_{}_stream", kind)(component_id, message, **options)


async def test_the_configuration(agentos):
    config = await agentos.aget_config()
    assert agentos.get_config() == config
    assert {"assistant", "companion"} <= {agent.id for agent in config.agents}
    assert config.chat.quick_prompts["assistant"]
    assert config.teams[0].id == "newsroom"
    assert config.workflows[0].id == "letter"


@KINDS
async def test_components_are_listed_and_had(agentos, kind):
    listed = await method(agentos, "list_{}s", kind)()
    assert SAMPLE[kind] in [component.id for component in listed]
    for component in listed:
        had = await method(agentos, "aget_{}", kind)(component.id)
        assert (had.id, had.name) == (component.id, component.name)
        assert method(agentos, "get_{}", kind)(component.id) == had


@KINDS
async def test_a_run_comes_back_as_agnos_own_object(agentos, kind, fresh_id):
    output = await run(agentos, kind, "Hello", session_id=fresh_id, user_id="ada", metadata={"source": "test"})
    assert isinstance(output, OUTPUTS[kind])
    assert (output.status, output.session_id) == (RunStatus.completed, fresh_id)
    assert "Hello" in output.content
    assert output.metadata["source"] == "test"


@KINDS
async def test_a_stream_comes_back_as_agnos_own_events(agentos, kind, fresh_id):
    events = [event async for event in stream(agentos, kind, SAMPLE[kind], "Hello", session_id=fresh_id)]
    prefix = {Kind.AGENT: "Run", Kind.TEAM: "TeamRun", Kind.WORKFLOW: "Workflow"}[kind]
    assert (events[0].event, events[-1].event) == (f"{prefix}Started", f"{prefix}Completed")
    assert "Hello" in events[-1].content
    assert len({event.run_id for event in events if event.event.startswith(prefix)}) == 1


@KINDS
@pytest.mark.parametrize("streamed", [False, True])
async def test_media_arrive_as_they_were(agentos, kind, streamed):
    media = {
        "images": [Image(content=BYTES, id="i", mime_type="image/png")],
        "audio": [Audio(content=BYTES, id="a", mime_type="audio/wav")],
        "videos": [Video(content=BYTES, id="v", mime_type="video/mp4")],
        "files": [
            File(content=BYTES, id="f", filename="f.pdf", mime_type="application/pdf"),
            File(content="Grüße", id="t", filename="t.txt", mime_type="text/plain"),
            File(content=b"raw", id="r", filename="r.txt"),
        ],
    }
    if streamed:
        content = [event async for event in stream(agentos, kind, SAMPLE[kind], "look", **media)][-1].content
    else:
        content = (await run(agentos, kind, "look", **media)).content
    digest, text = hashlib.sha256(BYTES).hexdigest(), hashlib.sha256("Grüße".encode()).hexdigest()
    expected = [f"{name}: {len(BYTES)} bytes, SHA-256 {digest}" for name in ("image i", "audio a", "video v")]
    expected += [f"file f.pdf: {len(BYTES)} bytes, SHA-256 {digest}", f"file t.txt: 7 bytes, SHA-256 {text}"]
    assert content.splitlines()[:5] == expected
    assert content.splitlines()[5].startswith("file r.txt: 3 bytes")


@pytest.mark.parametrize(
    ("kind", "component_id", "message"),
    [
        (Kind.AGENT, "slow", "[slow 50ms] " + "word " * 200),
        (Kind.TEAM, "crew", "ask silent: hello"),
        (Kind.WORKFLOW, "quiet-steps", "hello"),
    ],
)
async def test_a_run_is_cancelled(agentos, client, kind, component_id, message):
    names = []
    run_id = None
    async for event in stream(agentos, kind, component_id, message):
        names.append(event.event)
        run_id = run_id or event.run_id
        if event.event == "RunContent" and "cancelled" not in names:
            await method(agentos, "cancel_{}_run", kind)(component_id, run_id)
            names.append("cancelled")
    assert names[-2].endswith("Cancelled")
    assert client.get(f"/{kind.plural}/{component_id}/runs/{run_id}").json()["status"] == "CANCELLED"


async def test_a_second_message_knows_the_first(agentos, fresh_id):
    await agentos.run_agent("companion", "My name is Ada.", session_id=fresh_id)
    output = await agentos.run_agent("companion", "what did I say?", session_id=fresh_id)
    assert output.content == 'You said: "My name is Ada."'


async def test_an_agent_that_waits_for_a_person_goes_on(agentos):
    message = 'call send_letter {"to": "Ada", "text": "Good morning!"}'
    paused = await agentos.run_agent("clerk", message)
    assert paused.status == RunStatus.paused
    for tool in paused.tools:
        tool.confirmed = True
    output = await agentos.continue_agent_run("clerk", paused.run_id, paused.tools, session_id=paused.session_id)
    assert (output.run_id, output.status) == (paused.run_id, RunStatus.completed)
    assert "sent to Ada: Good morning!" in output.content


async def test_an_agent_that_waits_goes_on_as_a_stream_too(agentos):
    paused = await agentos.run_agent("clerk", 'call measure_temperature {"place": "attic"}')
    [tool] = paused.tools
    tool.result = "31 degrees"
    going_on = agentos.continue_agent_run_stream("clerk", paused.run_id, [tool], session_id=paused.session_id)
    events = [event async for event in going_on]
    assert (events[0].event, events[-1].event) == ("RunContinued", "RunCompleted")
    assert "31 degrees" in events[-1].content


async def test_a_team_that_waits_goes_on(agentos):
    paused = await agentos.run_team("press-office", 'call publish {"title": "News"}')
    assert paused.status == RunStatus.paused
    for requirement in paused.requirements:
        requirement.confirm()
    output = await agentos.continue_team_run(
        "press-office", paused.run_id, paused.requirements, session_id=paused.session_id
    )
    assert (output.run_id, output.status) == (paused.run_id, RunStatus.completed)
    assert "News is published" in output.content


async def test_a_workflow_that_waits_goes_on(agentos):
    paused = await agentos.run_workflow("newsletter", "agents")
    assert paused.status == RunStatus.paused
    for requirement in paused.step_requirements:
        requirement.confirm()
    output = await agentos.continue_workflow_run(
        "newsletter", paused.run_id, paused.step_requirements, session_id=paused.session_id
    )
    assert (output.run_id, output.status) == (paused.run_id, RunStatus.completed)


async def test_the_key_goes_in_a_header(agentos):
    headers = {"Authorization": f"Bearer {KEY}"}
    assert (await agentos.run_agent("assistant", "Hello", headers=headers)).content


async def test_a_user_who_comes_back_in_a_new_session_is_remembered(agentos, fresh_id):
    user = f"user-{fresh_id}"
    remember = 'call add_memory {"memory": "likes tea", "topics": ["drinks"]}'
    output = await agentos.run_agent("rememberer", remember, user_id=user, session_id=fresh_id)
    assert output.status == RunStatus.completed

    page = await agentos.list_memories(user_id=user)
    assert [(each.memory, each.topics, each.agent_id) for each in page.data] == [
        ("likes tea", ["drinks"], "rememberer")
    ]
    events = [event async for event in agentos.run_agent_stream("rememberer", "Hello", user_id=user)]
    assert events[-1].event == "RunCompleted"
    later = await agentos.run_agent("rememberer", "Hello", user_id=user)
    (system,) = [message for message in later.messages if message.role == "system"]
    assert "- likes tea" in system.content
    assert "likes tea" not in str((await agentos.run_agent("rememberer", "Hello", user_id="nobody")).messages)


async def test_memories(agentos, fresh_id):
    user = f"user-{fresh_id}"
    made = await agentos.create_memory("likes tea", user, topics=["drinks", "food"])
    other = await agentos.create_memory("likes milk", user)

    assert await agentos.get_memory(made.memory_id) == await agentos.get_memory(made.memory_id, user_id=user) == made
    page = await agentos.list_memories(user_id=user, topics=["drinks"], search_content="TEA")
    assert (page.data, page.meta.total_count) == ([made], 1)
    assert {each.memory_id for each in (await agentos.list_memories(user_id=user)).data} == {
        made.memory_id,
        other.memory_id,
    }
    assert await agentos.get_memory_topics(user_id=user) == ["drinks", "food"]
    stats = await agentos.get_user_memory_stats(user_id=user)
    assert [(each.user_id, each.total_memories) for each in stats.data] == [(user, 2)]
    assert user in [each.user_id for each in (await agentos.get_user_memory_stats()).data]

    changed = await agentos.update_memory(made.memory_id, "likes coffee", user)
    assert (changed.memory, changed.topics, changed.memory_id) == ("likes coffee", [], made.memory_id)
    await agentos.delete_memory(made.memory_id, user_id=user)
    await agentos.delete_memories([made.memory_id, other.memory_id], user_id=user)
    assert (await agentos.list_memories(user_id=user)).data == []


async def test_memories_are_said_in_one(agentos, fresh_id):
    user = f"user-{fresh_id}"
    for text in ("likes tea", "asked once: what did I say?"):
        await agentos.create_memory(text, user)

    shown = await agentos.optimize_memories(user_id=user, apply=False)
    assert (shown.memories_before, shown.memories_after) == (2, 1)
    assert [each.memory for each in shown.memories] == ["You have not said anything before."]
    assert len((await agentos.list_memories(user_id=user)).data) == 2
    done = await agentos.optimize_memories(user_id=user)
    assert (await agentos.list_memories(user_id=user)).data == done.memories
