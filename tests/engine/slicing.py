"""A run of an engine in slices: what goes from one to the next goes through JSON, as into another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import Event, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.work_json import carried_from_json, carried_to_json
from tests.engine.playing import Played, play, through_json

MAX_SLICES = 20


@dataclass(frozen=True)
class Sliced:
    slices: list[Played]

    @property
    def events(self) -> list[Event]:
        return [event for played in self.slices for event in played.events]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    @property
    def outcome(self) -> EngineOutcome:
        return self.slices[-1].outcome


def at_once(run: AgnoRun) -> None:
    """Each slice ends at its first safe point."""
    run.hand_over()


def carried_by(played: Played, request: EngineRequest) -> EngineRequest:
    """The request of the next slice, in another process."""
    outcome = played.outcome
    assert outcome.status is RunStatus.PENDING
    left = Carried(
        request.work, 2**50, outcome.output, outcome.session, outcome.memories, through_json(outcome.state or {})
    )
    carried = carried_from_json(through_json(carried_to_json(left)))
    assert carried is not None
    return replace(request, carried=carried, stream=True)


def in_slices(
    engine: AgnoEngine,
    request: EngineRequest,
    *,
    first: Callable[[AgnoRun], None] = at_once,
    between: Callable[[EngineRequest], EngineRequest] = lambda request: request,
    **options: Any,
) -> Sliced:
    """Play the run; ``first`` gets each slice before it starts, ``between`` the request of the next one."""
    played = [play(engine, request, first=first, **options)]
    while played[-1].outcome.status is RunStatus.PENDING:
        assert len(played) < MAX_SLICES
        request = between(carried_by(played[-1], request))
        played.append(play(engine, request, first=first, **options))
    return Sliced(played)
