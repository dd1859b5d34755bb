"""Plays a run to its end, and keeps what was seen."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import Event, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.model import Continuation, Media, RunInput, RunOutput, Session, StoredRun

CANCEL_GRACE_SECONDS = 0.05
"""Shorter than in production, so that tests wait less."""

DEADLINE = 60.0
"""Seconds after which a run that should have ended counts as hung. On a busy machine a client takes some 20 of them to
build the types of what it reads first."""


@dataclass(frozen=True)
class Played:
    events: list[Event]
    outcome: EngineOutcome
    leftover: int
    """Tasks that still ran after the run had ended."""

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    @property
    def content(self) -> str:
        content: str = self.outcome.output.run["content"]
        return content

    def of(self, name: str) -> Event:
        return next(event for event in self.events if event["event"] == name)


def engine_of(*components: object) -> AgnoEngine:
    kinds = {"Agent": "agents", "Team": "teams", "Workflow": "workflows"}
    lists: dict[str, Any] = {
        name: [c for c in components if kinds[type(c).__name__] == name] for name in kinds.values()
    }
    return AgnoEngine(Components(**lists), cancel_grace_seconds=CANCEL_GRACE_SECONDS)


def request_of(
    component: str, message: object, *, stream: bool = True, session: Session | None = None, **more: Any
) -> EngineRequest:
    """``component``: as ``agent/ID``."""
    kind, _, component_id = component.partition("/")
    fields: dict[str, Any] = {"run_id": "run-1", "session_id": "session-1", "user_id": "ada"}
    fields |= {name: more.pop(name) for name in list(more) if name in fields}
    return EngineRequest(
        kind=Kind(kind),
        component_id=component_id,
        work=RunInput(message=message, **more),
        session=session,
        stream=stream,
        **fields,
    )


def play(
    engine: AgnoEngine,
    request: EngineRequest,
    *,
    first: Callable[[AgnoRun], None] | None = None,
    seeing: Callable[[Event, AgnoRun], None] | None = None,
    loop: asyncio.Runner | None = None,
) -> Played:
    """Run it in ``loop``, or in an event loop of its own. ``first`` gets the run before it starts, ``seeing`` each
    event."""

    async def run() -> Played:
        running = engine.start(request)
        if first is not None:
            first(running)
        events = []
        async with asyncio.timeout(DEADLINE):
            async for event in running.events():
                events.append(event)
                if seeing is not None:
                    seeing(event, running)
        return Played(events, running.outcome(), await leftover_tasks())

    return asyncio.run(run()) if loop is None else loop.run(run())


async def leftover_tasks() -> int:
    """The tasks beside the caller's, once those that are about to end had their turn."""
    for _ in range(20):
        await asyncio.sleep(0)
    return len(asyncio.all_tasks()) - 1


def cancelling_at(name: str) -> Callable[[Event, AgnoRun], None]:
    """Cancels the run when an event of this name comes."""

    def cancel(event: Event, run: AgnoRun) -> None:
        if event["event"] == name:
            run.cancel()

    return cancel


def session_after(played: Played, request: EngineRequest) -> Session:
    """The session as the next process reads it: what the run left, through JSON."""
    before = request.session
    fields = dict(before.fields) if before else {}
    fields |= played.outcome.session.set
    for name in played.outcome.session.remove:
        del fields[name]
    stored = StoredRun(
        run_id=request.run_id,
        kind=request.kind,
        component_id=request.component_id,
        status=played.outcome.status,
        accepted_at=1,
        output=RunOutput.from_json(through_json(played.outcome.output.to_json())),
    )
    return Session(
        session_id=request.session_id,
        kind=request.kind,
        component_id=request.component_id,
        user_id=request.user_id,
        created_at=1_700_000_000_000,
        updated_at=1_700_000_000_000,
        fields=through_json(fields),
        runs=(*(before.runs if before else ()), stored),
    )


def continuing(played: Played, request: EngineRequest, **decisions: list[dict[str, Any]]) -> EngineRequest:
    """The request that lets the paused run go on, as another process makes it of what was stored."""
    session = session_after(played, request)
    *earlier, paused = session.runs
    assert paused.status is RunStatus.PAUSED
    work = Continuation(**{name: tuple(through_json(sent)) for name, sent in decisions.items()})
    return replace(request, work=work, session=replace(session, runs=tuple(earlier)), paused=paused.output)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def media(kind: str, content: bytes, filename: str, mime_type: str | None) -> Media:
    return Media(kind=kind, content=content, filename=filename, mime_type=mime_type)
