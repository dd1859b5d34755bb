"""The commonest agent on AWS, ``Agent(model=AwsBedrock(id=...))``, with a server of our own for Bedrock."""

from __future__ import annotations

import json

import pytest

from tests.e2e.client import wait_for
from tests.e2e.sse import names
from tests.providers.dialects import Bedrock, Turn
from tests.providers.server import Answer, Asked

pytestmark = pytest.mark.build

RUNS = "/agents/nova/runs"
NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"


def answer(asked: Asked) -> Answer:
    turn = Turn(texts=("Good ", "morning"))
    return Bedrock().stream(turn) if asked.path.endswith("-stream") else Bedrock().whole(turn)


@pytest.fixture
def bedrock(deployment):
    deployment.bedrock.answers, deployment.bedrock.asked = [answer], []
    return deployment.bedrock


def test_it_answers_whole_streamed_and_in_the_background(api, bedrock):
    whole = api.post(RUNS, json={"message": "hello"}).json()
    streamed = api.post(RUNS, data={"message": "hello", "stream": "true"})
    begun = api.post(RUNS, data={"message": "hello", "background": "true", "stream": "false"}).json()
    later = wait_for(api, f"{RUNS}/{begun['run_id']}?session_id={begun['session_id']}", "COMPLETED", "ERROR")

    assert (whole["status"], whole["content"]) == ("COMPLETED", "Good morning")
    assert names(streamed.text)[-1] == "RunCompleted"
    assert (later["status"], later["content"]) == ("COMPLETED", "Good morning")
    assert {asked.path for asked in bedrock.asked} == {
        "/model/amazon.nova-lite-v1%3A0/converse",
        "/model/amazon.nova-lite-v1%3A0/converse-stream",
    }


def test_a_refusal_ends_the_run_with_what_to_do(api, bedrock):
    bedrock.answers = [Bedrock().refusal(403, "not authorized")]
    run = api.post(RUNS, json={"message": "hello"}).json()

    assert run["status"] == "ERROR"
    assert "Bedrock refused access to the model amazon.nova-lite-v1:0 in" in run["content"]


def test_exactly_its_model_may_be_invoked(deployment):
    policies = deployment.client("iam")
    allowed = set()
    for policy in policies.list_policies(Scope="Local")["Policies"]:
        found = policies.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        document = found["PolicyVersion"]["Document"]
        for statement in (json.loads(document) if isinstance(document, str) else document)["Statement"]:
            if "bedrock:InvokeModel" in statement["Action"]:
                resources = statement["Resource"]
                allowed |= {resources} if isinstance(resources, str) else set(resources)

    assert allowed == {NOVA}
