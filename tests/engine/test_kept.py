"""What agno would have kept in a database: kept here, or refused before anything runs."""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from agno.agent import Agent
from agno.approval import approval
from agno.compression.manager import CompressionManager
from agno.db.in_memory import InMemoryDb
from agno.eval.agent_as_judge import AgentAsJudgeEval
from agno.fs import FileSystem
from agno.fs.local import LocalFileSystem
from agno.knowledge.knowledge import Knowledge
from agno.learn import LearningMachine
from agno.media.storage import LocalMediaStorage
from agno.memory import MemoryManager
from agno.models.fallback import FallbackConfig
from agno.session import SessionSummaryManager
from agno.skills import Skills
from agno.team import Team
from agno.team.mode import TeamMode
from agno.tools import Toolkit, tool
from agno.tools.memory import MemoryTools
from agno.workflow import Step, Workflow, WorkflowAgent
from pydantic import BaseModel

from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.kept import DOMAINS, check_kept, replaced_databases, treatment
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.refusing_database import METHODS
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import engine_of, play, request_of


class Asked(BaseModel):
    text: str = ""


def note(text: str = "") -> str:
    return text


def hook() -> None:
    return None


async def tool_hook(function_name: str, function_call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return await function_call(**arguments)


def retrieve(query: str, **_: Any) -> list[dict[str, Any]]:
    return [{"content": query}]


def cache_key(**_: Any) -> str:
    return "key"


VALUES: dict[str, Callable[[], Any]] = {
    "model": DemoModel,
    "fallback_config": FallbackConfig,
    "fallback_models": lambda: [DemoModel()],
    "session_state": lambda: {"a": 1},
    "dependencies": lambda: {"a": 1},
    "metadata": lambda: {"a": 1},
    "db": InMemoryDb,
    "checkpoint": lambda: "tool-batch",
    "memory_manager": lambda: MemoryManager(model=DemoModel()),
    "session_summary_manager": lambda: SessionSummaryManager(model=DemoModel()),
    "compression_manager": lambda: CompressionManager(model=DemoModel()),
    "media_storage": lambda: LocalMediaStorage("/nowhere"),
    "knowledge": lambda: Knowledge(contents_db=InMemoryDb()),
    "knowledge_filters": lambda: {"a": 1},
    "knowledge_retriever": lambda: retrieve,
    "references_format": lambda: "yaml",
    "skills": lambda: Skills(loaders=[]),
    "tools": lambda: [note],
    "tool_choice": lambda: "auto",
    "tool_hooks": lambda: [tool_hook],
    "pre_hooks": lambda: [hook],
    "post_hooks": lambda: [hook],
    "reasoning_model": DemoModel,
    "reasoning_agent": lambda: Agent(name="thinker", model=DemoModel()),
    "parser_model": DemoModel,
    "output_model": DemoModel,
    "followup_model": DemoModel,
    "additional_input": lambda: ["before"],
    "input_schema": lambda: Asked,
    "output_schema": lambda: Asked,
    "events_to_skip": list,
    "debug_level": lambda: 2,
    "save_response_to_file": lambda: None,  # it writes a file
    "cache_callables": lambda: False,
    "callable_tools_cache_key": lambda: cache_key,
    "callable_knowledge_cache_key": lambda: cache_key,
    "callable_members_cache_key": lambda: cache_key,
    "sandbox": object,  # agno refuses it
    "members": lambda: [Agent(id="member", name="member", model=DemoModel())],
    "mode": lambda: TeamMode.coordinate,
    "steps": lambda: [Step(name="step", executor=lambda step_input: step_input.input)],
    "agent": lambda: WorkflowAgent(model=DemoModel()),
    "timezone_identifier": lambda: "Europe/Berlin",
    "datetime_format": lambda: "%Y",
    "add_location_to_context": lambda: False,  # it asks the network
    "debug_mode": lambda: False,  # it prints
}
"""A value for each setting whose default says nothing of what else it may be."""

REFUSED = {
    "learning", "compaction", "offload_tool_results", "filesystem", "knowledge",
}  # fmt: skip


def value_of(parameter: inspect.Parameter) -> Any:
    if parameter.name in VALUES:
        return VALUES[parameter.name]()
    if isinstance(parameter.default, bool):
        return not parameter.default
    if isinstance(parameter.default, int):
        return parameter.default + 1
    annotation = str(parameter.annotation)
    for word, value in (("bool", True), ("int", 1), ("str", "text")):
        if word in annotation:
            return value
    raise AssertionError(f"agno has a new setting, {parameter.name}: {annotation}")


BASES: dict[type[Any], dict[str, Callable[[], Any]]] = {
    Agent: {"model": DemoModel},
    Team: {"model": DemoModel, "members": VALUES["members"]},
    Workflow: {"steps": VALUES["steps"]},
}
SETTINGS = [
    pytest.param(kind, parameter, id=f"{kind.__name__}-{name}")
    for kind in BASES
    for name, parameter in inspect.signature(kind).parameters.items()
]


def made(kind: type[Any], **settings: Any) -> Any:
    return kind(**{"id": "one"} | {name: make() for name, make in BASES[kind].items()} | settings)


def served(component: Any) -> Components:
    name = f"{type(component).__name__.lower()}s"
    return Components(**{name: [component]})


@pytest.mark.parametrize(("kind", "setting"), SETTINGS)
def test_no_setting_that_needs_what_is_not_kept_starts_without_an_error(
    kind: type[Any], setting: inspect.Parameter
) -> None:
    value = value_of(setting)
    try:
        component = made(kind, **{setting.name: value})
    except NotImplementedError:
        assert setting.name == "sandbox"
        return
    if setting.name in REFUSED:
        with pytest.raises(ComponentsError, match=rf"^The {kind.__name__.lower()} 'one': {setting.name}\b"):
            check_kept(served(component))
        return
    check_kept(served(component))

    played = play(engine_of(component), request_of(f"{kind.__name__.lower()}/{component.id}", '{"text": "call note"}'))

    assert "not kept here" not in (played.outcome.error or "")


@pytest.mark.parametrize("setting", sorted(REFUSED - {"knowledge"}))
def test_a_setting_that_is_off_is_not_refused(setting: str) -> None:
    check_kept(served(made(Agent, **{setting: None})))


def test_the_manifest_is_not_made_of_what_is_refused() -> None:
    member = Agent(id="writer", model=DemoModel(), learning=True)
    team = Team(id="newsroom", model=DemoModel(), members=[member])

    with pytest.raises(ComponentsError) as caught:
        describe_components(Components(teams=[team]))

    assert str(caught.value) == (
        "The team 'newsroom': its agent 'writer': learning needs what was learned, which nothing keeps here "
        "(docs/components.md says what is kept)"
    )


@tool(requires_confirmation=True)
@approval
def pay(amount: int = 1) -> str:
    return f"paid {amount}"


class Payments(Toolkit):
    def __init__(self) -> None:
        super().__init__(name="payments", tools=[pay])


BROUGHT = {
    "approval": ({"tools": [pay]}, "the tool 'pay' needs approvals"),
    "approval in a toolkit": ({"tools": [note, Payments()]}, "the tool 'pay' needs approvals"),
    "approval alone": ({"tools": [approval(lambda: "")]}, "the tool '<lambda>' needs approvals"),
    "toolkit": ({"tools": [MemoryTools(db=InMemoryDb())]}, "tools[0].db is a InMemoryDb of its own"),
    "evaluation": (
        {"post_hooks": [AgentAsJudgeEval(criteria="kind", model=DemoModel(), db=InMemoryDb())]},
        "post_hooks[0].db is a InMemoryDb of its own",
    ),
    "learning": ({"learning": LearningMachine(db=InMemoryDb())}, "learning needs what was learned"),
    "files": ({"filesystem": FileSystem(LocalFileSystem("/nowhere"))}, "filesystem needs files of agents"),
    "knowledge": ({"knowledge": Knowledge(contents_db=InMemoryDb())}, "knowledge.contents_db is a InMemoryDb"),
    "reasoning agent": (
        {"reasoning_agent": Agent(name="thinker", model=DemoModel(), learning=True)},
        "its agent 'thinker': learning needs what was learned",
    ),
}


@pytest.mark.parametrize("case", BROUGHT)
def test_what_lies_deeper_in_a_component_is_refused_too(case: str) -> None:
    settings, why = BROUGHT[case]

    with pytest.raises(ComponentsError) as caught:
        check_kept(served(made(Agent, **settings)))

    assert str(caught.value).startswith(f"The agent 'one': {why}")


def test_tracing_to_a_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The exporter of agno needs packages that only its users install.
    module: Any = ModuleType("agno.tracing.exporter")
    module.DatabaseSpanExporter = type("DatabaseSpanExporter", (), {})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    check_kept(Components())
    exporter = module.DatabaseSpanExporter()

    with pytest.raises(ComponentsError, match=r"^setup_tracing: traces are not kept here"):
        check_kept(Components())
    del exporter


@pytest.mark.parametrize("stream", [True, False])
def test_a_run_fails_that_has_something_kept_by_what_only_a_run_shows(stream: bool) -> None:
    agent = made(Agent, tools=lambda: [pay])

    played = play(engine_of(agent), request_of("agent/one", "call pay", stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "agno's database was asked to create approval, and that is not kept here"
    assert "RunPaused" not in played.names


def test_a_component_with_a_database_of_its_own_runs_on_the_bundles_and_that_is_said() -> None:
    member = Agent(id="writer", model=DemoModel(), db=InMemoryDb())
    team = Team(id="newsroom", model=DemoModel(), members=[member], db=InMemoryDb())
    own = Agent(id="own", model=DemoModel(), db=InMemoryDb())
    plain = Agent(id="plain", model=DemoModel())
    components = Components(agents=[own, plain], teams=[team])

    document = describe_components(components)

    assert document["replaced_databases"] == [
        "The agent 'own' runs on the bundle's own database, not on its InMemoryDb",
        (
            "The team 'newsroom' runs on the bundle's own database, not on its InMemoryDb, "
            "InMemoryDb of its agent 'writer'"
        ),
    ]
    assert {agent["detail"]["db_id"] for agent in document["agents"]} == {"agentos-lambda"}
    assert replaced_databases(Components(agents=[plain])) == []


def test_each_method_of_agnos_databases_is_in_one_domain() -> None:
    found = sorted(method for domain in DOMAINS for method in domain.all_methods)

    assert found == list(METHODS)
    assert {method for method in METHODS if treatment(method) == "kept"} == {
        "get_session",
        "get_sessions",
        "upsert_session",
        "upsert_run",
        "get_user_memories",
        "get_user_memory",
        "get_all_memory_topics",
        "upsert_user_memory",
        "delete_user_memory",
        "delete_user_memories",
        "clear_memories",
    }
