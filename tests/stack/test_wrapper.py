"""The program that AWS_LAMBDA_EXEC_WRAPPER names, run with a stand-in for the runtime's interpreter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.stack.translation import ROOT

WRAPPER = ROOT / "layers/agentos_lambda/bin/stream-wrapper"
STOCK = ("/var/runtime/bootstrap.py", "an argument with spaces")


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """Prints its arguments, then its import path, a line each."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$PYTHONPATH"\n')
    program.chmod(0o755)
    return program


def run(interpreter: Path, **environment: str) -> list[str]:
    done = subprocess.run(
        [WRAPPER, interpreter, *STOCK],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


def test_it_may_be_executed() -> None:
    assert os.access(WRAPPER, os.X_OK)


def test_it_starts_the_streaming_loop_with_the_runtimes_own_interpreter(interpreter: Path) -> None:
    assert run(interpreter)[:-1] == ["-m", "agentos_lambda.aws.runtime"]


def test_the_loop_finds_the_function_its_layers_and_the_runtimes_packages(interpreter: Path) -> None:
    layers = WRAPPER.parents[1] / "python"
    found = run(interpreter, LAMBDA_TASK_ROOT="/var/task", LAMBDA_RUNTIME_DIR="/var/runtime")[-1]
    assert found == f"/var/task:{layers}:/var/runtime"


def test_the_loop_finds_packages_in_a_layer_s_folder_of_its_python_version(interpreter: Path) -> None:
    layers = WRAPPER.parents[1] / "python"
    found = run(interpreter, AWS_EXECUTION_ENV="AWS_Lambda_python3.13")[-1]
    assert found == f"/var/task:{layers}:{layers}/lib/python3.13/site-packages:/var/runtime"


def test_a_further_wrapper_gets_the_command_and_the_function_s_handler(interpreter: Path, tmp_path: Path) -> None:
    further = tmp_path / "a wrapper"
    further.write_text('#!/bin/sh\n_HANDLER=other.handler\nexec "$@" "$AGENTOS_HANDLER" "$_HANDLER"\n')
    further.chmod(0o755)
    found = run(interpreter, AGENTOS_NEXT_WRAPPER=str(further), _HANDLER="app.handler")[:-1]
    assert found == ["-m", "agentos_lambda.aws.runtime", "app.handler", "other.handler"]


def test_an_import_path_that_is_set_is_kept(interpreter: Path) -> None:
    assert run(interpreter, PYTHONPATH="/opt/mine")[-1].endswith(":/opt/mine")


def test_under_sam_local_it_steps_aside(interpreter: Path) -> None:
    assert run(interpreter, AWS_SAM_LOCAL="true", PYTHONPATH="/var/runtime") == [*STOCK, "/var/runtime"]
