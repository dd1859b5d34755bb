"""A run is what agno makes of the same model by itself, with the provider's own client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.process import IMPORT_PATH
from tests.providers.dialects import Dialect, Trouble
from tests.providers.environment import Playing, lead_to
from tests.providers.models import GREETING, PROVIDERS, SUMS
from tests.providers.plain_agno import key
from tests.providers.server import Answer, Asked, Provider, served

pytestmark = pytest.mark.comparisons

SUM, REFUSED, BROKEN = "add them", "a refusal", "a break"
MESSAGES = (SUM, REFUSED, BROKEN)
ON_PURPOSE = {("bedrock", REFUSED), ("bedrock", BROKEN), ("openai-responses", BROKEN), ("gemini", BROKEN)}
"""Where it differs: Bedrock says what to do. Of broken streams, agno alone takes that of Responses for complete,
and names an object for Gemini's error."""
SAME = [(name, message) for name in PROVIDERS for message in MESSAGES if (name, message) not in ON_PURPOSE]
VOLATILE = {"created_at", "duration", "time_to_first_token", "id", "start_time", "end_time"}
_VARYING = re.compile(r"completed in .*")


PATHS = {
    "/converse": "bedrock",
    "/chat/completions": "openai-chat",
    "/responses": "openai-responses",
    "/messages": "anthropic",
    "/invoke": "anthropic-bedrock",
    "enerateContent": "gemini",
}


def dialect_of(asked: Asked) -> Dialect:
    """By what stands in the path of the request."""
    return next(PROVIDERS[name][0] for part, name in PATHS.items() if part in asked.path)


def answer(asked: Asked) -> Answer:
    """Has two tools called, and then says something; or does as the message wants."""
    dialect, message = dialect_of(asked), json.dumps(asked.body)
    if REFUSED in message:
        return dialect.refusal(401, "No entry today")
    streams = asked.body.get("stream") or "stream" in asked.path.lower()
    if BROKEN in message:
        return dialect.stream(GREETING, Trouble(error="Out of order")) if streams else dialect.whole(GREETING)
    turn = GREETING if dialect.results(asked.body) else SUMS
    return dialect.stream(turn) if streams else dialect.whole(turn)


@pytest.fixture(scope="module")
def alone() -> Iterator[dict[str, Any]]:
    """The runs of agno alone."""
    # One process for all of them: it takes seconds to import agno with every client.
    with pytest.MonkeyPatch.context() as patch, served() as provider:
        lead_to(provider, patch, {})
        provider.answers = [answer]
        command = [sys.executable, "-m", "tests.providers.plain_agno", *MESSAGES]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": IMPORT_PATH}
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout.splitlines()[-1])  # agno writes its log there, too


def steady(value: Any) -> Any:
    """The value without what differs between any two runs."""
    if isinstance(value, dict):
        return {name: steady(item) for name, item in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return _VARYING.sub("", value) if isinstance(value, str) else value


def in_any_order(events: list[Any]) -> list[str]:
    """agno's synchronous client has tools called one by one, the other one all at once."""
    return sorted(json.dumps(event, sort_keys=True) for event in events)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("case", SAME, ids=" ".join)
def test_status_content_usage_and_events_are_agnos(
    provider: Provider, playing: Playing, alone: dict[str, Any], case: tuple[str, str], stream: bool
) -> None:
    provider.answers = [answer]
    name, message = case
    played = playing(name, message, stream=stream)
    run, expected = played.outcome.output.run, alone[key(name, stream, message)]
    ordered = in_any_order if name == "bedrock" else list

    assert ordered(steady(played.events)) == ordered(steady(expected["events"]))
    if expected["run"] is None:
        assert (run["status"], played.names[-1]) == ("ERROR", "RunError")
    else:
        fields = ("status", "content", "metrics", "messages", "tools", "model", "model_provider")
        assert {name: steady(run.get(name)) for name in fields} == {
            name: steady(expected["run"].get(name)) for name in fields
        }
