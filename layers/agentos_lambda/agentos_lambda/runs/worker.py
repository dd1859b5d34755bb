"""Executes queued runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from agentos_lambda.runs.access import Caller, find_session
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import ClaimLost, NotFound
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import AttemptResult, Continuation, RunRecord, Session
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.retrying import retried
from agentos_lambda.runs.timing import LEASE_MS
from agentos_lambda.runs.work_json import carried_from_json, work_from_json

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")


class Worker:
    """Takes a queued run by claiming it. A message that comes twice, or too late, loses the claim and is done."""

    def __init__(
        self,
        store: Store,
        executor: RunExecutor,
        catalog: Catalog,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        fan_out: FanOut | None = None,
        limiter: Limiter | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``fan_out``: the executor's, for runs that ended before a worker took them. ``limiter``: the executor's.
        ``pause`` (seconds): between two questions to a store that does not answer."""
        self._store = store
        self._executor = executor
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._fan_out = fan_out
        self._limiter = limiter or Limiter(clock)
        self._pause = pause

    async def work(self, run_id: str, *, deadline: int | None) -> AttemptResult | None:
        """Execute the run to its end, or to where it is handed over; None if there is nothing to do.

        Raises ``StoreUnavailable``: try again later.
        """
        try:
            record = await self._asked(partial(self._claim, run_id, self._new_id()), run_id)
        except ClaimLost as lost:
            if lost.record is None:
                # A run is accepted before it is sent, so it was removed since, with its session or when it had expired.
                log.warning("a message names no run", extra={"run_id": run_id[:128]})
                return None
            log.info("the run needs no worker", extra={"run_id": run_id, "status": lost.record.status})
            if self._fan_out is not None and not lost.record.status.active:
                await asyncio.to_thread(self._fan_out.ended, lost.record)
            return None
        component = self._component(record)
        request = await self._asked(partial(self._read_request, record, component), run_id)
        execution = self._executor.begin(record, component.name, request, deadline=deadline, consumed=False)
        return await execution.result()

    async def _asked(self, ask: Callable[[], _Answer], run_id: str) -> _Answer:
        """What the store answers. It is asked again for some seconds: the queue delivers the message again only after
        a quarter of an hour, and nobody else gets a run that is claimed."""
        told = "the store is unavailable; the worker asks again"
        return await retried(ask, pause=self._pause, run_id=run_id, meanwhile=told)

    def _claim(self, run_id: str, executor: str) -> RunRecord:
        now = self._clock.now()
        record = self._store.claim(run_id, executor=executor, lease_until=now + LEASE_MS, expired_before=0)
        self._limiter.keep(record)
        return record

    def _component(self, record: RunRecord) -> Component:
        """The component; a bare one if a deployment has removed it since: the engine then says so."""
        return self._catalog.find(record.kind, record.component_id) or Component(
            record.kind, record.component_id, record.component_id, 0, {}, {}, {}
        )

    def _read_request(self, record: RunRecord, component: Component) -> EngineRequest:
        given = self._store.work(record)
        carried = carried_from_json(given)
        work = carried.work if carried is not None else work_from_json(given)
        session: Session | None = None
        # Since the run was accepted, the session may have become another user's: of that the run must see nothing. Its
        # commit will be refused.
        with suppress(NotFound):
            session = find_session(
                self._store,
                component,
                record.session_id,
                caller=Caller(record.user_id),
                history=component.history_for(work),
            )
        paused = self._store.output(record) if carried is None and isinstance(work, Continuation) else None
        request = EngineRequest.for_attempt(record, work, session, stream=True, paused=paused)
        return replace(request, carried=carried)
