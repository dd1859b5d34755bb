"""One attempt of a run: the engine driven, its events handed on, its ending committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from agentos_lambda.protocol.values import Event, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import describe
from agentos_lambda.runs.errors import (
    CancelWins,
    ComponentUnusable,
    Fenced,
    NotFound,
    NotStorable,
    SessionTaken,
    StoreUnavailable,
)
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import Component, Ending, IndexedEvent, RunOutput, RunRecord, Session, SessionDelta, Work
from agentos_lambda.runs.observer import Observer
from agentos_lambda.runs.ports import Engine, EngineOutcome, EngineRequest, EngineRun, FanOut, LiveRun, Store
from agentos_lambda.runs.supervisor import Keeper, StopReason
from agentos_lambda.runs.terminal import (
    DEADLINE_EXCEEDED,
    EXECUTION_LOST,
    NOT_STORED,
    SESSION_TAKEN,
    TOO_LARGE,
    cancel_reason,
    is_terminal,
    terminal_events,
)

log = logging.getLogger(__name__)

_LONGEST_ERROR = 2_000
"""Characters of an error in the record, which has to stay small. The output has all of it."""

_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the tries of an ending that the store did not answer: all together well within the lease."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has left RUNNING, and what it left. Whoever holds it may tell: it is stored."""

    record: RunRecord
    output: RunOutput


