"""What sam local is given: the built template, and variables that lead to this machine."""

import json
import stat

import pytest

from local.account import REGION
from local.sam.docker import Host
from local.sam.files import sam_local_files
from local.variables import container_variables

pytestmark = pytest.mark.docker

CLOUD = "http://172.17.0.1:4566"
TEMPLATE = {
    "RUNS_TABLE": "RunsTable",
    "LOG_LEVEL": "INFO",
    "STACK_NAME": "agentos-local",
    "SECURITY_KEY_SECRET": "SecuritySecret.Id",
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bin/stream-wrapper",
}


@pytest.fixture(autouse=True)
def shell(monkeypatch):
    monkeypatch.setenv("OS_SECURITY_KEY", "sesame")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("AGENTOS_MODEL", "openai:gpt")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def test_a_container_gets_what_its_function_has_on_aws_and_nothing_of_the_user_s_shell():
    given = container_variables(TEMPLATE, CLOUD, addresses={"SECURITY_KEY_SECRET": "arn:of:the:key"})
    assert {"OS_SECURITY_KEY", "OPENAI_API_KEY", "PYTHONPATH", "PATH"}.isdisjoint(given)
    assert (given["RUNS_TABLE"], given["AWS_LAMBDA_EXEC_WRAPPER"]) == ("RunsTable", "/opt/bin/stream-wrapper")
    assert (given["SECURITY_KEY_SECRET"], given["STACK_NAME"], given["AGENTOS_MODEL"]) == (
        "arn:of:the:key",
        "",
        "openai:gpt",
    )
    assert (given["AWS_ENDPOINT_URL"], given["AWS_REGION"]) == (CLOUD, REGION)


def test_a_container_of_an_open_stack_looks_for_no_secret():
    assert container_variables(TEMPLATE, CLOUD)["SECURITY_KEY_SECRET"] == ""


def test_a_url_of_this_machine_is_one_that_containers_can_reach():
    desktop = Host("127.0.0.1", "host.docker.internal")
    assert desktop.seen("http://127.0.0.1:8001/x") == "http://host.docker.internal:8001/x"
    assert desktop.seen("arn:of:the:key") == "arn:of:the:key"
    assert Host("172.17.0.1", "172.17.0.1").seen(CLOUD) == CLOUD


def test_all_variables_are_declared_and_their_values_are_kept_for_nobody_else(tmp_path):
    built = tmp_path / "template.yaml"
    built.write_text("""
      Parameters: {Architecture: {Type: String, Default: arm64}}
      Resources:
        One:
          Type: AWS::Serverless::Function
          Properties: {CodeUri: One, Environment: {Variables: {RUNS_TABLE: !Ref Runs}}}
    """)
    values = {"One": {"RUNS_TABLE": "Runs", "AWS_ENDPOINT_URL": CLOUD}}
    with sam_local_files(built, values, "x86_64") as files:
        template = json.loads(files.template.read_text())
        assert template["Parameters"]["Architecture"]["Default"] == "x86_64"
        properties = template["Resources"]["One"]["Properties"]
        assert properties == {
            "CodeUri": "One",
            "Environment": {"Variables": {"RUNS_TABLE": "", "AWS_ENDPOINT_URL": ""}},
        }
        assert json.loads(files.variables.read_text()) == values
        assert stat.S_IMODE(files.variables.stat().st_mode) == 0o600
    assert not files.variables.exists()
