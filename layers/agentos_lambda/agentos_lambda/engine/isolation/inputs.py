"""Objects that callers send are data, whatever keys they have.

agno reads an object with a key ``role`` as one of its messages: with files by path, with the role of the system, with
tool calls that nobody made. So an agent or a team gets an object as its JSON text. A workflow's function gets the
object itself; handed on to an agent, it still does not become a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, cast

from agno.agent import Agent
from agno.models.message import Message
from agno.team import Team
from pydantic import BaseModel

from agentos_lambda.engine.to_json import plain
from agentos_lambda.protocol.values import Json


class CallerObject(dict[str, Json]):
    """An object that a caller sent."""


def as_data(value: Json) -> Json:
    """A caller's value with all its objects marked as such, at any depth."""
    if isinstance(value, dict):
        return CallerObject({key: as_data(item) for key, item in value.items()})
    return [as_data(item) for item in value] if isinstance(value, list) else value


def as_text(value: object) -> Json:
    """JSON text for an object, in the form that agno gives to one with a schema; text as it is."""
    value = plain(value)
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else value


def take_objects_as_text(part: Agent | Team) -> None:
    """Have a run's own agent or team read any object as text: also what a function made of a caller's."""
    _replace_input(part, "arun", _without_objects)


@cache
def never_read_callers_objects_as_messages() -> None:
    """Have every agent and team of this process read a caller's object as text, whoever hands it on."""
    for component in (Agent, Team):
        for method in ("run", "arun"):
            _replace_input(component, method, _without_callers_objects)


def _replace_input(holder: object, method: str, read: Callable[[Any], Any]) -> None:
    run: Any = getattr(holder, method)
    place = 1 if isinstance(holder, type) else 0  # of the input among the arguments: behind the component itself

    @wraps(run)
    def run_with_text(*arguments: Any, **options: Any) -> Any:
        if "input" in options:
            options["input"] = read(options["input"])
        elif len(arguments) > place:
            arguments = (*arguments[:place], read(arguments[place]), *arguments[place + 1 :])
        return run(*arguments, **options)

    setattr(cast(Any, holder), method, run_with_text)


def _without_objects(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, Message) for item in value):
        return _without_callers_objects(value)  # a conversation that a component made
    if value is None or isinstance(value, str | BaseModel | Message):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    text = as_text(value)
    return text if isinstance(text, str) else json.dumps(text)


def _without_callers_objects(value: Any) -> Any:
    if isinstance(value, CallerObject):
        return as_text(value)
    if isinstance(value, list) and any(isinstance(item, CallerObject) for item in value):
        return [Message(role="user", content=as_text(i)) if isinstance(i, CallerObject) else i for i in value]
    return value
