"""Objects as the input of agents and teams.

agno hands an object on to the functions of a workflow; an agent or a team without an ``input_schema`` takes none, and
answers as if nothing had been said. It gets the object as text, in the form that agno gives to one with a schema.
"""

from __future__ import annotations

import json
from functools import wraps
from typing import Any, cast

from agno.agent import Agent
from agno.team import Team


def take_objects_as_text(part: Agent | Team) -> None:
    """Have the agent or team read any object. It has to be a run's own copy."""
    if part.input_schema is not None:
        return
    arun: Any = part.arun

    @wraps(arun)
    def arun_with_text(*arguments: Any, **options: Any) -> Any:
        if "input" in options:
            options["input"] = _as_text(options["input"])
        return arun(*arguments, **options)

    cast(Any, part).arun = arun_with_text


def _as_text(value: Any) -> Any:
    """Text for an object, unless it is a message with a role, which agno reads itself."""
    if isinstance(value, dict) and "role" not in value:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return value
