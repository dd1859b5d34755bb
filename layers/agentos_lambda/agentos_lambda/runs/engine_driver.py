"""Drives the engine through one attempt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from agentos_lambda.protocol.values import Event, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.endings import failed_bare, is_terminal, unusable
from agentos_lambda.runs.engine_ports import Engine, EngineOutcome, EngineRequest, EngineRun
from agentos_lambda.runs.errors import ComponentUnusable, NotFound
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.session_limits import refused_request
from agentos_lambda.runs.supervisor import StopReason
from agentos_lambda.runs.usage import NOTHING, Usage

log = logging.getLogger(__name__)


class EngineDriver:
    """Runs the engine to its end, to where it is stopped, or to where the run is to be handed over.

    A durable run stops at each of its safe points, and goes on here from the checkpoint that was made of it.
    """

    def __init__(
        self,
        record: RunRecord,
        name: str,
        context: ExecutionContext,
        *,
        say: Callable[[Event], None],
        checkpoint: Callable[[EngineOutcome], Awaitable[Carried | None]],
    ) -> None:
        """``say`` gets each event that does not end the run. ``checkpoint`` gives what the run goes on from; None if
        the attempt is over."""
        self._record = record
        self._name = name
        self._context = context
        self._say = say
        self._checkpoint = checkpoint
        self._engine_run: EngineRun | None = None
        self._counted: tuple[Usage, EngineRun | None] = NOTHING, None
        """What earlier engine runs of the attempt have used, and the one that goes on using."""
        self._stopped = False
        self._handing_over = False
        self._silent = not record.slices
        self._runs: list[EngineRun] = []

    def left_behind(self) -> bool:
        """Whether code of the run still executes, and cannot be stopped."""
        return any(run.left_behind() for run in self._runs)

    def stop(self, _reason: StopReason) -> None:
        """Have the run come to its end. Thread-safe."""
        self._stopped = True
        if self._engine_run is not None:
            self._engine_run.cancel()

    def hand_over(self) -> None:
        """Have the run stop at its next safe point, for good. Thread-safe."""
        self._handing_over = True
        if self._engine_run is not None:
            self._engine_run.hand_over()

    def used(self) -> Usage:
        """The tokens that the attempt has used so far. Thread-safe."""
        before, run = self._counted
        return before if run is None else before.plus(run.used())

    async def drive(self, request: EngineRequest) -> tuple[EngineOutcome, list[Event]]:
        """The outcome, and the engine's terminal events: they are held back, because they are true only after the
        commit."""
        record = self._record
        refused = refused_request(request.session, request.work)
        if refused is not None:
            return failed_bare(record, self._name, refused), []
        store = self._context.store
        request = replace(request, memories=store.memories_of, past=store, stream=request.stream or record.durable)
        try:
            engine = self._context.engine_at_once()
            if engine is None:
                engine = await asyncio.to_thread(self._context.engine)
            while True:
                outcome, terminal = await self._play(engine, request)
                if outcome.status is not RunStatus.PENDING or self._handing_over or not record.durable:
                    return outcome, terminal
                carried = await self._checkpoint(outcome)
                if carried is None or self._handing_over:
                    return outcome, terminal
                request = replace(request, carried=carried, paused=None)
        except (ComponentUnusable, NotFound) as error:
            log.warning("the component cannot be used: %s", error, extra={"run_id": record.run_id})
            return unusable(record, self._name, request.carried, error), []

    async def _play(self, engine: Engine, request: EngineRequest) -> tuple[EngineOutcome, list[Event]]:
        self._engine_run = run = engine.start(request)
        self._counted = self.used(), run
        self._runs = [*(each for each in self._runs if each.left_behind()), run]
        if self._stopped:
            run.cancel()
        if self._handing_over or self._record.durable:
            run.hand_over()
        terminal: list[Event] = []
        began = self._context.clock.now()
        async for event in run.events():
            if self._silent:
                self._context.observer.first_event(self._record, after_ms=self._context.clock.now() - began)
                self._silent = False
            if terminal or is_terminal(event, self._record):
                terminal.append(event)
            else:
                self._say(event)
        return run.outcome(), terminal
