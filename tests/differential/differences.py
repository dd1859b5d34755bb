"""Where our answers differ from those of AgentOS 3.1.10 on purpose, each with its reason.

A difference says for a request and the two answers whether it is one of its kind. It then gives what is compared
instead of each answer; None if nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.differential.servers import Asked

VOLATILE = {
    "duration", "time_to_first_token", "start_time", "end_time",
    "id", "step_id", "step_run_id", "child_run_id", "workflow_step_id",
}  # fmt: skip
"""Ids and measurements that are new each time."""
OF_ONE_RUN = {"current_session_id", "current_user_id", "current_run_id"}
"""AgentOS leaves them in the states of members' runs, we take them out."""


def steady(value: Any, key: str = "") -> Any:
    """The value without what differs between any two servers of the same kind."""
    if isinstance(value, dict):
        # The engine takes the time of runs and messages from the machine's clock.
        timed = {"created_at"} if {"run_id", "role", "tool_call_id"} & value.keys() else set()
        dropped = VOLATILE | OF_ONE_RUN | timed
        return {name: steady(item, name) for name, item in value.items() if name not in dropped}
    if isinstance(value, list):
        return [steady(item, key) for item in value]
    if key in ("run_id", "parent_run_id") and value and not str(value).startswith("run-"):
        return "another run"
    if key == "memory_id" and not str(value).startswith("memory-"):
        return "another memory"
    return value


@dataclass(frozen=True)
class Difference:
    """One kind of difference."""

    name: str
    reason: str
    applies: Callable[[Asked, httpx.Response, httpx.Response], bool]
    """To the request, AgentOS's answer and ours."""
    compared: Callable[[Any, Any], tuple[Any, Any]] | None = None
    """What is compared of AgentOS's JSON and of ours; None if nothing is."""


def _is_error(_asked: Asked, released: httpx.Response, ours: httpx.Response) -> bool:
    return released.status_code == ours.status_code >= 400


def _in_both(reduced: Callable[[Any], Any]) -> Callable[[Any, Any], tuple[Any, Any]]:
    return lambda theirs, own: (reduced(theirs), reduced(own))


def _without(value: Any, *names: str) -> Any:
    return {name: item for name, item in value.items() if name not in names}


def _without_workflow_summaries(value: Any) -> Any:
    items = [
        _without(each, "session_summary") if each["session_type"] == "workflow" else each for each in value["data"]
    ]
    return {**value, "data": items}


def _without_empty_metadata(value: Any) -> Any:
    return {**value, "data": [each if each.get("metadata") else _without(each, "metadata") for each in value["data"]]}


_LOST = ("session_state", "session_data", "metrics", "total_tokens", "agent_data", "team_data")


def _tokens(session: Any) -> int:
    metrics = session.get("metrics") or (session.get("session_data") or {}).get("session_metrics") or {}
    return int(metrics.get("total_tokens", 0))


def _without_what_is_lost(theirs: Any, own: Any) -> tuple[Any, Any]:
    if isinstance(theirs, dict) and "data" in theirs and len(theirs["data"]) == len(own["data"]):
        pairs = [_without_what_is_lost(*pair) for pair in zip(theirs["data"], own["data"], strict=True)]
        return {**theirs, "data": [pair[0] for pair in pairs]}, {**own, "data": [pair[1] for pair in pairs]}
    if isinstance(theirs, dict) and _tokens(theirs) < _tokens(own):
        return _without(theirs, *_LOST), _without(own, *_LOST)
    return theirs, own


def _of_runs(asked: Asked, released: httpx.Response, ours: httpx.Response) -> bool:
    """Whether it is a list of a session's runs, or one of them."""
    return released.status_code == ours.status_code == 200 and re.search("/runs(/[^/]+)?$", asked.path) is not None


def _without_events(value: Any) -> Any:
    return [_without(each, "events") for each in value] if isinstance(value, list) else _without(value, "events")


def _without_metadata_of_teams(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_metadata_of_teams(each) for each in value]
    return _without(value, "metadata") if value.get("team_id") or value.get("parent_run_id") else value


def _of_memories(asked: Asked, released: httpx.Response, ours: httpx.Response) -> bool:
    """Whether it is a list of memories, or of users with memories."""
    answered = released.status_code == ours.status_code == 200
    return answered and asked.method == "GET" and asked.path in ("/memories", "/user_memory_stats")


