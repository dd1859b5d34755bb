"""`make deploy`, `make url` and `make key`: what they ask of sam and of AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts import stack
from scripts.deploy import overrides
from tests.cloud import tenant
from tests.stack.translation import ROOT, source

PARSES = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))
"""
BUILT_FOR = {"Architecture": {"Default": "x86_64"}, "Runtime": {"Default": "python3.14"}}


def as_sam_reads(given: list[str]) -> dict[str, str]:
    python = ROOT / ".venvs/sam/bin/python"
    done = subprocess.run([python, "-c", PARSES, *given], capture_output=True, text=True, check=True)
    values: dict[str, str] = json.loads(done.stdout)
    return values


@pytest.mark.parametrize(
    "configured",
    [
        "LogRetention=90 AlarmEmail=ops@example.com Architecture=arm64",
        ["LogRetention=90", {"AlarmEmail": "ops@example.com"}, "Architecture=arm64"],
        {"LogRetention": 90, "AlarmEmail": "ops@example.com"},
    ],
)
def test_a_stack_that_exists_gets_the_target_that_was_built_for_beside_what_is_configured(configured: Any) -> None:
    assert as_sam_reads(overrides(configured, BUILT_FOR)) == {
        "LogRetention": "90",
        "AlarmEmail": "ops@example.com",
        "Architecture": "x86_64",
        "Runtime": "python3.14",
    }


def test_without_a_configured_value_only_the_target_is_named() -> None:
    named = as_sam_reads(overrides(None, source()["Parameters"]))
    assert named.keys() == {"Architecture", "Runtime"}


def test_sam_is_started_with_these_overrides(tmp_path: Path) -> None:
    """With a stand-in for sam beside the interpreter."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "sam").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (programs / "sam").chmod(0o755)
    done = subprocess.run(
        [programs / "python", "-m", "scripts.deploy", "--config-env", "prod"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "deploy",
        "--config-env",
        "prod",
        "--parameter-overrides",
        "DeletionProtection=true LogRetention=90",
        *(f"{name}={source()['Parameters'][name]['Default']}" for name in ("Architecture", "Runtime")),
    ]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials, but no region and no file of the user's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    config = {"stack_name": "mine"}
    monkeypatch.setattr(stack, "deployment", lambda _environment: config)
    return config


@pytest.mark.usefixtures("account", "configured")
def test_a_missing_region_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert stack.main(["url"]) == 1
    assert capsys.readouterr().err == "You must specify a region.\n"


@pytest.mark.usefixtures("account", "configured")
def test_a_missing_profile_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert stack.main(["url"]) == 1
    assert capsys.readouterr().err == "The config profile (nobody) could not be found\n"


@pytest.fixture
def cloudformation(account: None, configured: dict[str, Any], cloud_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    configured["region"] = "eu-north-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud_url)
    key = tenant()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    # Not boto3's default session: that keeps the credentials of whoever asked it first.
    return boto3.Session(key, "not-checked", region_name="eu-north-1").client("cloudformation")


TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}


def test_the_stack_is_looked_for_where_samconfig_has_it_deployed(
    cloudformation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"Resources": TOPIC, "Outputs": {"HttpUrl": {"Value": "https://one.example.com/v1"}}}
    cloudformation.create_stack(StackName="mine", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="mine", WaiterConfig={"Delay": 1})
    assert stack.main(["url"]) == 0
    assert capsys.readouterr().out == "https://one.example.com/v1\n"


def test_a_stack_whose_first_deployment_did_not_finish_is_reported(
    cloudformation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudformation.create_change_set(
        StackName="mine", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps({"Resources": TOPIC})
    )
    assert stack.main(["key"]) == 1
    assert capsys.readouterr().err == "The stack mine is REVIEW_IN_PROGRESS: it has no outputs.\n"
