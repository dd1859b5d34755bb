"""What `make house` counts, and what it finds wrong, in a project that is made for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import ROOT

PACKAGE = "layers/agentos_lambda/agentos_lambda"
SPLIT = "can " + "not"
TEST = "import pytest\n\ndef test_a():\n    assert 1\n    with pytest.raises(ValueError):\n        int('x')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One that misses no goal."""
    files = {
        f"{PACKAGE}/__init__.py": "",
        f"{PACKAGE}/a.py": "from agentos_lambda import b\n",
        f"{PACKAGE}/b.py": "VALUE = 1\n\n\ndef value():\n    return VALUE\n",
        "local/__init__.py": "",
        "local/run.py": "import agentos_lambda.a\n",
        "page/src/main.js": 'import { A } from "./run/a.js";\n',
        "page/src/run/a.js": '/** @import {B} from "./b.js" */\nexport class A {}\n',
        "page/src/run/b.js": "export class B {}\n",
        "tests/test_a.py": TEST,
        "README.md": "It cannot be wrong.\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def house(project: Path, *options: str) -> tuple[int, str]:
    """Exit status and output."""
    command = [sys.executable, "-m", "scripts.house", *options, str(project)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_files_tests_and_assertions_are_counted(project: Path) -> None:
    status, printed = house(project)
    assert f"    2       3        5  {PACKAGE} (b.py)\n" in printed
    assert "\n2 assertions\n1 tests\n" in printed
    assert "\n0 goals missed\n" in printed
    assert status == 0


def test_a_circle_through_a_function_is_found(project: Path) -> None:
    with (project / PACKAGE / "b.py").open("a") as file:
        file.write("\n\ndef late():\n    from agentos_lambda import a\n    return a\n")
    status, printed = house(project, "--no-tests")
    assert "  circle: agentos_lambda.a - agentos_lambda.b\n" in printed
    assert status == 1
    assert house(project, "--goals") == (1, "\n1 goals missed\n  circle: agentos_lambda.a - agentos_lambda.b\n")


def test_a_circle_of_the_pages_modules_is_found_if_it_is_one_of_types_too(project: Path) -> None:
    with (project / "page/src/run/b.js").open("a") as file:
        file.write('export { A } from "../run/a.js";\n')
    assert house(project, "--goals") == (1, "\n1 goals missed\n  circle: page/src/run/a.js - page/src/run/b.js\n")


def test_a_file_of_more_than_300_lines_is_found_but_not_among_the_tests(project: Path) -> None:
    for path in (f"{PACKAGE}/long.py", "page/src/long.js", "page/src/long.css"):
        (project / path).write_text("\n" * 301)
    (project / "page/tests").mkdir()
    (project / "page/tests/long.test.js").write_text("\n" * 301)
    (project / "tests/test_long.py").write_text("\n" * 301)
    status, printed = house(project, "--no-tests")
    assert "\n3 goals missed\n" in printed
    for path in (f"{PACKAGE}/long.py", "page/src/long.css", "page/src/long.js"):
        assert f"  {path} has 301 lines\n" in printed
    assert status == 1


@pytest.mark.parametrize(
    "text", [f"It {SPLIT} be.", f"# It {SPLIT[:3]}\n# not be.", f"def test_it_{SPLIT[:3]}_not_be(): ..."]
)
def test_two_words_for_one_are_found_in_prose_comments_and_names(project: Path, text: str) -> None:
    (project / "README.md").write_text(text)
    (project / ".venvs").mkdir()
    (project / ".venvs/theirs.md").write_text(text)
    status, printed = house(project, "--no-tests")
    assert '\n1 "cannot" in two words\n  README.md:1\n' in printed
    assert status == 1


def test_long_functions_and_wide_constructors_are_found(project: Path) -> None:
    body = "".join(f"        x{number} = 1\n" for number in range(45))
    wide = ", ".join(f"p{number}" for number in range(10))
    source = f"class Engine:\n    def __init__(self, {wide}):\n        pass\n\n    def run(self):\n{body}"
    (project / PACKAGE / "engine.py").write_text(source)
    status, printed = house(project, "--no-tests")
    assert f"\n1 functions over 45 lines\n  46 {PACKAGE}/engine.py: Engine.run\n" in printed
    assert f"\n1 constructors with more than 9 parameters\n  10 {PACKAGE}/engine.py: Engine\n" in printed
    assert f"  {PACKAGE}/engine.py: Engine.run has 46 lines\n" in printed
    assert f"  {PACKAGE}/engine.py: Engine has 10 parameters\n" in printed
    assert status == 1
