"""The runs of members, as their components want them stored.

agno takes out what a member does not store when its team ends. A team that pauses again would show until then what the
members have done that have ended meanwhile. One that has paused goes on from all that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from agno.agent import Agent
from agno.agent._run import scrub_run_output_for_storage
from agno.team import Team
from agno.utils.agent import isolate_media_scrub_targets

Find = Callable[[Any], Sequence[Agent | Team]]
"""The components that may have made a run."""


@dataclass(frozen=True, slots=True)
class _Stores:
    """Under agno's names for them."""

    store_media: bool
    store_tool_messages: bool
    store_history_messages: bool


def as_stored(run: Any, find: Find) -> Any:
    """A member's run without what its component keeps out of the store, at any depth. The run itself stays as it is.

    Where several components go by the same id, what one of them keeps out is out.
    """
    stored = copy(run)
    if getattr(run, "member_responses", None):
        stored.member_responses = [as_stored(each, find) for each in run.member_responses]
    owners = [] if run.is_paused else find(run)
    settings: Any = _Stores(
        all(each.store_media for each in owners),
        all(each.store_tool_messages for each in owners),
        all(each.store_history_messages for each in owners),
    )
    isolate_media_scrub_targets(stored)
    scrub_run_output_for_storage(settings, stored)
    return stored


def may_have_made(part: Agent | Team, run: Any) -> bool:
    """Whether the run says that it is one of this part."""
    id_field = "team_id" if isinstance(part, Team) else "agent_id"
    return part.id is not None and getattr(run, id_field, None) == part.id
