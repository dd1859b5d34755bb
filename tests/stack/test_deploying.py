"""`make deploy`, `make url` and `make key`: what they ask of sam and of AWS."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoRegionError

from scripts import models as built
from scripts import samconfig, stack
from scripts.account import Stack, Stuck, deployed
from scripts.deploy import kept_log_role, model_parameters, overrides
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


MAKES_STACK = """
import boto3
boto3.client("cloudformation", "us-east-1").create_stack(
    StackName="agentos-prod", TemplateBody="Resources: {Topic: {Type: AWS::SNS::Topic}}")
"""


@pytest.fixture
def deploy(tmp_path: Path, cloud_url: str) -> Callable[..., tuple[int, list[list[str]]]]:
    """Deploys a copy of the project that has been built, with a stand-in for sam beside the interpreter.

    Gives the exit status, and the arguments of each start of sam, which exits with ``status``, and makes the stack if
    somebody ``confirms``.
    """
    programs, manifest = tmp_path / "bin", tmp_path / ".aws-sam/build/ComponentsLayer/python/manifest.json"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path)
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"model_needs": []}))
    packages = [path for path in sys.path if path and Path(path) != ROOT]
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *packages]),
        "AWS_ENDPOINT_URL": cloud_url,
        "AWS_ACCESS_KEY_ID": tenant(),
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "eu-north-1",
    }

    def run(environment: str, *, status: int = 0, confirms: bool = True) -> tuple[int, list[list[str]]]:
        make = f"{sys.executable} -c '{MAKES_STACK}' 2>/dev/null\n" if confirms else ""
        (programs / "sam").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" END\n{make}exit {status}\n')
        (programs / "sam").chmod(0o755)
        command = [programs / "python", "-m", "scripts.deploy", "--config-env", environment]
        done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
        starts = [text.splitlines() for text in done.stdout.split("END\n")[:-1]]
        return done.returncode, starts

    return run


PROTECTED = "DeletionProtection=true LogRetention=90"


def test_a_stack_is_first_deployed_without_protection_because_protected_tables_cannot_be_rolled_back(
    deploy: Callable[..., tuple[int, list[list[str]]]],
) -> None:
    status, (first, second) = deploy("prod")
    given = [
        *("deploy", "--config-env", "prod"),
        *("--parameter-overrides", PROTECTED),
        *(f"{name}={source()['Parameters'][name]['Default']}" for name in ("Architecture", "Runtime")),
        'BedrockModels=""',
        'BedrockProfiles=""',
    ]
    assert status == 0
    assert first == [*given, "DeletionProtection=false"]
    assert as_sam_reads(first[4:])["DeletionProtection"] == "false"
    assert second == [*given[:3], "--no-confirm-changeset", *given[3:]]


def test_the_second_step_is_not_made_when_the_first_one_fails(
    deploy: Callable[..., tuple[int, list[list[str]]]],
) -> None:
    status, starts = deploy("prod", status=3)
    assert (status, len(starts)) == (3, 1)


def test_the_second_step_is_not_made_when_nobody_confirms_the_first_one(
    deploy: Callable[..., tuple[int, list[list[str]]]],
) -> None:
    status, starts = deploy("prod", confirms=False)
    assert (status, len(starts)) == (1, 1)


class Account:
    """A session of boto3 whose account has what it is told."""

    def __init__(self, *, stack: dict[str, Any] | str, role: str | None = None) -> None:
        self._stack = stack
        self._role = role

    def client(self, _service: str) -> Account:
        return self

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        if isinstance(self._stack, str):
            raise ClientError({"Error": {"Code": "ValidationError", "Message": self._stack}}, "DescribeStacks")
        return {"Stacks": [self._stack]}

    def get_account(self) -> dict[str, Any]:
        return {} if self._role is None else {"cloudwatchRoleArn": self._role}


ROLE = "arn:aws:iam::111122223333:role/of-another-api"


def a_stack(status: str, **parameters: str) -> dict[str, Any]:
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"StackStatus": status, "Parameters": given}


@pytest.mark.parametrize(
    ("found", "parameters"),
    [
        ("Stack with id mine does not exist", None),
        (a_stack("REVIEW_IN_PROGRESS"), None),
        (a_stack("UPDATE_ROLLBACK_COMPLETE", AccessLogs="none"), {"AccessLogs": "none"}),
    ],
)
def test_a_stack_exists_once_something_of_it_was_made(found: Any, parameters: dict[str, str] | None) -> None:
    stack = deployed(Account(stack=found), "mine")
    assert (stack and stack.parameters) == parameters


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_stack_that_cannot_be_updated_is_not_deployed(status: str) -> None:
    with pytest.raises(Stuck, match=status):
        deployed(Account(stack=a_stack(status)), "mine")


@pytest.mark.parametrize(
    ("before", "configured", "role", "given"),
    [
        (None, "", ROLE, ["AccessLogs=use-role"]),
        (None, "", None, []),
        (None, "use-role", ROLE, []),
        ("set-role", "", ROLE, []),
        ("use-role", "", ROLE, []),
        ("none", "set-role", ROLE, ["AccessLogs=use-role"]),
    ],
    ids=["first", "first, no role", "configured", "its own", "left alone before", "turned on"],
)
def test_an_account_s_role_for_logs_is_not_replaced_unseen(
    monkeypatch: pytest.MonkeyPatch, before: str | None, configured: str, role: str | None, given: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    stack = None if before is None else Stack("mine", {"AccessLogs": before})
    assert kept_log_role(Account(stack="", role=role), stack, configured, "set-role") == given


@pytest.mark.parametrize(("typed", "given"), [("y", []), ("", ["AccessLogs=use-role"])])
def test_whoever_deploys_may_let_it_be_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, given: list[str]
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("builtins.input", lambda _: typed)
    assert kept_log_role(Account(stack="", role=ROLE), None, "", "set-role") == given
    assert ROLE in capsys.readouterr().err


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
    told = "You must specify a region. Set AWS_DEFAULT_REGION, or `region` in samconfig.toml.\n"
    assert capsys.readouterr().err == told


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


@pytest.mark.usefixtures("cloudformation")
def test_a_stack_that_was_never_deployed_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert stack.main(["url"]) == 1
    assert capsys.readouterr().err.endswith("mine does not exist. `make deploy` creates it.\n")


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


NOVA = {"id": "amazon.nova-lite-v1:0", "provider": "AwsBedrock", "bedrock": True, "region": None, "keys": []}
LLAMA = NOVA | {"id": "meta.llama3-1-8b-instruct-v1:0", "region": "us-east-1"}
PROFILE = NOVA | {"id": "eu.amazon.nova-pro-v1:0"}
OWN_PROFILE = NOVA | {"id": "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc"}
GPT = {"id": "gpt-5-mini", "provider": "OpenAI", "bedrock": False, "region": None, "keys": ["OPENAI_API_KEY"]}


def test_two_models_and_a_profile_become_parameters_of_the_policy(
    account: None, cloud_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", owner := tenant())
    named = as_sam_reads(model_parameters([NOVA, GPT, LLAMA, PROFILE, OWN_PROFILE, NOVA], {"region": "eu-west-1"}))

    assert named["BedrockModels"].split(",") == [
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-1-8b-instruct-v1:0",
    ]
    assert named["BedrockProfiles"].split(",") == [
        f"arn:aws:bedrock:eu-west-1:{owner}:inference-profile/eu.amazon.nova-pro-v1:0",
        OWN_PROFILE["id"],
    ]
    for name, value in named.items():
        assert re.search(source()["Parameters"][name]["AllowedPattern"], value)


@pytest.mark.usefixtures("account")
def test_without_a_bedrock_model_the_earlier_ones_are_forgotten_and_aws_is_not_asked() -> None:
    assert as_sam_reads(model_parameters([GPT], {})) == {"BedrockModels": "", "BedrockProfiles": ""}


@pytest.mark.usefixtures("account")
def test_a_bedrock_model_without_a_region_is_reported() -> None:
    with pytest.raises(NoRegionError):
        model_parameters([NOVA], {})


def test_the_build_says_which_databases_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"model_needs": [GPT], "replaced_databases": ["a line", "another"]}))
    monkeypatch.setattr(built, "MANIFEST", manifest)

    assert built.main() == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["a line", "another"]


def test_the_build_says_what_each_model_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"model_needs": [LLAMA, GPT]}))
    monkeypatch.setattr(built, "MANIFEST", manifest)

    assert built.main() == 0
    bedrock, openai = capsys.readouterr().out.splitlines()
    assert bedrock.startswith(f"AwsBedrock {LLAMA['id']}: `make deploy` lets the functions invoke it in us-east-1.")
    assert openai == "OpenAI gpt-5-mini: needs a key: `make secret NAME=OPENAI_API_KEY` once the stack is deployed."


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ('parameter_overrides = "LogLevel=DEBUG Model=openai:gpt-5-mini"', "openai:gpt-5-mini"),
        (
            'parameter_overrides = ["Model=demo", {Model = "aws-claude:eu.anthropic.claude"}]',
            "aws-claude:eu.anthropic.claude",
        ),
        ("", ""),
    ],
)
def test_the_build_tries_the_model_of_samconfig(
    written: str, model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samconfig.toml").write_text(f"[mine.deploy.parameters]\n{written}\n")
    read = samconfig.deployment
    monkeypatch.setattr(samconfig, "deployment", lambda environment, root: read(environment, root=tmp_path))

    assert samconfig.main(["Model", "--config-env", "mine"]) == 0
    assert capsys.readouterr().out == f"{model}\n"
