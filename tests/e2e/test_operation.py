"""What a team does with the deployed stack: the README's commands, and what watches over it."""

from __future__ import annotations

import json
import os
import subprocess
from shlex import quote

import pytest

from tests.e2e import emulator
from tests.e2e.deployment import PARAMETERS, STACK
from tests.stack.translation import translate

pytestmark = pytest.mark.build


def commands() -> list[str]:
    """The README's block from a clone to the first answer."""
    section = (emulator.ROOT / "README.md").read_text().partition("## Deploy it")[2]
    return section.partition("```sh\n")[2].partition("\n```")[0].splitlines()


def shell(deployment, script: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "AWS_"))}
    variables = {**inherited, **emulator.ACCESS, "AWS_ENDPOINT_URL": deployment.cloud}
    done = subprocess.run(
        ["sh", "-euc", script], cwd=emulator.ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_s_commands_lead_to_an_answer(deployment):
    deploy, url, key, smoke, request = commands()
    assert (deploy, smoke) == ("make deploy", "make smoke")
    printed = shell(deployment, f'{url}\n{key}\nprintf \'%s\\n\' "$URL" "$KEY"').splitlines()
    assert printed == [deployment.outputs["HttpUrl"], deployment.key]
    # Only where the emulator serves the URL is different.
    answer = json.loads(shell(deployment, f"URL={deployment.url}\n{key}\n{request}"))
    assert (answer["status"], answer["agent_id"]) == ("COMPLETED", "assistant")


def test_the_smoke_test_of_the_readme_finds_nothing_wrong_but_what_the_emulator_lacks(deployment):
    websocket = emulator.websocket_url(deployment.cloud, deployment.outputs["WebSocketUrl"])
    given = {"URL": deployment.url, "KEY": deployment.key, "WEBSOCKET": websocket, "BUFFERED": "1"}
    variables = "export " + " ".join(f"{name}={quote(value)}" for name, value in given.items())
    *rows, counted = shell(deployment, f"{variables}; make -s smoke || test $? = 2").splitlines()
    assert [row for row in rows if row.startswith("FAIL")] == [row for row in rows if "8 MB is refused" in row], rows
    assert counted.endswith("1 failed, 1 skipped"), rows


def test_every_alarm_of_the_template_watches_what_was_deployed(deployment):
    found = deployment.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = {(alarm["Namespace"], alarm["MetricName"]): alarm["Dimensions"] for alarm in found}
    expected = {
        (alarm["Properties"]["Namespace"], alarm["Properties"]["MetricName"])
        for alarm in translate(**PARAMETERS).values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert watched.keys() == expected
    assert watched["AgentOS", "RunsLost"] == [{"Name": "Stack", "Value": STACK}]
    assert watched["AWS/ApiGateway", "5XXError"] == [
        {"Name": "ApiName", "Value": STACK},
        {"Name": "Stage", "Value": "v1"},
    ]
    [queue] = watched["AWS/SQS", "ApproximateAgeOfOldestMessage"]
    assert deployment.outputs["RunsQueueUrl"].endswith("/" + queue["Value"])
    [function] = watched["AWS/Lambda", "Errors"]
    assert function["Value"] == deployment.physical("SweeperFunction")


def test_roles_have_the_path_that_was_asked_for(deployment):
    """Whether they have the boundary, and tables and bucket the key, the emulator does not show."""
    iam = deployment.client("iam")
    for role in ("AgentsRole", "ApiLogRole"):
        assert iam.get_role(RoleName=deployment.physical(role))["Role"]["Path"] == PARAMETERS["RolePath"]


def test_the_security_key_is_encrypted_by_the_key_that_was_named(deployment):
    secret = deployment.client("secretsmanager").describe_secret(SecretId=deployment.outputs["SecurityKeySecret"])
    assert secret["KmsKeyId"] == PARAMETERS["DataKeyArn"]
