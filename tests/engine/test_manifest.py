import asyncio
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from agno.agent import Agent
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.components.build_manifest import describe_components, main
from agentos_lambda.engine.components.history import history_runs
from agentos_lambda.engine.components.loader import Components, load_components
from agentos_lambda.engine.components.manifest import Manifest, ManifestError
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject, Kind
from tests.manifest import LAYERS_PATH


@pytest.fixture(scope="module")
def document(manifest: Path) -> JsonObject:
    return json.loads(manifest.read_text())


def test_reading_a_manifest_does_not_import_the_engine(manifest: Path) -> None:
    program = (
        "import sys\n"
        "from agentos_lambda.engine.components.manifest import Manifest\n"
        "from agentos_lambda.runs.model import Kind\n"
        "manifest = Manifest.load(lambda: sys.exit('it was made again'))\n"
        "assert manifest.find(Kind.AGENT, 'assistant').name == 'Assistant'\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('agno', 'pydantic', 'components')])\n"
    )
    environment = {**os.environ, "PYTHONPATH": LAYERS_PATH, "AGENTOS_MANIFEST": os.fspath(manifest)}
    printed = subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True).stdout

    assert printed.decode().strip() == "[]"


def test_the_manifest_says_what_the_components_say(document: JsonObject) -> None:
    manifest, components = Manifest(document, {}), load_components()

    for kind in Kind:
        described = {component.id: component for component in manifest.all(kind)}
        assert list(described) == [component.id for component in components.all(kind)]
        for component in components.all(kind):
            entry = described[component.id]
            assert entry.name == entry.config["name"] == entry.listed["name"] == entry.detail["name"] == component.name
            assert entry.config["description"] == component.description
            assert list(entry.quick_prompts) == component.metadata["quick_prompts"]
            assert entry.history_runs == history_runs(component)
            assert manifest.find(kind, component.id) == entry
    assert manifest.find(Kind.AGENT, "nobody") is None


def test_a_built_manifest_tells_the_same_as_one_made_in_the_process(document: JsonObject) -> None:
    here, built = Manifest(describe_components(load_components()), {}), Manifest(document, {})

    assert [here.all(kind) for kind in Kind] == [built.all(kind) for kind in Kind]
    assert (here.models(), here.os_config(), here.engine_version()) == (
        built.models(),
        built.os_config(),
        built.engine_version(),
    )


def test_without_a_setting_the_demo_model_is_shown(document: JsonObject) -> None:
    manifest = Manifest(document, {})

    assert manifest.models() == [{"id": "demo", "provider": "Demo"}]
    agent = manifest.find(Kind.AGENT, "assistant")
    assert agent.config["model"] == {"id": "demo", "provider": "Demo"}
    assert agent.listed["model"] == agent.detail["model"] == {"name": "DemoModel", "model": "demo", "provider": "Demo"}


def test_the_running_configurations_model_is_shown_everywhere(document: JsonObject) -> None:
    manifest = Manifest(document, {"AGENTOS_MODEL": "aws-bedrock:amazon.nova-lite-v1:0"})

    model = {"id": "amazon.nova-lite-v1:0", "provider": "AwsBedrock"}
    assert manifest.models() == [model]
    assert manifest.find(Kind.TEAM, "newsroom").config["model"] == model
    member = manifest.find(Kind.TEAM, "newsroom").detail["members"][0]
    assert member["model"] == {"name": "AwsBedrock", "model": model["id"], "provider": "AwsBedrock"}
    assert "default_model" not in json.dumps([component.detail for kind in Kind for component in manifest.all(kind)])


def test_a_model_that_a_component_names_itself_stays(tmp_path: Path) -> None:
    source = (
        "from agno.agent import Agent\nfrom agno.team import Team\n"
        "from agentos_lambda.engine.models.demo import DemoModel\n"
        "member = Agent(id='m', model=DemoModel(id='member-model'))\n"
        "agents = [Agent(id='own', model=DemoModel(id='own-model'))]\n"
        "teams = [Team(id='t', model=DemoModel(id='own-model'), members=[member])]\nworkflows = []\n"
    )
    (tmp_path / "own.py").write_text(source)
    document = describe_components(load_components(os.fspath(tmp_path / "own.py")))
    manifest = Manifest(document, {"AGENTOS_MODEL": "aws-bedrock:x"})

    assert [model["id"] for model in manifest.models()] == ["own-model", "member-model"]


