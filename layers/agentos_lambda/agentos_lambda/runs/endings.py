"""How runs end. Executor, service and sweeper make their endings here.

Names and shapes of the terminal events are those of the AgentOS 3.1 API. A cancelled run ends with two events, the
second one a completion: clients of that API take the first as decisive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agentos_lambda.protocol.events import TERMINAL_EVENTS, cancel_reason, terminal_event
from agentos_lambda.protocol.values import Event, JsonObject, Kind, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import describe
from agentos_lambda.runs.engine_ports import EngineOutcome
from agentos_lambda.runs.errors import CancelWins, ComponentUnusable, NotFound, NotStorable, SessionTaken
from agentos_lambda.runs.model import Ending, EventPack, RunOutput, RunRecord, Session, SessionDelta
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.timing import MAX_UNLOGGED_EVENTS
from agentos_lambda.runs.titles import title_of
from agentos_lambda.runs.usage import Usage
from agentos_lambda.runs.work_json import carried_to_json

DEADLINE_EXCEEDED = "deadline exceeded"
COMPONENT_CHANGED = "component changed"
EXECUTION_LOST = "execution lost"
NEVER_STARTED = "never started"
NEVER_CARRIED_ON = "never carried on"
NOT_STORED = "the result of the run could not be stored; it will be reported as lost"
SESSION_TAKEN = "the session belongs to another user"
TOO_LARGE = "the result of the run is too large to be stored"
"""Errors of runs that no component has caused, as callers read them."""

_MAX_ERROR_LENGTH = 2_000
"""Characters of an error in the record, which has to stay small. The output has all of it."""


def is_terminal(event: Event, record: RunRecord) -> bool:
    """Whether the event ends this very run, and not one of its members or steps."""
    return event.get("event") in TERMINAL_EVENTS[record.kind] and event.get("run_id") == record.run_id


def terminal_events(
    record: RunRecord,
    name: str,
    status: RunStatus,
    *,
    now: int,
    content: str | None = None,
    error: str | None = None,
) -> tuple[Event, ...]:
    """The events of an ending for which the engine gave none. ``name`` is the component's.

    ``content`` is the text so far, if there is any.
    """

    def event(of: RunStatus, **fields: object) -> Event:
        return {
            "created_at": now // 1000,
            "event": terminal_event(record.kind, of),
            f"{record.kind}_id": record.component_id,
            f"{record.kind}_name": name,
            "run_id": record.run_id,
            "session_id": record.session_id,
            "nested_depth": 0,
            **{name: value for name, value in fields.items() if value is not None},
        }

    match status:
        case RunStatus.CANCELLED:
            reason = cancel_reason(record.run_id)
            return (
                event(RunStatus.CANCELLED, content=content or reason, reason=reason),
                event(RunStatus.COMPLETED, content=content or reason),
            )
        case RunStatus.ERROR if record.kind is Kind.WORKFLOW:
            return (event(RunStatus.ERROR, error=error),)
        case RunStatus.ERROR:
            return (event(RunStatus.ERROR, content=error, error_type="RunError"),)
        case _:
            return (event(status, content=content),)


class EndingMaker:
    """Makes every ending: of an attempt with an outcome, and of a run without an executor."""

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    def events_of(self, record: RunRecord, name: str, outcome: EngineOutcome) -> list[Event]:
        """The terminal events of an outcome that has none of the engine's. A run that is handed over has none."""
        if outcome.status is RunStatus.PENDING:
            return []
        content = outcome.output.run.get("content")
        text = content if isinstance(content, str) else None
        now = self._clock.now()
        return list(terminal_events(record, name, outcome.status, now=now, content=text, error=outcome.error))

    def of_attempt(
        self,
        record: RunRecord,
        outcome: EngineOutcome,
        last_events: EventPack | None,
        *,
        read: Session | None = None,
        used: Usage | None = None,
    ) -> Ending:
        """The ending of an attempt. ``last_events``: its last pack with the terminal events; None if it has no log.
        ``read``: the session as the run has read it. ``used``: what the run has used, if more than the record says."""
        run = {**outcome.output.run, "status": outcome.status.value}
        unchecked = outcome.output.unchecked if outcome.status is RunStatus.PAUSED else None
        return Ending(
            before=record,
            status=outcome.status,
            ended_at=self._clock.now(),
            token=self._new_id(),
            output=replace(outcome.output, run=run, unchecked=unchecked),
            session=outcome.session,
            read=read,
            title=title_of(record.kind, run),
            # Who has a run cancelled does not want it to have remembered anything.
            memories=() if outcome.status is RunStatus.CANCELLED else outcome.memories,
            error=outcome.error and outcome.error[:_MAX_ERROR_LENGTH],
            last_events=last_events,
            sealed_at=last_events.last_index if last_events is not None else None,
            withdrawn=outcome.withdrawn,
            used=used,
        )

    def handed_over(
        self,
        record: RunRecord,
        carried: Carried,
        last_events: EventPack | None,
        *,
        sealed_at: int | None,
        used: Usage | None = None,
    ) -> Ending:
        """The ending of a slice. ``last_events``: its last pack; None if all its events are logged. ``sealed_at``: the
        index of its last event, if it has any. ``used``: what the run has used, if more than the record says."""
        return Ending(
            before=record,
            status=RunStatus.PENDING,
            ended_at=self._clock.now(),
            token=self._new_id(),
            output=carried.output,
            last_events=last_events,
            sealed_at=sealed_at,
            work=carried_to_json(carried),
            used=used,
        )

    def revived(self, record: RunRecord, work: JsonObject) -> Ending:
        """The ending of an attempt that has taken over a durable run from a dead one, to hand it over with this work.

        Clients may have got events that were not logged, so the next attempt's come after a gap.
        """
        return Ending(
            before=record,
            status=RunStatus.PENDING,
            ended_at=self._clock.now(),
            token=self._new_id(),
            output=RunOutput({}),
            sealed_at=record.next_index + MAX_UNLOGGED_EVENTS - 1,
            work=work,
        )

    def cancelled_at_rest(
        self, record: RunRecord, name: str, left: RunOutput | None, *, session: SessionDelta | None = None
    ) -> Ending:
        """The ending of a run that waits for a worker or for its caller. It keeps the text that it has.

        ``left``: what the run has left so far, if it has begun. ``session``: its changes that are not committed.
        """
        return self._cancelled(record, name, left, first_index=record.next_index, session=session)

    def abandoned(
        self, record: RunRecord, name: str, left: RunOutput | None, *, error: str | None, withdrawn: bool = False
    ) -> Ending:
        """The ending of a run whose executor has died, or that no worker took: ERROR, or CANCELLED without an error.

        Clients may have got events that were not logged, so its events come after a gap.
        """
        first_index = record.next_index + MAX_UNLOGGED_EVENTS
        if error is None:
            return self._cancelled(record, name, left, first_index=first_index, withdrawn=withdrawn)
        output = left or RunOutput(describe(record, name))
        output = replace(output, run={**output.run, "content": error})
        status = RunStatus.ERROR
        return self._idle(record, name, status, output, first_index=first_index, error=error, withdrawn=withdrawn)

    def _cancelled(
        self,
        record: RunRecord,
        name: str,
        left: RunOutput | None,
        *,
        first_index: int,
        session: SessionDelta | None = None,
        withdrawn: bool = False,
    ) -> Ending:
        output = left or RunOutput(describe(record, name))
        so_far = output.run.get("content")
        content = cancel_reason(record.run_id) if so_far in (None, "") else so_far
        said = content if record.status is not RunStatus.PAUSED and isinstance(content, str) else None
        return self._idle(
            record,
            name,
            RunStatus.CANCELLED,
            replace(output, run={**output.run, "content": content}),
            first_index=first_index,
            content=said,
            session=session,
            withdrawn=withdrawn,
        )

    def _idle(
        self,
        record: RunRecord,
        name: str,
        status: RunStatus,
        output: RunOutput,
        *,
        first_index: int,
        content: str | None = None,
        error: str | None = None,
        session: SessionDelta | None = None,
        withdrawn: bool = False,
    ) -> Ending:
        events = terminal_events(record, name, status, now=self._clock.now(), content=content, error=error)
        outcome = EngineOutcome(status, output, session or SessionDelta(), error, withdrawn=withdrawn)
        # Only a workflow's run has followers, and none that has got its pause.
        untold = record.kind is Kind.WORKFLOW and record.logged and record.status is not RunStatus.PAUSED
        return replace(self.of_attempt(record, outcome, EventPack(first_index, events)), untold=untold)


