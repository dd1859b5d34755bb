"""Runs and events as they are shown and stored, without what agno keeps in them for itself."""

from __future__ import annotations

from agentos_lambda.protocol.values import Json, JsonObject

OF_ONE_RUN = frozenset({"current_session_id", "current_user_id", "current_run_id"})
"""What agno puts into the session state for the time of a run. It takes it out of the run's own state, and leaves it
in those of members and steps."""

RUNS_WITHIN = ("member_responses", "step_executor_runs")
"""The fields of a run that hold the runs of its members and steps."""


def as_shown(value: JsonObject) -> JsonObject:
    """A run or an event: the session state alone, and no events of failed runs, which the log has. At any depth."""
    shown = {name: item for name, item in value.items() if name != "events"}
    state = shown.get("session_state")
    if isinstance(state, dict) and not OF_ONE_RUN.isdisjoint(state):
        shown["session_state"] = {name: item for name, item in state.items() if name not in OF_ONE_RUN}
    for name in RUNS_WITHIN:
        if isinstance(shown.get(name), list):
            shown[name] = [_run(inner) for inner in shown[name]]
    return shown


def _run(value: Json) -> Json:
    return as_shown(value) if isinstance(value, dict) else value