class Execution:
    """An attempt at work in a task of its own: whoever follows it may go away, the run goes on.

    Nothing that ends the run is handed to a follower before it is committed.
    """

    def __init__(
        self,
        record: RunRecord,
        component: Component,
        *,
        store: Store,
        engine: Callable[[], Engine],
        clock: Clock,
        observer: Observer,
        deadline: int | None,
        stream: bool,
        watched: bool,
        retire: Callable[[], None],
        fan_out: FanOut | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``record`` is claimed by the caller. ``engine`` may take long: it is called off the event loop. ``watched``:
        somebody iterates over ``events``."""
        self.record = record
        self._component = component
        self._store = store
        self._engine = engine
        self._clock = clock
        self._observer = observer
        self._stream = stream
        self._watched = watched
        self._retire = retire
        self._pause = pause
        # A run that began streamed may go on unstreamed: who follows it gets its end.
        followed = stream or record.logged
        self._buffer = LogBuffer(clock, record.next_index) if followed else None
        self._engine_run: EngineRun | None = None
        self._stopped = False
        self._keeper = Keeper(
            record, store, clock, log_buffer=self._buffer, deadline=deadline, on_stop=self._stop_engine
        )
        self._events: asyncio.Queue[IndexedEvent | None] = asyncio.Queue()
        self._task: asyncio.Task[Ended] | None = None
        self._fan_out = fan_out if followed else None
        self._live: LiveRun | None = None

    def start(self, work: Work, session: Session | None, paused: RunOutput | None) -> None:
        """Begin, in the running event loop. ``paused``: what a run that goes on has left so far."""
        self._task = asyncio.create_task(self._run(work, session, paused), name=f"run-{self.record.run_id}")
        self._task.add_done_callback(lambda _: self._events.put_nowait(None))

    async def ended(self) -> Ended:
        """Wait for the end. Raises ``StoreUnavailable`` if the ending could not be stored."""
        return await asyncio.shield(self.task)

    async def events(self) -> AsyncIterator[IndexedEvent]:
        """The events of the attempt as they happen, for one follower. Always ends with terminal events."""
        while (indexed := await self._events.get()) is not None:
            yield indexed
        try:
            self.task.result()
        except StoreUnavailable:
            return  # told by the last event

    @property
    def task(self) -> asyncio.Task[Ended]:
        """The attempt's task, once it has been started."""
        if self._task is None:
            raise RuntimeError("the execution has not been started")
        return self._task

    async def _run(self, work: Work, session: Session | None, paused: RunOutput | None) -> Ended:
        if self._fan_out is not None:
            self._live = self._fan_out.begin(self.record, holds_lease=self._keeper.holds_lease)
        try:
            return await self._run_and_commit(work, session, paused)
        finally:
            if self._live is not None:
                await asyncio.to_thread(self._live.end, self.record)

    async def _run_and_commit(self, work: Work, session: Session | None, paused: RunOutput | None) -> Ended:
        self._keeper.start()
        self._observer.started(self.record)
        try:
            outcome, terminal = await self._drive(work, session, paused)
        finally:
            await asyncio.to_thread(self._keeper.stop)
        if self._keeper.stop_reason is StopReason.DEADLINE and outcome.status is RunStatus.CANCELLED:
            outcome, terminal = self._failed(outcome, DEADLINE_EXCEEDED), []
        try:
            return await self._commit(outcome, terminal or self._terminal(outcome))
        finally:
            self._look_back()

    async def _drive(
        self, work: Work, session: Session | None, paused: RunOutput | None
    ) -> tuple[EngineOutcome, list[Event]]:
        """Run the engine to its end. Terminal events are kept back: they are true only once the run is committed."""
        record = self.record
        request = EngineRequest(
            record.kind,
            record.component_id,
            record.run_id,
            record.session_id,
            record.user_id,
            work,
            session,
            self._stream,
            paused,
        )
        try:
            engine = await asyncio.to_thread(self._engine)
            self._engine_run = run = engine.start(request)
        except (ComponentUnusable, NotFound) as error:
            log.warning("the component can not be used: %s", error, extra={"run_id": record.run_id})
            bare = EngineOutcome(RunStatus.ERROR, self._bare_output(), SessionDelta(), None)
            return self._failed(bare, str(error)), []
        if self._stopped:
            run.cancel()
        terminal: list[Event] = []
        began, first = self._clock.now(), True
        async for event in run.events():
            if first:
                self._observer.first_event(record, after=self._clock.now() - began)
                first = False
            if terminal or is_terminal(event, record):
                terminal.append(event)
            elif self._buffer is not None:
                indexed = self._buffer.add(event)
                self._hand_on(indexed)
                if self._live is not None:
                    self._live.publish(indexed)
                if self._buffer.due():
                    self._keeper.nudge()
        return run.outcome(), terminal

    def _look_back(self) -> None:
        if self._engine_run is not None and self._engine_run.left_behind():
            log.warning("code of the run can not be stopped", extra={"run_id": self.record.run_id})
            self._retire()

    def _stop_engine(self, _reason: StopReason) -> None:
        self._stopped = True
        if self._engine_run is not None:
            self._engine_run.cancel()

    async def _commit(self, outcome: EngineOutcome, terminal: list[Event]) -> Ended:
        """Commit the outcome, or what becomes of it when something else was faster or the store refuses it."""
        if self._keeper.stop_reason is StopReason.FENCED:
            return await self._lost(await self._current_record())
        commit = self._store.commit
        while True:
            ending, numbered = self._ending(outcome, terminal)
            try:
                self.record = await self._store_ending(commit, ending)
            except (CancelWins, NotStorable, SessionTaken) as refusal:
                if isinstance(refusal, SessionTaken):
                    commit = self._store.commit_without_session
                outcome = self._instead(outcome, refusal)
                terminal = self._terminal(outcome)
            except Fenced as fenced:
                return await self._lost(fenced.record)
            except StoreUnavailable:
                log.exception("the run could not be committed", extra={"run_id": self.record.run_id})
                self._announce(self._terminal(self._failed(outcome, NOT_STORED)))
                raise
            else:
                self._observer.ended(self.record)
                self._hand_on(*numbered)
                return Ended(self.record, ending.output)

    async def _store_ending(self, commit: Callable[[Ending], RunRecord], ending: Ending) -> RunRecord:
        """Commit the ending, which is the same for the store however often it comes."""
        for seconds in _PAUSES:
            try:
                return await asyncio.to_thread(commit, ending)
            except StoreUnavailable:
                log.warning("the run is not committed yet", extra={"run_id": self.record.run_id})
            await self._pause(seconds)
        return await asyncio.to_thread(commit, ending)

    async def _current_record(self) -> RunRecord | None:
        """The record as it is now; None if it can not be had."""
        try:
            return await asyncio.to_thread(self._store.get, self.record.run_id)
        except StoreUnavailable:
            return None

    def _instead(self, outcome: EngineOutcome, refusal: CancelWins | NotStorable | SessionTaken) -> EngineOutcome:
        """What to commit where the store has refused the outcome."""
        match refusal:
            case CancelWins():
                content = outcome.output.run.get("content")
                text = content if isinstance(content, str) and content else cancel_reason(self.record.run_id)
                output = replace(outcome.output, run={**outcome.output.run, "content": text})
                return replace(outcome, status=RunStatus.CANCELLED, output=output, error=None)
            case SessionTaken():
                return self._failed(self._bare(outcome), SESSION_TAKEN)
            case _ if outcome.error == TOO_LARGE:
                raise refusal
            case _:
                return self._failed(self._bare(outcome), TOO_LARGE)

    def _ending(self, outcome: EngineOutcome, terminal: list[Event]) -> tuple[Ending, list[IndexedEvent]]:
        last_events, numbered = self._buffer.finish(terminal) if self._buffer is not None else (None, [])
        run = {**outcome.output.run, "status": outcome.status.value}
        ending = Ending(
            before=self.record,
            status=outcome.status,
            ended_at=self._clock.now(),
            token=str(uuid4()),
            output=replace(outcome.output, run=run),
            session=outcome.session,
            error=outcome.error and outcome.error[:_LONGEST_ERROR],
            last_events=last_events,
            sealed_at=last_events.last_index if last_events is not None else None,
        )
        return ending, numbered

    async def _lost(self, record: RunRecord | None) -> Ended:
        """Somebody else has ended the run or goes on with it. Tell what the record says, and nothing of our own."""
        log.warning("the attempt was fenced off", extra={"run_id": self.record.run_id})
        self.record = record or self.record
        status = self.record.status if self.record.status.final else RunStatus.ERROR
        error = self.record.error or EXECUTION_LOST
        self._announce(
            terminal_events(self.record, self._component.name, status, now=self._clock.now(), content=None, error=error)
        )
        output = await asyncio.to_thread(self._store.output, self.record)
        return Ended(self.record, output or self._bare_output())

    def _announce(self, events: tuple[Event, ...] | list[Event]) -> None:
        """Hand events to the follower that no log holds."""
        if self._buffer is not None:
            self._hand_on(*self._buffer.finish(list(events))[1])

    def _hand_on(self, *events: IndexedEvent) -> None:
        if self._watched:  # what nobody takes would pile up
            for indexed in events:
                self._events.put_nowait(indexed)

    def _failed(self, outcome: EngineOutcome, error: str) -> EngineOutcome:
        run = {**outcome.output.run, "content": outcome.output.run.get("content") or error}
        return replace(outcome, status=RunStatus.ERROR, error=error, output=replace(outcome.output, run=run))

    def _terminal(self, outcome: EngineOutcome) -> list[Event]:
        content = outcome.output.run.get("content")
        return list(
            terminal_events(
                self.record,
                self._component.name,
                outcome.status,
                now=self._clock.now(),
                content=content if isinstance(content, str) else None,
                error=outcome.error,
            )
        )

    def _bare(self, outcome: EngineOutcome) -> EngineOutcome:
        """The outcome without what the store refused."""
        return replace(outcome, output=self._bare_output(), session=SessionDelta())

    def _bare_output(self) -> RunOutput:
        return RunOutput(describe(self.record, self._component.name))
