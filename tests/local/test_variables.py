"""What of the user's own environment reaches the functions."""

import re

import boto3
import pytest

from local.account import CREDENTIAL, REGION
from local.settings import CannotStart, Settings
from local.template.document import Template
from local.variables import OVERRIDABLE, PARAMETERS, check_own_variables, container_variables, function_variables
from tests.process import ROOT

KEY = "bedrock-api-key"
CLOUD = "http://127.0.0.1:1"


def variables() -> dict[str, str]:
    return function_variables(Settings(), {}, CLOUD)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "mine")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)


def test_no_credentials_of_the_user_reach_a_function():
    given = variables()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(given)
    assert (given["AWS_ENDPOINT_URL"], given["AWS_ACCESS_KEY_ID"], given["AWS_REGION"]) == (CLOUD, CREDENTIAL, REGION)
    assert not [name for name in given if "BEDROCK" in name]


def test_a_bedrock_api_key_opens_the_real_bedrock_and_nothing_else(monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    given = variables()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    # As agno's model makes its client.
    bedrock = boto3.client(
        "bedrock-runtime", region_name=REGION, aws_access_key_id=CREDENTIAL, aws_secret_access_key=CREDENTIAL
    )
    sent = []
    bedrock.meta.events.register("before-send", lambda request, **_: sent.append(request) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bedrock.converse(modelId="m", messages=[])
    assert sent[0].url == "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"
    assert sent[0].headers["Authorization"] == f"Bearer {KEY}".encode()
    assert boto3.client("dynamodb").meta.endpoint_url == CLOUD


@pytest.mark.parametrize(
    ("of_the_user", "expected"),
    [
        (None, "https://os.agno.com,loopback"),
        ("", "https://os.agno.com,loopback"),
        ("https://mine.example.com", "https://mine.example.com,loopback"),
    ],
)
def test_pages_on_this_machine_may_always_call(monkeypatch, of_the_user, expected):
    if of_the_user is not None:
        monkeypatch.setenv("CORS_ORIGINS", of_the_user)
    template = {"CORS_ORIGINS": "https://os.agno.com"}
    assert function_variables(Settings(), template, CLOUD)["CORS_ORIGINS"] == expected
    assert container_variables(template, CLOUD)["CORS_ORIGINS"] == expected


def test_variables_of_the_shell_say_whose_tokens_count(monkeypatch):
    functions = Template.load(Settings().template).functions
    for name, value in {"JWT_ISSUER": "http://127.0.0.1:9/pool", "JWT_AUDIENCE": "app", "AUTH_MODE": "both"}.items():
        assert name not in function_variables(Settings(), functions["ControlFunction"].variables, CLOUD)
        monkeypatch.setenv(name, value)
        assert function_variables(Settings(), functions["ControlFunction"].variables, CLOUD)[name] == value


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("QUEUE_LIMIT", "many", "QUEUE_LIMIT=many: it is a whole number"),
        ("SLICE_SECONDS", "2s", "SLICE_SECONDS=2s: it is a whole number"),
        ("LOAD_COMPONENTS", "never", "LOAD_COMPONENTS=never: it is one of at-start, at-first-run"),
        ("LOG_LEVEL", "verbose", "LOG_LEVEL=verbose: it is one of"),
    ],
)
def test_a_variable_that_no_function_could_start_with_is_refused_before_anything_starts(monkeypatch, name, value, told):
    check_own_variables()
    monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart, match=told):
        check_own_variables()


@pytest.mark.parametrize("level", ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "warning", "critical"])
def test_a_level_of_the_log_may_have_lambda_s_name_or_python_s(monkeypatch, level):
    monkeypatch.setenv("LOG_LEVEL", level)
    check_own_variables()


def test_components_are_imported_with_the_first_run_on_this_machine_unless_the_user_wants_otherwise(monkeypatch):
    template = Template.load(Settings().template).functions["AgentsFunction"].variables
    assert template["LOAD_COMPONENTS"] == "at-start"
    assert function_variables(Settings(), template, CLOUD)["LOAD_COMPONENTS"] == "at-first-run"
    monkeypatch.setenv("LOAD_COMPONENTS", "at-start")
    assert function_variables(Settings(), template, CLOUD)["LOAD_COMPONENTS"] == "at-start"


def test_the_documents_list_the_variables_that_a_user_may_set():
    page = (ROOT / "docs/components.md").read_text()
    [section] = re.findall(r"\n## Settings of `make run`\n(.*?)\n## ", page, re.DOTALL)
    listed = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert listed == {*OVERRIDABLE, *PARAMETERS}