def _without_their_times(theirs: Any, own: Any) -> tuple[Any, Any]:
    """What is the same however users are sorted: of a page of several its size, else the users."""
    if isinstance(theirs, list):
        return theirs, own
    if theirs["meta"]["total_pages"] > 1:
        return theirs["meta"], own["meta"]
    users = [sorted((each["user_id"], each["total_memories"]) for each in some["data"]) for some in (theirs, own)]
    return users[0], users[1]


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "memories sorted by a field that they do not have",
        "AgentOS does not sort them. Ours are in the order of the last change.",
        lambda asked, released, ours: (
            _of_memories(asked, released, ours) and (asked.params or {}).get("sort_by") == "nothing"
        ),
    ),
    Difference(
        "a page of memories behind the last one",
        "AgentOS says that there are none at all. Ours says how many there are.",
        lambda asked, released, ours: _of_memories(asked, released, ours) and not released.json()["data"],
        _in_both(lambda value: value["data"]),
    ),
    Difference(
        "order of topics",
        "That of AgentOS is by chance. Ours is alphabetical.",
        lambda asked, released, ours: asked.path == "/memory_topics" and released.status_code == 200,
        _in_both(sorted),
    ),
    Difference(
        "a summary of memories that is longer than they were",
        "AgentOS stores it, answers 500, and its words are pydantic's. Ours has saved no token.",
        lambda asked, released, ours: (
            asked.path == "/optimize-memories"
            and (released.status_code, ours.status_code) == (500, 200)
            and "tokens_saved" in released.json()["detail"]
            and ours.json()["tokens_saved"] == 0
        ),
    ),
    Difference(
        "when the memories of a user were changed last",
        "In AgentOS it is the time of the newest that is left. In ours a deletion is a change, too.",
        lambda asked, released, ours: asked.path == "/user_memory_stats" and released.status_code == 200,
        _without_their_times,
    ),
    Difference(
        "events of a run that is read",
        "AgentOS has all of a stream, and none of a run that was not streamed. Ours has the last one.",
        _of_runs,
        _in_both(_without_events),
    ),
    Difference(
        "metadata of a team's session",
        "In AgentOS a team's run has them only when it goes on, unlike those of other kinds. Ours always has.",
        _of_runs,
        _in_both(_without_metadata_of_teams),
    ),
    Difference(
        "sessions sorted by a field that they do not have",
        "AgentOS does not sort them. Ours are in the order of their creation.",
        lambda asked, released, ours: (
            asked.path == "/sessions" and (asked.params or {}).get("sort_by") == "nothing" and released.is_success
        ),
        _in_both(lambda value: {**value, "data": []}),
    ),
    Difference(
        "search for a name",
        "AgentOS searches in the JSON of a session, with wildcards and without letters beyond ASCII. Ours finds names.",
        lambda asked, released, ours: (
            asked.path == "/sessions"
            and (asked.params or {}).get("session_name") in ("%", "Zoë")
            and released.is_success
        ),
    ),
    Difference(
        "a body that is no object",
        "It is a 400 at every route of ours.",
        lambda asked, released, ours: (
            isinstance(asked.json, list) and (released.status_code, ours.status_code) == (422, 400)
        ),
    ),
    Difference(
        "answer of a run",
        "It is compared in tests/engine/test_same_as_agentos.py; here runs only fill sessions.",
        lambda asked, released, ours: asked.form is not None and released.status_code == ours.status_code == 200,
    ),
    Difference(
        "summary of a workflow's session",
        "AgentOS takes it in a PATCH, answers 200 and drops it. Ours keeps it, and lists it.",
        lambda asked, released, ours: asked.path == "/sessions" and released.status_code == ours.status_code == 200,
        _in_both(_without_workflow_summaries),
    ),
    Difference(
        "empty metadata of a workflow's session",
        "AgentOS lists them as empty or not at all, as the last request or run has left them. Ours are empty.",
        lambda asked, released, ours: asked.path == "/sessions" and released.status_code == ours.status_code == 200,
        _in_both(_without_empty_metadata),
    ),
    Difference(
        "what runs leave in a session that was created without name and state",
        "AgentOS keeps the runs and loses their state and their metrics. Ours keeps both.",
        lambda asked, released, ours: "/sessions" in asked.path and released.status_code == ours.status_code == 200,
        _without_what_is_lost,
    ),
    Difference(
        "format of a 422",
        "Every error has one format, with a sentence for `detail` and the fields beside it.",
        lambda asked, released, ours: released.status_code == ours.status_code == 422,
    ),
    Difference(
        "error_code",
        "Every error has a code for programs besides AgentOS's sentence.",
        _is_error,
        _in_both(lambda value: _without(value, "error_code")),
    ),
)
