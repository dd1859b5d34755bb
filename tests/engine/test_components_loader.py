import os
import sys
from pathlib import Path

import pytest

from agentos_lambda.engine.components.loader import load_components
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.protocol.values import Kind

EMPTY = "agents = []\nteams = []\nworkflows = []\n"


@pytest.fixture
def written(tmp_path: Path) -> object:
    def write(text: str) -> str:
        path = tmp_path / "components.py"
        path.write_text(text)
        return os.fspath(path)

    return write


def error_of(path: str) -> str:
    with pytest.raises(ComponentsError) as caught:
        load_components(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_samples_are_found_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTOS_COMPONENTS", raising=False)

    components = load_components()

    assert [agent.id for agent in components.agents] == ["assistant", "clerk", "companion"]
    assert [team.id for team in components.teams] == ["newsroom", "press-office"]
    assert [workflow.id for workflow in components.workflows] == ["letter", "newsletter"]


def test_a_file_is_named_by_a_variable(written: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AGENTOS_COMPONENTS", written("from agno.agent import Agent\n" + EMPTY + "agents = [Agent(id='a')]")
    )

    assert [agent.id for agent in load_components().agents] == ["a"]


def test_lists_may_be_empty(written: object) -> None:
    assert [len(load_components(written(EMPTY)).all(kind)) for kind in Kind] == [0, 0, 0]


def test_an_id_is_made_of_the_name_as_agno_does(written: object) -> None:
    path = written(EMPTY + "from agno.agent import Agent\nagents = [Agent(name='My First_Agent')]")

    components = load_components(path)

    assert components.find(Kind.AGENT, "my-first-agent") is components.agents[0]
    assert components.find(Kind.TEAM, "my-first-agent") is None


def test_a_missing_file_is_told() -> None:
    assert error_of("/nowhere/components.py") == "/nowhere/components.py: there is no such file"


def test_a_missing_module_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentos_lambda.engine.components.loader.MODULE", "no_such_components")
    monkeypatch.delenv("AGENTOS_COMPONENTS", raising=False)

    with pytest.raises(ComponentsError, match="no module 'no_such_components'"):
        load_components()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agents = [\n)", ":2: closing parenthesis"),
        ("import os\nimport no_such_package", ":2: ModuleNotFoundError: No module named 'no_such_package'"),
        ("import no_such_package", " (a package that is missing goes into layers/components/requirements.txt)"),
        ("x = 1\ny = x / 0", ":2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(1)", ":1: SystemExit: 1"),
        ("raise ValueError", ":1: ValueError:"),
        ("raise ValueError('over\\n two lines')", ":1: ValueError: over two lines"),
        ("agents = []\nworkflows = []", ": 'teams' is missing"),
        ("agents = None\nteams = []\nworkflows = []", ": 'agents' is of type NoneType, not a list"),
        (EMPTY + "agents = ['x']", ": agents[0] is of type str, not Agent"),
        (EMPTY + "from agno.team import Team\nagents = [Team(id='t', members=[])]", "is of type Team, not Agent"),
        (EMPTY + "from agno.agent import Agent\nagents = [Agent()]", ": agents[0] has neither an id nor a name"),
        (EMPTY + "from agno.agent import Agent\nagents = [Agent(id='a/b')]", ": agents[0]: the id 'a/b' is not 1 to"),
        (
            EMPTY + "from agno.agent import Agent\nagents = [Agent(name='É')]",
            "the id 'é', made from the name 'É', is not",
        ),
        (EMPTY + "from agno.agent import Agent\nagents = [Agent(id='a' * 129)]", "1 to 128 of the characters"),
        (
            EMPTY + "from agno.agent import Agent\nagents = [Agent(id='my-a'), Agent(name='My A')]",
            "agents[1]: the id 'my-a'",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_file(written: object, text: str, expected: str) -> None:
    path = written(text)
    told = error_of(path)

    assert told.startswith(path)
    assert expected in told


def test_a_misspelled_name_is_no_missing_package(written: object) -> None:
    assert error_of(written("from json import dumpz")).endswith("/json/__init__.py)")


def test_a_model_that_cannot_be_had_is_told(written: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOS_MODEL", "mistral:large")
    path = written("from agentos_lambda.engine.models.default import default_model\n\nmodel = default_model()")

    assert error_of(path).startswith(f"{path}:3: AGENTOS_MODEL=mistral:large: the package mistralai is missing")


def test_a_file_may_import_what_lies_beside_it(
    written: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_the_components.py").write_text("names = []")

    assert load_components(written("from beside_the_components import names\n" + EMPTY)).teams == []


def test_components_that_failed_may_be_mended(written: object) -> None:
    error_of(written("raise ValueError"))

    assert load_components(written(EMPTY)).agents == []


def test_a_name_may_be_used_once_per_kind(written: object) -> None:
    text = "from agno.agent import Agent\nfrom agno.team import Team\n" + EMPTY
    components = load_components(written(text + "agents = [Agent(id='x')]\nteams = [Team(id='x', members=[])]"))

    assert components.find(Kind.AGENT, "x") is not components.find(Kind.TEAM, "x")
