"""What a developer's shell has set stays outside."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.process import IMPORT_PATH, ROOT, is_foreign

SHELL = {
    "AWS_PROFILE": "mine",
    "AWS_ACCESS_KEY_ID": "mine",
    "AGENTOS_MODEL": "openai:gpt",
    "OPENAI_API_KEY": "mine",
    "OS_SECURITY_KEY": "mine",
    "LOG_LEVEL": "DEBUG",
    "MAKEFLAGS": "-n",
    "PYTHONWARNINGS": "ignore",
}


@pytest.mark.parametrize("variable", SHELL)
def test_what_leads_to_an_account_a_key_or_an_interpreter_is_foreign(variable: str) -> None:
    assert is_foreign(variable)


@pytest.mark.parametrize("variable", ["PATH", "HOME", "TMPDIR", "DOCKER_HOST", "SEED", "LANG"])
def test_what_processes_need_to_run_is_not(variable: str) -> None:
    assert not is_foreign(variable)


def test_no_test_sees_anything_foreign() -> None:
    """This test again, as a process of a shell that has set all of it."""
    test = f"{__file__}::test_the_environment_holds_nothing_foreign"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={**os.environ, **SHELL},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_the_environment_holds_nothing_foreign() -> None:
    set_here = {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"}
    assert {name for name in os.environ if is_foreign(name)} <= set_here


def test_the_import_path_leads_to_the_package_and_the_project() -> None:
    program = "import agentos_lambda, local, tests; print(agentos_lambda.__file__)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": IMPORT_PATH}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.startswith(str(ROOT))