def test_changed_components_change_the_manifest(tmp_path: Path) -> None:
    def described(name: str, agents: str) -> list[str]:
        source = "from agno.agent import Agent\nfrom agentos_lambda.engine.models.default import default_model\n"
        (tmp_path / name).write_text(f"{source}agents = [{agents}]\nteams = []\nworkflows = []\n")
        document = describe_components(load_components(os.fspath(tmp_path / name)))
        return [component.id for component in Manifest(document, {}).all(Kind.AGENT)]

    assert described("one.py", "Agent(id='a', model=default_model())") == ["a"]
    assert described("two.py", "Agent(id='a', model=default_model()), Agent(id='b', model=default_model())") == [
        "a",
        "b",
    ]


def test_only_domains_with_routes_name_a_database(document: JsonObject) -> None:
    os_config = Manifest(document, {}).os_config()

    assert os_config["session"]["dbs"][0]["db_id"] == os_config["os_database"] == "agentos-lambda"
    assert [os_config[domain]["dbs"] for domain in ("metrics", "learning", "evals", "traces")] == [[]] * 4
    assert not {"agents", "teams", "workflows", "available_models"} & os_config.keys()


def test_the_engines_version_is_told(document: JsonObject) -> None:
    assert Manifest(document, {}).engine_version().startswith("3.1.")


def test_a_manifest_is_found_beside_the_components(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "components.py").write_text("raise ImportError('this must not be imported')")
    (tmp_path / "manifest.json").write_bytes(manifest.read_bytes())
    program = (
        "from agentos_lambda.engine.components.manifest import Manifest as M\nprint(M.load(dict).engine_version())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTOS_")}
    environment["PYTHONPATH"] = os.pathsep.join(["layers/agentos_lambda", os.fspath(tmp_path)])

    printed = subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True).stdout

    assert printed.decode().startswith("3.1.")


def test_without_a_manifest_one_is_made_even_within_a_running_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTOS_MANIFEST", raising=False)

    async def load() -> Manifest:
        return Manifest.load(describe_components)

    assert asyncio.run(load()).find(Kind.WORKFLOW, "letter") is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", "is not JSON"), ("[]", "is not a manifest"), ('{"version": 0}', "of version 1"), (None, "No such file")],
)
def test_a_manifest_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, expected: str
) -> None:
    path = tmp_path / "manifest.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("AGENTOS_MANIFEST", os.fspath(path))

    with pytest.raises(ManifestError, match=expected) as caught:
        Manifest.load(describe_components)
    assert str(caught.value).startswith(os.fspath(path))


def test_the_command_tells_what_is_wrong_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTOS_MODEL", "")
    (tmp_path / "broken.py").write_text("agents = []")
    arguments = ["--components", os.fspath(tmp_path / "broken.py"), "-o", os.fspath(tmp_path / "out.json")]

    assert main(arguments) == 2
    assert (
        capsys.readouterr().err == f"{tmp_path}/broken.py: 'teams' is missing: export a list of Team, it may be empty\n"
    )
    assert not (tmp_path / "out.json").exists()


