"""The variables of components, as Secrets Manager has them."""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from botocore.exceptions import ClientError

from agentos_lambda.aws import jwt_settings, settings
from agentos_lambda.aws.component_variables import FRESH_MS, ComponentVariables, refusal
from agentos_lambda.runs.errors import ComponentUnusable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import Retries
from tests.clocks import ManualClock
from tests.stack.translation import FUNCTIONS, translate
from tests.stores.unreliable_secrets import UnreliableSecrets, unreliable_secrets


class Secret:
    """A secret of the components in Secrets Manager."""

    def __init__(self, secrets: UnreliableSecrets) -> None:
        self.client = secrets
        self.arn = secrets.client.create_secret(Name="components")["ARN"]

    def write(self, text: str) -> None:
        self.client.client.put_secret_value(SecretId=self.arn, SecretString=text)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secret]:
    with unreliable_secrets(monkeypatch) as secrets:
        yield Secret(secrets)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def environment() -> dict[str, str]:
    return {"RUNS_TABLE": "runs", "PATH": "/bin"}


@pytest.fixture
def variables(secret: Secret, clock: ManualClock, environment: dict[str, str]) -> ComponentVariables:
    clients, retries = Clients(secretsmanager=secret.client), Retries(clock, tries=1)
    return ComponentVariables(secret.arn, clock, environment=environment, clients=clients, retries=retries)


def test_every_variable_of_the_secret_is_set(
    secret: Secret, variables: ComponentVariables, environment: dict[str, str]
) -> None:
    secret.write(json.dumps({"OPENAI_API_KEY": "k", "DATABASE_URL": "postgres://db"}))
    variables.apply()

    assert (environment["OPENAI_API_KEY"], environment["DATABASE_URL"]) == ("k", "postgres://db")


def test_a_secret_that_nobody_has_written_sets_nothing(
    variables: ComponentVariables, environment: dict[str, str]
) -> None:
    variables.apply()

    assert environment == {"RUNS_TABLE": "runs", "PATH": "/bin", "AGENTOS_COMPONENT_VARIABLES": ""}


class Refusing:
    """Secrets Manager, which refuses to be read."""

    def __init__(self, code: str, message: str = "") -> None:
        self._error = {"Code": code, "Message": message}

    def get_secret_value(self, **_: str) -> object:
        raise ClientError({"Error": self._error, "ResponseMetadata": {"HTTPStatusCode": 400}}, "GetSecretValue")


def refusing(clock: ManualClock, environment: dict[str, str], code: str, message: str = "") -> ComponentVariables:
    clients, retries = Clients(secretsmanager=Refusing(code, message)), Retries(clock, tries=1)
    return ComponentVariables("arn", clock, environment=environment, clients=clients, retries=retries)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_without_a_secret_there_are_no_variables(clock: ManualClock, environment: dict[str, str], code: str) -> None:
    refusing(clock, environment, code).apply()

    assert environment["AGENTOS_COMPONENT_VARIABLES"] == ""


def test_a_secret_that_was_deleted_and_may_be_restored_has_no_variables(
    secret: Secret, variables: ComponentVariables, environment: dict[str, str]
) -> None:
    secret.write('{"KEY": "k"}')
    secret.client.client.delete_secret(SecretId=secret.arn)
    variables.apply()

    assert environment["AGENTOS_COMPONENT_VARIABLES"] == ""


def test_a_secret_that_its_key_does_not_open_is_not_an_empty_one(
    clock: ManualClock, environment: dict[str, str]
) -> None:
    with pytest.raises(ComponentUnusable):
        refusing(clock, environment, "AccessDeniedException", "Access to KMS is not allowed").apply()

    assert "AGENTOS_COMPONENT_VARIABLES" not in environment


def test_a_reserved_name_is_not_set_and_its_value_is_not_logged(
    secret: Secret, variables: ComponentVariables, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    secret.write(json.dumps({"RUNS_TABLE": "v4lue", "PATH": "v4lue", "KEY": "k"}))
    with caplog.at_level(logging.INFO):
        variables.apply()

    assert (environment["RUNS_TABLE"], environment["PATH"], environment["KEY"]) == ("runs", "/bin", "k")
    assert "RUNS_TABLE" in caplog.text
    assert "v4lue" not in caplog.text


@pytest.mark.parametrize("text", ['{"A": 1}', '["v4lue"]', "v4lue"])
def test_another_text_ends_the_run_without_being_told(
    secret: Secret, variables: ComponentVariables, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret.write(text)
    with pytest.raises(ComponentUnusable, match="make secret") as told:
        variables.apply()

    assert "v4lue" not in f"{told.value}{caplog.text}"


def test_a_secret_that_cannot_be_read_ends_the_run(secret: Secret, variables: ComponentVariables) -> None:
    secret.client.reachable = False
    with pytest.raises(ComponentUnusable, match="cannot be read"):
        variables.apply()


def test_a_change_is_seen_after_five_minutes(secret: Secret, variables: ComponentVariables, clock: ManualClock) -> None:
    secret.write('{"KEY": "old"}')
    variables.apply()
    secret.write('{"KEY": "new"}')

    clock.advance(FRESH_MS - 1)
    assert not variables.changed()
    assert secret.client.reads == 1
    clock.advance(1)
    assert variables.changed()


def test_an_unchanged_or_unreachable_secret_replaces_no_process(
    secret: Secret, variables: ComponentVariables, clock: ManualClock
) -> None:
    variables.apply()
    clock.advance(FRESH_MS)
    assert not variables.changed()
    secret.client.reachable = False
    clock.advance(FRESH_MS)
    assert not variables.changed()


def test_a_process_that_starts_over_loses_what_the_secret_has_lost(
    secret: Secret, variables: ComponentVariables, environment: dict[str, str]
) -> None:
    secret.write('{"KEY": "k", "OTHER": "o"}')
    variables.apply()
    secret.write('{"OTHER": "o"}')
    variables.apply()  # its successor inherits the environment

    assert "KEY" not in environment
    assert environment["OTHER"] == "o"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_of_a_function_is_reserved(function: str) -> None:
    names = translate(JwtIssuer="https://issuer.example")[function]["Properties"]["Environment"]["Variables"]
    assert [name for name in names if refusal(name) is None] == []


@pytest.mark.parametrize("module", [settings, jwt_settings])
def test_every_variable_that_settings_are_read_from_is_reserved(module: ModuleType) -> None:
    names = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', inspect.getsource(module)))
    assert names
    assert [name for name in names if refusal(name) is None] == []


@pytest.mark.parametrize(
    "name", ["AWS_REGION", "aws_region", "_HANDLER", "PYTHONPATH", "PATH", "JWT_SECRET", "A-B", "A B", "1A", ""]
)
def test_a_name_that_is_lambdas_or_no_name_is_refused(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DATABASE_URL", "Key2"])
def test_a_name_of_a_components_own_is_accepted(name: str) -> None:
    assert refusal(name) is None
