"""The commonest agent on AWS, ``Agent(model=AwsBedrock(id=...))``, on the local stack."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.local_stack import running_stack
from tests.providers.dialects import Bedrock, Turn
from tests.providers.server import Answer, Asked, served

COMPONENTS = """
import os, sys
sys.modules["anthropic"] = None  # as in the bundle: agno would import it with any model of AWS, in each function
os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = os.environ["BEDROCK_OF_TESTS"]  # the shell has set it
from agno.agent import Agent
from agno.models.aws.bedrock import AwsBedrock
agents = [Agent(id="nova", model=AwsBedrock(id="amazon.nova-lite-v1:0"))]
teams, workflows = [], []
"""
RUNS = "/agents/nova/runs"


def answer(asked: Asked) -> Answer:
    turn = Turn(texts=("Good ", "morning"))
    return Bedrock().stream(turn) if asked.path.endswith("-stream") else Bedrock().whole(turn)


@pytest.mark.sample
def test_it_answers_whole_and_streamed(tmp_path: Path) -> None:
    components = tmp_path / "components.py"
    components.write_text(COMPONENTS)
    with served() as bedrock:
        bedrock.answers = [answer]
        variables = {"BEDROCK_OF_TESTS": bedrock.url}
        with (
            running_stack(tmp_path / "state", variables, components=components, warm=False) as stack,
            httpx.Client(base_url=stack.url, timeout=60) as client,
        ):
            whole = client.post(RUNS, json={"message": "hello"}).json()
            streamed = client.post(RUNS, data={"message": "hello", "stream": "true"}).text

        assert (whole["status"], whole["content"]) == ("COMPLETED", "Good morning")
        assert "event: RunCompleted" in streamed
        assert [asked.path for asked in bedrock.asked] == [
            "/model/amazon.nova-lite-v1%3A0/converse",
            "/model/amazon.nova-lite-v1%3A0/converse-stream",
        ]
