"""A session's fields, from agno's session: the one flat, the other nested."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agentos_lambda.engine.shown_runs import OF_ONE_RUN
from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.runs.session_fields import DATA, EMPTY_STATE, STATE, WHOLE, state_fields

_REMOVABLE = ("metadata", "summary")
"""The others tell of the session's component: sessions of other kinds of component do not have them."""


def to_fields(session: JsonObject) -> dict[str, Json]:
    """The fields of a session in agno's form. What is null is absent."""
    data = session.get("session_data") or {}
    state = data.get("session_state") or {}
    fields = state_fields({key: value for key, value in state.items() if key not in OF_ONE_RUN})
    fields |= {DATA + key: value for key, value in data.items() if key != "session_state" and value is not None}
    if data.get("session_state") == {}:
        fields[EMPTY_STATE] = {}
    return fields | {name: session[name] for name in WHOLE if session.get(name) is not None}


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
    return name.startswith((STATE, DATA)) or name in _REMOVABLE
