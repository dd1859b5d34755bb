"""What a run remembers of its user, and what it knows of them from earlier runs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.db.schemas.memory import UserMemory
from agno.memory import MemoryManager
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.memories import RunMemories
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.memories import DEFAULT_USER, MAX_BYTES, Memory, MemoryChange
from tests.engine.playing import Played, engine_of, play, request_of

TEA = 'call add_memory {"memory": "likes tea", "topics": ["drinks"]}'


class Remembered:
    """Memories of users, changed by what runs leave, as a store does it."""

    def __init__(self) -> None:
        self.memories: dict[tuple[str, str], Memory] = {}
        self.reads: list[str] = []

    def of(self, user_id: str) -> Sequence[Memory]:
        self.reads.append(user_id)
        return [memory for (owner, _), memory in self.memories.items() if owner == user_id]

    def texts(self, user_id: str = "ada") -> list[str]:
        return sorted(memory.text for memory in self.of(user_id))

    def apply(self, changes: Sequence[MemoryChange]) -> None:
        for change in changes:
            there = self.memories.pop((change.user_id, change.memory_id), None)
            assert change.counts(there)
            if change.memory is not None:
                self.memories[change.user_id, change.memory_id] = change.memory

    def play(self, component: Any, message: str, **request: Any) -> Played:
        asked = request_of(f"{type(component).__name__.lower()}/{component.id}", message, **request)
        played = play(engine_of(component), replace(asked, memories=self.of))
        self.apply(played.outcome.memories)
        return played


@pytest.fixture
def remembered() -> Remembered:
    return Remembered()


def agent(**settings: Any) -> Agent:
    return Agent(**{"id": "agent", "name": "agent", "model": DemoModel()} | settings)


def context(played: Played) -> str:
    messages: list[dict[str, Any]] = played.outcome.output.run["messages"]
    return "".join(message["content"] for message in messages if message["role"] == "system")


@pytest.mark.parametrize("stream", [True, False])
def test_an_agent_remembers_its_user_in_another_session(remembered: Remembered, stream: bool) -> None:
    one = agent(update_memory_on_run=True)

    first = remembered.play(one, TEA, stream=stream)
    second = remembered.play(one, "hello", session_id="another", run_id="run-2", stream=stream)

    assert first.outcome.status is second.outcome.status is RunStatus.COMPLETED
    (memory,) = remembered.of("ada")
    assert (memory.text, memory.topics, memory.agent_id, memory.input) == ("likes tea", ("drinks",), "agent", TEA)
    assert "likes tea" not in context(first)
    assert "- likes tea" in context(second)


def test_a_run_without_a_user_remembers_the_default_user(remembered: Remembered) -> None:
    remembered.play(agent(update_memory_on_run=True), TEA, user_id=None)

    assert remembered.texts(DEFAULT_USER) == ["likes tea"]


def test_an_agent_that_only_knows_changes_nothing(remembered: Remembered) -> None:
    remembered.play(agent(update_memory_on_run=True), TEA)

    played = remembered.play(agent(add_memories_to_context=True), TEA)

    assert "- likes tea" in context(played)
    assert played.outcome.memories == ()


def test_nothing_is_read_for_an_agent_that_remembers_nothing(remembered: Remembered) -> None:
    remembered.play(agent(), "hello")

    assert remembered.reads == []


def asked_to(tool: str, **arguments: str) -> str:
    """A message that has the agent ask its memory manager for a change."""
    task = f"call {tool} {arguments}".replace("'", '\\"')
    return f'call update_user_memory {{"task": "{task}"}}'


def test_an_agent_changes_memories_when_it_is_asked_to(remembered: Remembered) -> None:
    manager = MemoryManager(model=DemoModel(), delete_memories=True, clear_memories=True)
    one = agent(enable_agentic_memory=True, memory_manager=manager)

    remembered.play(one, asked_to("add_memory", memory="likes tea"))
    (added,) = remembered.of("ada")
    remembered.play(one, asked_to("update_memory", memory_id=added.memory_id, memory="likes coffee"), run_id="run-2")
    (changed,) = remembered.of("ada")
    assert (changed.text, changed.memory_id, changed.created_at) == ("likes coffee", added.memory_id, added.created_at)
    assert changed.revision != added.revision
    remembered.play(one, asked_to("delete_memory", memory_id=added.memory_id), run_id="run-3")
    assert remembered.texts() == []

    remembered.play(one, asked_to("add_memory", memory="a"), run_id="run-4")
    remembered.play(one, asked_to("add_memory", memory="b"), run_id="run-5", user_id="bob")
    remembered.play(one, asked_to("clear_memory"), run_id="run-6")
    assert (remembered.texts("ada"), remembered.texts("bob")) == ([], ["b"])


def test_a_manager_has_a_model_of_its_own_and_its_template_stays_as_it_was(remembered: Remembered) -> None:
    own, bare = MemoryManager(model=DemoModel(), db=InMemoryDb()), MemoryManager()
    one = agent(model=DemoModel(), memory_manager=own, update_memory_on_run=True)
    two = agent(memory_manager=bare, update_memory_on_run=True)
    database = own.db

    remembered.play(one, TEA)
    remembered.play(two, TEA.replace("tea", "milk"), run_id="run-2")

    assert remembered.texts() == ["likes milk", "likes tea"]
    assert (own.db, bare.db, bare.model) == (database, None, None)
    assert database.get_user_memories() == []


def test_a_team_and_its_members_remember(remembered: Remembered) -> None:
    member = agent(id="writer", name="writer", update_memory_on_run=True)
    team = Team(id="team", name="team", model=DemoModel(), members=[member], update_memory_on_run=True)

    remembered.play(team, TEA)
    remembered.play(team, f"ask writer: {TEA.replace('tea', 'milk')}", run_id="run-2")

    found = {(memory.text, memory.team_id, memory.agent_id) for memory in remembered.of("ada")}
    assert found == {("likes tea", "team", None), ("likes milk", None, "writer")}


def test_an_agent_in_a_workflow_remembers(remembered: Remembered) -> None:
    step = Step(name="step", agent=agent(update_memory_on_run=True))

    remembered.play(Workflow(id="flow", name="flow", steps=[step]), TEA)

    assert remembered.texts() == ["likes tea"]


def test_a_run_fails_if_the_memories_cannot_be_read() -> None:
    def unavailable(user_id: str) -> Sequence[Memory]:
        raise StoreUnavailable("The store did not answer.")

    request = replace(request_of("agent/agent", TEA), memories=unavailable)
    played = play(engine_of(agent(update_memory_on_run=True, add_memories_to_context=False)), request)

    assert (played.outcome.status, played.outcome.memories) == (RunStatus.ERROR, ())
    assert played.outcome.error == "The memories of the user could not be read"


def run_database(remembered: Remembered) -> RunDatabase:
    memories = RunMemories(remembered.of, "ada")
    return RunDatabase("run-1", Kind.AGENT, "agent", None, memories=memories)  # type: ignore[abstract]


def test_a_run_reads_its_own_writes_and_they_are_one_change_each(remembered: Remembered) -> None:
    remembered.play(agent(update_memory_on_run=True), TEA)
    database = run_database(remembered)

    async def run() -> None:
        (tea,) = await database.get_user_memories("ada")
        added = await database.upsert_user_memory(UserMemory("likes milk", user_id="ada", topics=["cows"]))
        assert added is not None
        await database.upsert_user_memory(UserMemory("likes rice", memory_id=tea.memory_id, user_id="ada"))
        await database.upsert_user_memory(UserMemory("likes noodles", memory_id=tea.memory_id, user_id="ada"))
        assert await database.get_user_memory(tea.memory_id) is not None
        assert [each.memory for each in await database.get_user_memories("ada")] == ["likes noodles", "likes milk"]
        assert [each.memory for each in await database.get_user_memories(topics=["COWS"])] == ["likes milk"]
        assert [each.memory for each in await database.get_user_memories(limit=1, page=2)] == ["likes milk"]
        assert await database.get_all_memory_topics() == ["cows"]
        rows, total = await database.get_user_memories(search_content="MILK", deserialize=False)
        assert ([row["memory"] for row in rows], total) == (["likes milk"], 1)
        gone = await database.upsert_user_memory(UserMemory("forgotten", user_id="ada"))
        await database.delete_user_memories([gone.memory_id], "ada")

    asyncio.run(run())

    changes = database.memories.changes()
    assert [(change.seen is None, change.memory and change.memory.text) for change in changes] == [
        (False, "likes noodles"),
        (True, "likes milk"),
    ]
    remembered.apply(changes)
    assert remembered.texts() == ["likes milk", "likes noodles"]


@pytest.mark.parametrize(
    "memory",
    [
        UserMemory("text", memory_id=""),
        UserMemory("text", memory_id="a\nb"),
        UserMemory("text", memory_id="é" * 257),
        UserMemory("é" * (MAX_BYTES // 2)),
    ],
    ids=["no id", "a line break", "a long id", "a long text"],
)
def test_a_memory_that_cannot_be_stored_is_refused_at_once(remembered: Remembered, memory: UserMemory) -> None:
    database = run_database(remembered)

    with pytest.raises(ValueError, match="memory"):
        asyncio.run(database.upsert_user_memory(memory))

    assert database.memories.changes() == ()
