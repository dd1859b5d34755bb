"""The fields of a session: flat, because each is as small as it can be when runs of a session end at once.

``state:KEY`` and ``data:KEY`` are the top-level keys of the session state and of the other session data (AgentOS 3.1);
the rest is whole, under a plain name.
"""

from __future__ import annotations

from collections.abc import Mapping

from agentos_lambda.protocol.values import Json, JsonObject

STATE = "state:"
DATA = "data:"
NAME_FIELD = f"{DATA}session_name"
"""The name that a session was given, for the engine."""
EMPTY_STATE = f"{DATA}session_state"
"""Of a session whose state is empty, other than that of one which has none. The engine's session has the state under
this name."""
WHOLE = ("metadata", "summary", "agent_data", "team_data", "workflow_data", "workflow_name")


def state_fields(state: JsonObject) -> dict[str, Json]:
    """The fields of a session state."""
    return {STATE + key: value for key, value in state.items()}


def from_fields(fields: Mapping[str, Json]) -> JsonObject:
    """The part of the engine's session that the fields hold."""
    state = {name.removeprefix(STATE): value for name, value in fields.items() if name.startswith(STATE)}
    data = {name.removeprefix(DATA): value for name, value in fields.items() if name.startswith(DATA)}
    whole = {name: fields[name] for name in WHOLE if name in fields}
    return {"session_data": {**data, "session_state": state}, **whole}
