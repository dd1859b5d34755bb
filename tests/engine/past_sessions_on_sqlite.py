"""What agno's tools for earlier sessions answer over SQLite: ``python -m tests.engine.past_sessions_on_sqlite``, in the
environment of the released AgentOS. Prints ``{component: {message: answer}}``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from agno.agent import Agent
from agno.team import Team

from agentos_lambda.engine.models.demo import DemoModel

SEARCH = "call search_past_sessions"
SAID = [
    ("tea", "add 1 and 2"),
    ("tea", "I like tea"),
    ("tea", "ask writer: a poem"),
    ("tea", "not previewed"),
    ("milk", "m" * 300),
    ("now", "here"),
]
"""Sessions, and messages in them."""

ASKED = [
    SEARCH,
    'call read_past_session {"session_id": "tea"}',
    'call read_past_session {"session_id": "tea", "num_runs": 1}',
    'call read_past_session {"session_id": "never"}',
]


def agent(**settings: Any) -> Agent:
    return Agent(**{"id": "agent", "name": "agent", "model": DemoModel(), "search_past_sessions": True} | settings)


def team(**settings: Any) -> Team:
    member = Agent(id="writer", name="writer", model=DemoModel())
    return Team(id="team", name="team", model=DemoModel(), members=[member], search_past_sessions=True, **settings)


COMPONENTS: dict[str, Callable[..., Any]] = {"agent": agent, "team": team}


def result_of(run: dict[str, Any], tool: str) -> str:
    """What the tool answered in this run."""
    (called,) = [each for each in run["tools"] if each["tool_name"] == tool]
    result: str = called["result"]
    return result


def main() -> None:
    from agno.db.sqlite import SqliteDb  # noqa: PLC0415 - only the environment of the released AgentOS has it

    clock = iter(range(1, sys.maxsize))
    time.time = lambda: float(next(clock))
    answers: dict[str, dict[str, str]] = {}
    for name, make in COMPONENTS.items():
        component = make(db=SqliteDb(db_url="sqlite://"), telemetry=False)
        for session_id, text in SAID:
            component.run(text, session_id=session_id, user_id="ada")
        answers[name] = {
            message: result_of(component.run(message, session_id="now", user_id="ada").to_dict(), message.split()[1])
            for message in ASKED
        }
    print(json.dumps(answers))  # noqa: T201


if __name__ == "__main__":
    main()
