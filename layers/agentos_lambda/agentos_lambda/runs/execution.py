"""One attempt of a run: the engine driven, its events handed on, its ending committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable

from agentos_lambda.protocol.values import Event, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.clock import Stopwatch
from agentos_lambda.runs.description import describe
from agentos_lambda.runs.endings import (
    EXECUTION_LOST,
    NOT_STORED,
    after_refusal,
    failed,
    terminal_events,
    without_session,
)
from agentos_lambda.runs.engine_driver import EngineDriver
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.errors import (
    CancelWins,
    Fenced,
    NotStorable,
    SessionTaken,
    StoreUnavailable,
)
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.fan_out import Feed
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import AttemptResult, Ending, EventPack, IndexedEvent, RunOutput, RunRecord
from agentos_lambda.runs.session_limits import refused_change
from agentos_lambda.runs.supervisor import StopReason
from agentos_lambda.runs.turns import Turns
from agentos_lambda.runs.usage import Usage
from agentos_lambda.runs.work_json import carried_to_json

log = logging.getLogger(__name__)


class Execution:
    """An attempt in a task of its own: it continues if the consumer of its events disconnects.

    Nothing that ends the run is handed on before it is committed.
    """

    def __init__(
        self,
        record: RunRecord,
        name: str,
        request: EngineRequest,
        context: ExecutionContext,
        *,
        deadline: int | None,
        consumed: bool,
    ) -> None:
        """Begin the attempt that ``record`` claims, of the component ``name``, in the running event loop.

        ``deadline``: the time at which it has to come to its end. ``consumed``: the caller iterates over ``events``.
        """
        self.record = record
        self.handed_over = False
        """After the end: whether another executor carries the run on."""
        self._name = name
        self._request = request
        self._context = context
        self._consumed = consumed and request.stream
        # A run that began as a stream may be continued without one: its followers still get its end.
        logged = request.stream or record.logged
        self._buffer = LogBuffer(context.clock, record.next_index) if logged else None
        self._fan_out = context.fan_out if logged else None
        self._feed: Feed | None = None
        self._turns: Turns | None = None
        self._checkpoints = 0
        self._driver = EngineDriver(record, name, context, say=self._say, checkpoint=self._checkpoint)
        self._plan = plan = context.plan(record, request.carried, deadline=deadline)
        self._since_begin = Stopwatch(context.clock)
        self._supervisor = context.supervisor(
            record,
            context.store,
            context.clock,
            log_buffer=self._buffer,
            deadline=plan.deadline,
            on_stop=self._driver.stop,
            hand_over_at=plan.hand_over_at,
            on_hand_over=self._driver.hand_over,
            used=self._used,
        )
        self._events: asyncio.Queue[IndexedEvent | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(), name=f"run-{record.run_id}")
        self.task.add_done_callback(lambda _: self._events.put_nowait(None))

    async def result(self) -> AttemptResult:
        """Wait for the end, or the hand-over. Raises ``StoreUnavailable`` if it could not be stored."""
        return await asyncio.shield(self.task)

    async def events(self) -> AsyncIterator[IndexedEvent]:
        """The events of the attempt as they happen, for one consumer. The last ones are terminal events, unless the run
        was ``handed_over``."""
        while (indexed := await self._events.get()) is not None:
            yield indexed
        try:
            self.task.result()
        except StoreUnavailable:
            return  # the last event says so

    async def _run(self) -> AttemptResult:
        if self._fan_out is not None:
            self._feed = self._fan_out.begin(self.record, holds_lease=self._supervisor.holds_lease)
        if self._feed is not None:
            call_later = asyncio.get_running_loop().call_later
            self._turns = Turns(
                self._log_and_hand_on, self._context.clock, self._feed.text_interval_ms, call_later=call_later
            )
        try:
            return await self._run_and_commit()
        finally:
            if self._feed is not None:
                await asyncio.to_thread(self._feed.end, self.record)

    async def _run_and_commit(self) -> AttemptResult:
        self._supervisor.start()
        if not self.record.slices:
            self._context.observer.started(self.record)
        try:
            outcome, terminal = await self._drive()
        finally:
            if not self._supervisor.try_stop():
                await asyncio.to_thread(self._supervisor.stop)
        if self._supervisor.stop_reason is StopReason.DEADLINE and outcome.status is RunStatus.CANCELLED:
            outcome, terminal = failed(outcome, self._plan.overrun), []
        refused = refused_change(self._request.session, outcome.session)
        if refused is not None:
            status, outcome = outcome.status, without_session(outcome, refused)
            terminal = terminal if outcome.status is status else []
        try:
            return await self._commit(outcome, terminal or self._terminal_events(outcome))
        finally:
            if self._driver.left_behind():
                log.warning("code of the run cannot be stopped", extra={"run_id": self.record.run_id})
                self._context.recycle()

    async def _drive(self) -> tuple[EngineOutcome, list[Event]]:
        outcome, terminal = await self._driver.drive(self._request)
        if self._turns is not None:
            self._turns.release()
        return outcome, terminal

    def _say(self, event: Event) -> None:
        if self._turns is not None:
            self._turns.add(event)
        else:
            self._log_and_hand_on(event)

    async def _checkpoint(self, outcome: EngineOutcome) -> Carried | None:
        """Store what a durable run has done so far. None if the attempt is over."""
        if self._turns is not None:
            self._turns.release()
        self._checkpoints += 1
        carried = self._carried(outcome)
        try:
            await asyncio.to_thread(self._supervisor.flush)
            checkpoint, work = self._context.store.checkpoint, carried_to_json(carried)
            await asyncio.to_thread(checkpoint, self.record, sequence=self._checkpoints, work=work)
        except Fenced:
            return None
        except (StoreUnavailable, NotStorable):
            log.warning("a checkpoint is missing; the run continues", extra={"run_id": self.record.run_id})
        return carried

    def _log_and_hand_on(self, event: Event) -> None:
        if self._buffer is None:
            return
        indexed = self._buffer.add(event)
        self._hand_on([indexed])
        if self._feed is not None:
            self._feed.publish(indexed)
        if self._buffer.due():
            self._supervisor.wake()

    def _used(self) -> Usage:
        """What the run has used so far, in this attempt and those before it."""
        return self.record.usage.plus(self._driver.used()).plus(Usage(milliseconds=self._since_begin.elapsed_ms()))

    async def _commit(self, outcome: EngineOutcome, terminal: list[Event]) -> AttemptResult:
        """Commit the outcome, or what becomes of it if another write came first or the store refuses it."""
        if self._supervisor.stop_reason is StopReason.FENCED:
            return await self._fenced(await self._current_record())
        commit, used = self._context.store.commit, self._used()
        if outcome.status is RunStatus.PENDING:
            await self._prepare_hand_over()
        while True:
            ending, numbered = self._ending(outcome, terminal, used)
            try:
                self.record = await self._context.store_ending(commit, ending)
            except (CancelWins, NotStorable, SessionTaken) as refusal:
                if isinstance(refusal, SessionTaken):
                    commit = self._context.store.commit_without_session
                outcome = after_refusal(outcome, refusal, self.record, self._name)
                terminal = self._terminal_events(outcome)
            except Fenced as fenced:
                return await self._fenced(fenced.record)
            except StoreUnavailable:
                log.exception("the run could not be committed", extra={"run_id": self.record.run_id})
                self._not_committed(outcome)
                raise
            else:
                if ending.status is RunStatus.PENDING:
                    self.handed_over = True
                    await asyncio.to_thread(self._context.send, self.record)
                    return AttemptResult(self.record, ending.output)
                await self._ended(numbered)
                answer = outcome.answer
                return AttemptResult(self.record, ending.output if answer is None else RunOutput(answer))

    def _not_committed(self, outcome: EngineOutcome) -> None:
        # As far as anybody knows, it was handed over, or a sweep carries it on.
        self.handed_over = outcome.status is RunStatus.PENDING or self.record.durable
        if not self.handed_over:
            self._hand_on_unlogged(self._terminal_events(failed(outcome, NOT_STORED)))

    async def _ended(self, numbered: list[IndexedEvent]) -> None:
        """The place is free before anybody hears of the end, and asks for another run."""
        self._context.observer.ended(self.record)
        if self.record.place is not None:
            await asyncio.to_thread(self._context.limiter.free, self.record)
        self._hand_on(numbered)

    def _ending(self, outcome: EngineOutcome, terminal: list[Event], used: Usage) -> tuple[Ending, list[IndexedEvent]]:
        """The ending of the attempt, and its terminal events with their indexes."""
        if outcome.status is RunStatus.PENDING:
            return self._hand_over(outcome, used), []
        last_events: EventPack | None = None
        numbered: list[IndexedEvent] = []
        if self._buffer is not None:
            last_events, numbered = self._buffer.finish(terminal, withdrawn=outcome.withdrawn)
        read, endings = self._request.session, self._context.endings
        return endings.of_attempt(self.record, outcome, last_events, read=read, used=used), numbered

    async def _prepare_hand_over(self) -> None:
        """What must come before the commit: after it, the next executor may have ended the run already."""
        await asyncio.to_thread(self._context.limiter.keep, self.record)
        if self._feed is not None:
            await asyncio.to_thread(self._feed.hand_over)

    def _hand_over(self, outcome: EngineOutcome, used: Usage) -> Ending:
        """The ending of a slice. From now on the run has a log."""
        if self._buffer is None:
            self._buffer = LogBuffer(self._context.clock, self.record.next_index)
            for event in outcome.so_far:
                self._buffer.add(event)
        last_events, _ = self._buffer.finish([])
        sealed_at, endings = self._buffer.last_index, self._context.endings
        return endings.handed_over(self.record, self._carried(outcome), last_events, sealed_at=sealed_at, used=used)

    def _carried(self, outcome: EngineOutcome) -> Carried:
        until, state = self._plan.until or 0, outcome.state or {}
        return Carried(self._request.work, until, outcome.output, outcome.session, outcome.memories, state)

    async def _current_record(self) -> RunRecord | None:
        """The record as it is now; None if the store does not answer."""
        try:
            return await asyncio.to_thread(self._context.store.get, self.record.run_id)
        except StoreUnavailable:
            return None

    async def _fenced(self, record: RunRecord | None) -> AttemptResult:
        """Another executor or the sweeper has taken over the run. Report only what the record says."""
        log.warning("the attempt was fenced off", extra={"run_id": self.record.run_id})
        slices, self.record = self.record.slices, record or self.record
        # A sweep carries a durable run on. And of any other, a try of the hand-over was applied that seemed to fail.
        self.handed_over = self.record.status.active and (self.record.durable or self.record.slices > slices)
        if self.handed_over:
            return AttemptResult(self.record, RunOutput(describe(self.record, self._name)))
        status = self.record.status if self.record.status.final else RunStatus.ERROR
        error = self.record.error or EXECUTION_LOST
        now = self._context.clock.now()
        self._hand_on_unlogged(terminal_events(self.record, self._name, status, now=now, error=error))
        output = await asyncio.to_thread(self._context.store.output, self.record)
        return AttemptResult(self.record, output or RunOutput(describe(self.record, self._name)))

    def _hand_on_unlogged(self, events: Iterable[Event]) -> None:
        """Hand events to the consumer that no log holds."""
        if self._buffer is not None:
            self._hand_on(self._buffer.finish(list(events))[1])

    def _hand_on(self, events: Iterable[IndexedEvent]) -> None:
        if self._consumed:  # unread events would pile up
            for indexed in events:
                self._events.put_nowait(indexed)

    def _terminal_events(self, outcome: EngineOutcome) -> list[Event]:
        return self._context.endings.events_of(self.record, self._name, outcome)
