"""Databases that a components file names, and that nothing uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifest import LAYERS_PATH

HEAD = """
import sys
from agentos_lambda.engine.components.loader import load_components
components = load_components({path!r})
"""
FILE = """
from agno.agent import Agent
from agno.db.postgres import AsyncPostgresDb
from agno.db.sqlite import SqliteDb
from agentos_lambda import DemoModel

database = SqliteDb(db_file="{folder}/made.db", id="mine", session_table="own")
agents = [
    Agent(id="a", model=DemoModel(), db=database),
    Agent(id="b", model=DemoModel(), db=AsyncPostgresDb(db_url="postgresql+psycopg://nowhere/none")),
]
teams = []
workflows = []
"""


def run(tmp_path: Path, program: str, file: str = FILE) -> str:
    path = tmp_path / "components.py"
    path.write_text(file.format(folder=tmp_path))
    environment = {**os.environ, "PYTHONPATH": LAYERS_PATH}
    command = [sys.executable, "-c", HEAD.format(path=os.fspath(path)) + program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_database_that_is_only_named_is_not_imported_and_not_made(tmp_path: Path) -> None:
    printed = run(
        tmp_path,
        "a, b = components.agents\n"
        "print(type(a.db).__name__, a.db.id, a.db.session_table_name, type(b.db).__name__)\n"
        "print(sorted(name for name in sys.modules if name.startswith(('agno.db.sqlite', 'agno.db.postgres'))))\n",
    )

    assert printed.splitlines() == ["SqliteDb mine own AsyncPostgresDb", "[]"]
    assert not (tmp_path / "made.db").exists()


def test_after_the_components_are_loaded_an_import_gives_the_database_itself(tmp_path: Path) -> None:
    printed = run(tmp_path, "from agno.db.in_memory import InMemoryDb\nprint(InMemoryDb().get_sessions())\n")

    assert printed == "[]"


def test_a_database_that_a_component_uses_itself_is_made(tmp_path: Path) -> None:
    file = (
        "from agno.db.in_memory import InMemoryDb\n"
        "database = InMemoryDb()\n"
        "agents = teams = workflows = []\n"
        "found = database.get_sessions(), database.id, type(database._real).__module__\n"
    )

    printed = run(tmp_path, "print(*sys.modules['agentos_components'].found)\n", file)

    sessions, _, module = printed.split(" ")
    assert (sessions, module) == ("[]", "agno.db.in_memory.in_memory_db")


@pytest.mark.parametrize("statement", ["from agno.db.sqlite import nothing", "import agno.db.none"])
def test_what_does_not_exist_is_missing(tmp_path: Path, statement: str) -> None:
    file = f"try:\n    {statement}\nexcept ImportError:\n    agents = teams = workflows = []\n"

    assert run(tmp_path, "print(len(components.agents))\n", file) == "0"