def commit_idle(store: Store, ending: Ending) -> RunRecord:
    """Commit the ending of a run without an executor; only in the record and the log if its session has become another
    user's.

    Raises what ``Store.commit`` does, except ``SessionTaken``.
    """
    try:
        return store.commit(ending)
    except SessionTaken:
        return store.commit_without_session(ending)


def failed(outcome: EngineOutcome, error: str) -> EngineOutcome:
    """The outcome as ERROR, with all that it has."""
    run = {**outcome.output.run, "content": outcome.output.run.get("content") or error}
    output = replace(outcome.output, run=run)
    return replace(outcome, status=RunStatus.ERROR, error=error, output=output, answer=None)


def without_session(outcome: EngineOutcome, error: str) -> EngineOutcome:
    """The outcome without its changes to the session, which cannot be stored: ERROR, unless it ended badly anyway."""
    outcome = replace(outcome, session=SessionDelta(), answer=None)
    if outcome.status in (RunStatus.ERROR, RunStatus.CANCELLED):
        return outcome
    run = {name: value for name, value in outcome.output.run.items() if name != "session_state"}
    output = replace(outcome.output, run={**run, "content": error})
    return replace(outcome, status=RunStatus.ERROR, error=error, output=output)


def failed_bare(record: RunRecord, name: str, error: str) -> EngineOutcome:
    """ERROR, with nothing but what the record says."""
    bare = EngineOutcome(RunStatus.ERROR, RunOutput(describe(record, name)), SessionDelta())
    return failed(bare, error)


def unusable(
    record: RunRecord, name: str, carried: Carried | None, error: ComponentUnusable | NotFound
) -> EngineOutcome:
    """ERROR of a run whose component cannot be used, with what earlier slices have left, if there were any."""
    if carried is None:
        return failed_bare(record, name, str(error))
    so_far = EngineOutcome(RunStatus.ERROR, carried.output, carried.session)
    return failed(so_far, COMPONENT_CHANGED if isinstance(error, NotFound) else str(error))


def after_refusal(
    outcome: EngineOutcome, refusal: CancelWins | NotStorable | SessionTaken, record: RunRecord, name: str
) -> EngineOutcome:
    """What to commit after the store has refused the outcome. Raises the refusal if there is nothing smaller left."""
    match refusal:
        case CancelWins():
            content = outcome.output.run.get("content")
            text = content if isinstance(content, str) and content else cancel_reason(record.run_id)
            output = replace(outcome.output, run={**outcome.output.run, "content": text})
            return replace(outcome, status=RunStatus.CANCELLED, output=output, error=None, answer=None)
        case SessionTaken():
            return replace(failed_bare(record, name, SESSION_TAKEN), withdrawn=outcome.withdrawn)
        case _ if outcome.error == TOO_LARGE:
            raise refusal
        case _:
            return replace(failed_bare(record, name, TOO_LARGE), withdrawn=outcome.withdrawn)
