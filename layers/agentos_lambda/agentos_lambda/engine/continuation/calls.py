"""The ids of tool calls in a paused run, each of one call only.

agno matches decisions and tool calls by the call's id, for a leader and all its members together. But a model gives ids
that are unique in its own conversation: small ones, and the demo model, begin again in each. Then a member's decision
took the place of its leader's call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.model import RunOutput

_LENGTH = 9
"""Characters of a new id: the shortest that a provider demands (Mistral takes exactly nine letters and digits)."""

Names = dict[tuple[str, str], str]
"""(run id, the call's id in that run) -> its new id."""


def with_unique_calls(paused: RunOutput) -> tuple[RunOutput, dict[str, str]]:
    """The run with a new id for each call whose id an outer or earlier run has too, and the new ids' old ones."""
    names = _new_names([paused.run, *paused.members])
    if not names:
        return paused, {}
    run = _renamed(paused.run, names, "")
    members = tuple(_renamed(member, names, "") for member in paused.members)
    return replace(paused, run=run, members=members), {new: old for (_, old), new in names.items()}


def _new_names(runs: list[JsonObject]) -> Names:
    taken: dict[str, str] = {}
    names: Names = {}
    for run in _runs_in(runs):
        run_id = run["run_id"]
        for call_id in _calls_of(run):
            if taken.setdefault(call_id, run_id) != run_id:
                names[run_id, call_id] = hashlib.sha256(f"{run_id} {call_id}".encode()).hexdigest()[:_LENGTH]
    return names


def _runs_in(value: Json) -> Iterator[JsonObject]:
    """Every run in the value, a leader's before those of its members."""
    if isinstance(value, list):
        for item in value:
            yield from _runs_in(item)
    elif isinstance(value, dict):
        if isinstance(value.get("run_id"), str):
            yield value
        for item in value.values():
            yield from _runs_in(item)


def _calls_of(run: JsonObject) -> Iterator[str]:
    tools = [tool.get("tool_call_id") for tool in run.get("tools") or ()]
    calls = [call.get("id") for each in run.get("messages") or () for call in each.get("tool_calls") or ()]
    yield from (call_id for call_id in (*tools, *calls) if isinstance(call_id, str))


def _renamed(value: Json, names: Names, owner: str) -> Json:
    if isinstance(value, list):
        return [_renamed(item, names, owner) for item in value]
    if not isinstance(value, dict):
        return value
    # A leader's requirement names the run of the member whose call it is about, a step's that of its agent or team.
    for field in ("run_id", "member_run_id", "executor_run_id"):
        if isinstance(value.get(field), str):
            owner = value[field]
    renamed = {name: _renamed(item, names, owner) for name, item in value.items()}
    if isinstance(call_id := value.get("tool_call_id"), str):
        renamed["tool_call_id"] = names.get((owner, call_id), call_id)
    if isinstance(calls := renamed.get("tool_calls"), list):
        renamed["tool_calls"] = [
            {**call, "id": names.get((owner, str(call["id"])), call["id"])} if "id" in call else call for call in calls
        ]
    return renamed
