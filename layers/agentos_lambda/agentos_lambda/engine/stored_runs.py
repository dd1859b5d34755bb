"""Runs as their components want them stored.

agno takes out what a component does not store when its run ends, and what a member does not when its team ends. A team
that pauses again would show until then what the members have done that have ended meanwhile; and a run that ends
between two slices would show for good all that it needed to go on. A member that has paused goes on from all it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any, Self

from agno.agent import Agent
from agno.agent._run import scrub_run_output_for_storage
from agno.run.agent import RunOutput
from agno.run.team import TeamRunOutput
from agno.team import Team
from agno.utils.agent import isolate_media_scrub_targets

from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.protocol.values import JsonObject, Kind

Find = Callable[[Any], Sequence[Agent | Team]]
"""The components that may have made a run."""

_SCRUBBED = ("messages", "input", "additional_input", "reasoning_messages", "images", "videos", "audio", "files")
"""The fields of a run that agno takes something out of."""


@dataclass(frozen=True, slots=True)
class _Stores:
    """Under agno's names for them."""

    store_media: bool
    store_tool_messages: bool
    store_history_messages: bool

    @classmethod
    def of(cls, owners: Sequence[Agent | Team]) -> Self:
        return cls(
            all(each.store_media for each in owners),
            all(each.store_tool_messages for each in owners),
            all(each.store_history_messages for each in owners),
        )


def as_stored(run: Any, find: Find) -> Any:
    """A member's run without what its component keeps out of the store, at any depth. The run itself stays as it is.

    Where several components go by the same id, what one of them keeps out is out.
    """
    stored = copy(run)
    if getattr(run, "member_responses", None):
        stored.member_responses = [as_stored(each, find) for each in run.member_responses]
    return _scrubbed(stored, _Stores.of([] if run.is_paused else find(run)))


def slice_as_stored(kind: Kind, run: JsonObject, find: Find) -> JsonObject:
    """The same for the run itself, as a slice has left it; the very run if all of it is stored."""
    agnos: Any = TeamRunOutput if kind is Kind.TEAM else RunOutput
    settings = _Stores.of(find(agnos(**{f"{kind}_id": run.get(f"{kind}_id")})))
    of_history = any(message.get("from_history") for message in run.get("messages") or ())
    if settings.store_media and settings.store_tool_messages and (settings.store_history_messages or not of_history):
        return run
    stored = plain_object(_scrubbed(agnos.from_dict(deepcopy(run)), settings).to_dict())
    kept = {name: value for name, value in run.items() if name not in _SCRUBBED}
    return kept | {name: stored[name] for name in _SCRUBBED if name in run and name in stored}


def _scrubbed(run: Any, settings: Any) -> Any:
    if not settings.store_media:
        isolate_media_scrub_targets(run)  # agno takes media out of the very messages
    scrub_run_output_for_storage(settings, run)
    return run


def may_have_made(part: Agent | Team, run: Any) -> bool:
    """Whether the run says that it is one of this part."""
    id_field = "team_id" if isinstance(part, Team) else "agent_id"
    return part.id is not None and getattr(run, id_field, None) == part.id
