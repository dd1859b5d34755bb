"""`make secret`, `make secrets` and `make secret-remove`, against a local cloud."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts import secret
from tests.cloud import tenant
from tests.stack.translation import source

REGION = "eu-north-1"
ARN = {"Fn::Sub": source()["Outputs"]["ComponentsSecret"]["Value"]["Fn::Sub"]}
BODY = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"ComponentsSecret": {"Value": ARN}}}
NAME = "mine/components"


@pytest.fixture
def stack(cloud_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A stack that was deployed, and has no variables; gives a client of Secrets Manager."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", tenant())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setattr(secret, "deployment", lambda _environment: {"stack_name": "mine", "region": REGION})
    session = boto3.Session(region_name=REGION)
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName="mine", TemplateBody=json.dumps(BODY))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="mine", WaiterConfig={"Delay": 1})
    return session.client("secretsmanager")


def written(client: Any) -> dict[str, str]:
    variables: dict[str, str] = json.loads(client.get_secret_value(SecretId=NAME)["SecretString"])
    return variables


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_variables_are_written_listed_by_name_and_removed(
    stack: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "s3cret\n")
    assert secret.main(["set", "OPENAI_API_KEY"]) == 0
    given(monkeypatch, "other")
    assert secret.main(["set", "DATABASE_URL"]) == 0
    assert written(stack) == {"OPENAI_API_KEY": "s3cret", "DATABASE_URL": "other"}
    assert "s3cret" not in capsys.readouterr().out

    assert secret.main(["list"]) == 0
    assert capsys.readouterr().out == "DATABASE_URL\nOPENAI_API_KEY\n"

    assert secret.main(["remove", "OPENAI_API_KEY"]) == 0
    assert written(stack) == {"DATABASE_URL": "other"}
    assert secret.main(["remove", "OPENAI_API_KEY"]) == 1
    assert capsys.readouterr().err == "There is no variable OPENAI_API_KEY.\n"


def test_the_secret_is_made_with_the_first_variable_only(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret.main(["list"]) == 0
    assert stack.list_secrets()["SecretList"] == []
    for value in ("s3cret", "other"):
        given(monkeypatch, value)
        assert secret.main(["set", "KEY"]) == 0
    assert [each["Name"] for each in stack.list_secrets()["SecretList"]] == [NAME]


def test_a_secret_that_was_deleted_is_brought_back_first(
    stack: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "s3cret")
    assert secret.main(["set", "KEY"]) == 0
    stack.delete_secret(SecretId=NAME)
    given(monkeypatch, "other")
    assert secret.main(["set", "KEY"]) == 1
    assert f"restore-secret --secret-id {NAME}" in capsys.readouterr().err


def test_a_key_of_the_stack_s_data_encrypts_the_secret_too() -> None:
    with_key: dict[str, Any] = {}

    class Missing(Exception):
        pass

    class Client:
        class exceptions:  # noqa: N801 - boto3's name
            ResourceNotFoundException = Missing

        def put_secret_value(self, **_: Any) -> None:
            raise Missing

        def create_secret(self, **given: Any) -> None:
            with_key.update(given)

    secret.Secret(Client(), "arn:aws:secretsmanager:eu-north-1:1:secret:mine/components", "key").write({"A": "b"})
    assert (with_key["Name"], with_key["KmsKeyId"]) == (NAME, "key")


def version(client: Any) -> str:
    """Every write makes another one."""
    found: str = client.get_secret_value(SecretId=NAME)["VersionId"]
    return found


def test_a_value_that_is_there_already_is_not_written_again(
    stack: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "s3cret")
    assert secret.main(["set", "KEY"]) == 0
    before = version(stack)
    given(monkeypatch, "s3cret")
    assert secret.main(["set", "KEY"]) == 0

    assert version(stack) == before
    assert capsys.readouterr().out.splitlines()[-1] == "KEY has this value already."


def test_a_value_may_be_typed_at_a_prompt_that_does_not_show_it(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed for {prompt}")
    assert secret.main(["set", "KEY"]) == 0

    assert written(stack) == {"KEY": "typed for KEY:"}


@pytest.mark.usefixtures("stack")
def test_a_name_that_is_reserved_and_an_empty_value_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "value")
    for name in ("RUNS_TABLE", "AWS_REGION", ""):
        assert secret.main(["set", name]) == 1
    given(monkeypatch, "\n")
    assert secret.main(["set", "KEY"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "RUNS_TABLE: the name belongs to Lambda or to this project."
    assert told[-1] == "KEY: the value is empty."
    assert secret.main(["list"]) == 0
    assert capsys.readouterr().out == "There are no variables.\n"


def test_a_text_that_holds_no_variables_is_neither_replaced_nor_shown(
    stack: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.create_secret(Name=NAME, SecretString="s3cret")
    given(monkeypatch, "value")
    assert secret.main(["set", "KEY"]) == 1

    told = capsys.readouterr().err
    assert "is not a JSON object of texts" in told
    assert "s3cret" not in told
