"""Which functions have the variables of the components, and when: in a process of their own, against a local cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from agentos_lambda.aws.functions import engines
from tests.cloud import REGION, tenant
from tests.manifest import LAYERS_PATH

COMPONENTS = """
import os
from agno.agent import Agent
from agentos_lambda import DemoModel
agents = [Agent(id="a", model=DemoModel(), description=os.environ["TOOL_KEY"])]
teams, workflows = [], []
"""
ENGINE = """
import sys
from agentos_lambda.aws.functions import engines
from agentos_lambda.aws.runtime.recycle import recycle_due
from agentos_lambda.aws.settings import Settings
assert engines.engine_at_once() is None
engines.load_engine_at_start(Settings.from_environment())
assert "agno.agent" in sys.modules
print("started")
engine = engines.engine()
print(engine._components.agents[0].description, engines.engine() is engines.engine_at_once() is engine, recycle_due())
"""
CHANGING = """
import json, os
import boto3
from agentos_lambda.aws import component_variables
from agentos_lambda.aws.functions import engines
from agentos_lambda.aws.runtime.recycle import recycle_due, recycle_now
from agentos_lambda.runs.clock import SystemClock
def look(wait):
    clock.waited += wait
    engines.engine_at_once() or engines.engine()
    print("changed" if recycle_due() else "unchanged", flush=True)
class Clock(SystemClock):
    waited = 0
    def now(self):
        return super().now() + self.waited
clock = Clock()
engines.SystemClock = lambda: clock
print(engines.engine()._components.agents[0].description, flush=True)
boto3.client("secretsmanager").put_secret_value(
    SecretId=os.environ["COMPONENTS_SECRET"], SecretString=json.dumps({"TOOL_KEY": "new"})
)
look(component_variables.FRESH_MS - 60_000)
if os.environ["TOOL_KEY"] == "old":
    look(60_000)
    recycle_now()
"""
"""Both what an invocation does in an environment that runs, and what its successor does."""
JUDGES = """
from agentos_lambda.aws.functions import engines
print(engines.judging_engine()._components.agents)
"""


@pytest.fixture
def variables(cloud_url: str, tmp_path: Path) -> dict[str, str]:
    """Of a process that finds the components and the cloud."""
    components = tmp_path / "file.py"
    components.write_text(COMPONENTS)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PYTHONPATH": LAYERS_PATH,
        "AGENTOS_COMPONENTS": str(components),
        "AWS_ENDPOINT_URL": cloud_url,
        "AWS_ACCESS_KEY_ID": tenant(),
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": REGION,
    }


def secrets(variables: dict[str, str]) -> Any:
    return boto3.Session(
        region_name=REGION, aws_access_key_id=variables["AWS_ACCESS_KEY_ID"], aws_secret_access_key="nothing"
    ).client("secretsmanager", endpoint_url=variables["AWS_ENDPOINT_URL"])


def process(program: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=variables)


def test_what_runs_components_reads_the_secret_before_it_imports_them(variables: dict[str, str]) -> None:
    arn = secrets(variables).create_secret(Name="s", SecretString=json.dumps({"TOOL_KEY": "k3y"}))["ARN"]
    done = process(ENGINE, variables | {"COMPONENTS_SECRET": arn, "LOAD_COMPONENTS": "at-start"})

    assert done.stdout == "started\nk3y True False\n", done.stderr


def test_a_process_that_runs_reads_a_change_after_five_minutes_and_starts_over_with_it(
    variables: dict[str, str],
) -> None:
    arn = secrets(variables).create_secret(Name="s", SecretString=json.dumps({"TOOL_KEY": "old"}))["ARN"]
    done = process(CHANGING, variables | {"COMPONENTS_SECRET": arn})

    assert done.stdout.split() == ["old", "unchanged", "changed", "new", "unchanged"], done.stderr


def test_what_runs_none_judges_decisions_without_secret_and_components(variables: dict[str, str]) -> None:
    done = process(JUDGES, variables)

    assert done.stdout == "()\n", done.stderr


def test_without_the_variable_the_error_of_a_run_names_the_place(variables: dict[str, str]) -> None:
    arn = secrets(variables).create_secret(Name="s")["ARN"]
    done = process(ENGINE, variables | {"COMPONENTS_SECRET": arn, "LOAD_COMPONENTS": "at-start"})

    assert done.stdout == "started\n"
    assert done.stderr.splitlines()[-1].endswith("file.py:5: KeyError: 'TOOL_KEY'")


@pytest.mark.parametrize("changed", [True, False])
def test_a_process_starts_over_when_the_variables_have_changed(monkeypatch: pytest.MonkeyPatch, changed: bool) -> None:
    class Variables:
        def changed(self) -> bool:
            return changed

    retired: list[bool] = []
    monkeypatch.setattr(engines, "_engine", lambda: "engine")
    monkeypatch.setattr(engines, "_variables", Variables)
    monkeypatch.setattr(engines, "recycle_soon", lambda: retired.append(True))

    assert engines.engine() == "engine"
    assert bool(retired) is changed
