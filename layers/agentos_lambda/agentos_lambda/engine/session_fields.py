"""A session's fields, and agno's session: the one flat, the other nested.

Fields are merged one by one when runs of a session end, so each is as small as it can be: ``state:KEY`` and
``data:KEY`` for the top-level keys of the session state and the other session data; the rest is whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from agentos_lambda.engine.shown_runs import OF_ONE_RUN
from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.model import SessionDelta

_STATE = "state:"
_DATA = "data:"
_WHOLE = ("metadata", "summary", "agent_data", "team_data", "workflow_data", "workflow_name")
_REMOVABLE = ("metadata", "summary")
"""The others tell of the session's component: sessions of other kinds of component do not have them."""


def to_fields(session: JsonObject) -> dict[str, Json]:
    """The fields of a session in agno's form. What is null is absent."""
    data = session.get("session_data") or {}
    state = data.get("session_state") or {}
    fields = {_STATE + key: value for key, value in state.items() if key not in OF_ONE_RUN}
    fields |= {_DATA + key: value for key, value in data.items() if key != "session_state" and value is not None}
    return fields | {name: session[name] for name in _WHOLE if session.get(name) is not None}


def from_fields(fields: Mapping[str, Json]) -> JsonObject:
    """The part of agno's session that the fields hold."""
    state = {name.removeprefix(_STATE): value for name, value in fields.items() if name.startswith(_STATE)}
    data = {name.removeprefix(_DATA): value for name, value in fields.items() if name.startswith(_DATA)}
    whole = {name: fields[name] for name in _WHOLE if name in fields}
    return {"session_data": {**data, "session_state": state}, **whole}


def difference(loaded: Mapping[str, Json], left: Mapping[str, Json]) -> SessionDelta:
    """What has to change in the loaded fields to become those that a run left. Foreign fields stay untouched."""
    return SessionDelta(
        set={name: value for name, value in left.items() if name not in loaded or not _same(loaded[name], value)},
        remove=frozenset(name for name in loaded if name not in left and _is_the_engines(name)),
    )


def _same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON. Python takes true for 1, and 1 for 1.0."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _is_the_engines(name: str) -> bool:
    return name.startswith((_STATE, _DATA)) or name in _REMOVABLE