def test_components_that_cannot_be_described_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith(("openai", "agno.models.openai"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "openai", None)  # as where it is not installed
    (tmp_path / "bare.py").write_text(
        "from agno.agent import Agent\nagents = [Agent(id='a')]\nteams = []\nworkflows = []\n"
    )

    with pytest.raises(
        ComponentsError,
        match=r"agent 'a' cannot be described: ImportError: `openai` not .* \(a: without a model it is OpenAI's",
    ):
        describe_components(load_components(os.fspath(tmp_path / "bare.py")))


def test_a_model_that_cannot_be_had_is_told_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.py").write_text("agents = teams = workflows = []\n")
    arguments = ["--components", os.fspath(tmp_path / "none.py"), "-o", os.fspath(tmp_path / "manifest.json")]

    monkeypatch.setenv("AGENTOS_MODEL", "nobody:at-all")
    assert main([*arguments, "--try-model"]) == 2
    assert capsys.readouterr().err.startswith("AGENTOS_MODEL=nobody:at-all: ")
    assert main(arguments) == 0


def test_quick_prompts_are_texts(tmp_path: Path) -> None:
    source = (
        "from agno.agent import Agent\nfrom agentos_lambda.engine.models.demo import DemoModel\n"
        "agents = [Agent(id='a', model=DemoModel(), metadata={'quick_prompts': 'hi'})]\nteams = []\nworkflows = []\n"
    )
    (tmp_path / "prompts.py").write_text(source)

    with pytest.raises(ComponentsError, match=r"a: metadata\['quick_prompts'\] is not a list of texts"):
        describe_components(load_components(os.fspath(tmp_path / "prompts.py")))


@pytest.mark.parametrize("variable", ["OS_SECURITY_KEY", "JWT_VERIFICATION_KEY", "JWT_JWKS_FILE"])
def test_a_key_in_the_environment_neither_hides_the_components_nor_is_lost(
    monkeypatch: pytest.MonkeyPatch, document: JsonObject, variable: str
) -> None:
    monkeypatch.setenv(variable, "k3y")
    described = describe_components()

    assert [agent["id"] for agent in described["agents"]] == [agent["id"] for agent in document["agents"]]
    assert os.environ[variable] == "k3y"


def needs_a_run(run_context: RunContext) -> str:
    return run_context.session_state["tone"]


async def needs_a_run_later(run_context: RunContext) -> str:
    return run_context.session_state["tone"]


def tools_of_a_run(run_context: RunContext) -> list[object]:
    return [run_context.dependencies["tool"]]


class NeedsARun:
    def __call__(self, run_context: RunContext) -> str:
        return run_context.session_state["tone"]


class NeedsARunLater:
    async def __call__(self, run_context: RunContext) -> str:
        return run_context.session_state["tone"]


UNDESCRIBED = {
    "instructions of an object": {"instructions": NeedsARun()},
    "asynchronous instructions of an object": {"instructions": NeedsARunLater()},
    "a function with arguments": {"system_message": partial(needs_a_run)},
    "tools of an object": {"tools": NeedsARun()},
    "instructions": {"instructions": needs_a_run},
    "asynchronous instructions": {"instructions": needs_a_run_later},
    "system message": {"system_message": needs_a_run},
    "tools": {"tools": tools_of_a_run},
}


def described_everywhere(**options: object) -> JsonObject:
    """The description of an agent with these options, of a team with it and of a workflow."""
    agent = Agent(id="a", name="A", model=DemoModel(), **options)
    team = Team(id="t", name="T", model=DemoModel(), members=[agent])
    workflow = Workflow(id="w", name="W", steps=[Step(name="s", agent=agent)])
    return describe_components(Components(agents=[agent], teams=[team], workflows=[workflow]))


@pytest.fixture(scope="module")
def bare() -> JsonObject:
    return described_everywhere()


@pytest.mark.parametrize("case", UNDESCRIBED)
def test_what_only_a_run_can_give_is_left_out_of_the_description(case: str, bare: JsonObject) -> None:
    assert described_everywhere(**UNDESCRIBED[case]) == bare


def test_knowledge_that_only_a_run_can_give_hides_no_component() -> None:
    agent = Agent(id="a", name="A", model=DemoModel(), knowledge=needs_a_run)

    (entry,) = describe_components(Components(agents=[agent]))["agents"]
    assert entry["detail"]["id"] == "a"


def test_instructions_that_can_be_had_are_described() -> None:
    agent = Agent(id="a", name="A", model=DemoModel(), instructions=lambda: "Be brief.")

    (entry,) = describe_components(Components(agents=[agent]))["agents"]
    assert entry["detail"]["system_message"]["instructions"] == "Be brief."


def test_a_teams_mode_may_be_text() -> None:
    team = Team(id="t", name="T", mode="route", model=DemoModel(), members=[Agent(id="a", model=DemoModel())])

    (entry,) = describe_components(Components(teams=[team]))["teams"]
    assert entry["detail"]["mode"] == "route"


def test_a_mode_that_is_none_is_told() -> None:
    team = Team(id="t", name="T", mode="shout", model=DemoModel(), members=[])

    with pytest.raises(ComponentsError, match=r"^t: the mode 'shout' is none of coordinate, route, broadcast, tasks$"):
        Components(teams=[team])


class Odd(Agent):
    def deep_copy(self, **_: object) -> Agent:
        raise RuntimeError("no copy\ntoday")


def test_the_component_that_cannot_be_described_is_named_with_the_cause_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    agents = [Agent(id="good", model=DemoModel()), Odd(id="odd", model=DemoModel())]

    with pytest.raises(ComponentsError, match=r"^The agent 'odd' cannot be described: RuntimeError: no copy today$"):
        describe_components(Components(agents=agents))
    assert capfd.readouterr() == ("", "")


def test_the_owner_of_a_component_says_whether_its_runs_are_durable(tmp_path: Path) -> None:
    agents = "Agent(id='a', model=DemoModel(), metadata={'durable': DURABLE}), Agent(id='b', model=DemoModel())"
    source = (
        "from agno.agent import Agent\nfrom agentos_lambda.engine.models.demo import DemoModel\n"
        f"agents = [{agents}]\nteams = []\nworkflows = []\n"
    )
    paths = {said: tmp_path / f"components_{said}.py" for said in ("True", "None")}
    for said, path in paths.items():
        path.write_text(source.replace("DURABLE", said))
    described = Manifest(describe_components(load_components(os.fspath(paths["True"]))))
    assert [component.durable for component in described.all(Kind.AGENT)] == [True, False]
    with pytest.raises(ComponentsError, match=r"a: metadata\['durable'\] is neither true nor false"):
        describe_components(load_components(os.fspath(paths["None"])))
