"""The routes that execute runs: one router for agents, teams and workflows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, cast

from fastapi import APIRouter, Depends, Header, Request

from agentos_lambda.api.requests.body import read_body
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.fields import RunId
from agentos_lambda.api.requests.parse import continue_request, run_request
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.api.responses import Accepted, Answer, TypedRoute
from agentos_lambda.api.routes.components import component_path, known_component
from agentos_lambda.api.scope import answer_by, deadline_of, principal_of
from agentos_lambda.api.slow_answers import patiently
from agentos_lambda.api.sse import EventStream, stream_execution, stream_snapshots
from agentos_lambda.identity import audit
from agentos_lambda.identity.principal import Principal
from agentos_lambda.protocol.ids import MAX_EVENT_INDEX
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import NOT_STORED
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService, RunView

if TYPE_CHECKING:
    from agentos_lambda.api import answers

log = logging.getLogger(__name__)

_T = TypeVar("_T", bound=Answer[Any])
_IdempotencyKey = Header(
    alias="Idempotency-Key",
    description="The same key with the same request is the same run: 1 to 512 characters",
)
_Answered: TypeAlias = Answer["answers.Run"] | Accepted["answers.QueuedRun"] | EventStream
_NOT_READ = "the run cannot be read at the moment; it goes on"
_ENDED = "The run when it has ended or paused; with `stream` its events"


def run_router(kind: Kind, catalog: Catalog, intake: RunIntake, runs: RunService, clock: Clock) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that start and continue a run."""
    router = APIRouter(prefix=f"{component_path(kind)}/runs", tags=[kind.plural.capitalize()], route_class=TypedRoute)
    responses = _Responses(runs, clock)
    known = Depends(known_component(kind, catalog))
    _add_start(router, kind, known, intake, responses)
    _add_continuation(router, kind, known, intake, responses)
    return router


def _add_start(router: APIRouter, kind: Kind, known: Any, intake: RunIntake, responses: "_Responses") -> None:
    @router.post(
        "",
        summary=f"Run the {kind}",
        operation_id=f"create_{kind}_run",
        response_description=_ENDED,
        openapi_extra={"x-form": RunForm.__name__},
    )
    async def create_run(
        component: Annotated[Component, known],
        request: Request,
        idempotency_key: Annotated[str | None, _IdempotencyKey] = None,
    ) -> _Answered:
        """The run as JSON; its events as they happen with `stream`; at once with `background`."""
        body, principal = await read_body(request), principal_of(request.scope)
        deadline, by = deadline_of(request.scope), answer_by(request.scope)
        asked = await run_request(component, body, idempotency_key, principal=principal, deadline=deadline)
        if asked.background or by is not None:
            record = await asyncio.to_thread(intake.enqueue, asked)
            _audit(principal, "run started", record)
            if asked.background:
                return responses.queued(record, stream=asked.stream, after=-1, until=asked.deadline)
            return await responses.awaited(record, component, stream=asked.stream, after=-1, until=by)
        started = await intake.execute(asked)
        _audit(principal, "run started", started if isinstance(started, RunRecord) else started.record)
        if isinstance(started, RunRecord):
            return await responses.awaited(started, component, stream=asked.stream, after=-1, until=asked.deadline)
        return await responses.executed(started, component, stream=asked.stream)


def _add_continuation(router: APIRouter, kind: Kind, known: Any, intake: RunIntake, responses: "_Responses") -> None:
    @router.post(
        "/{run_id}/continue",
        summary="Continue a paused run",
        operation_id=f"continue_{kind}_run",
        response_description=_ENDED,
        openapi_extra={"x-form": ContinueForm.__name__},
    )
    async def continue_run(component: Annotated[Component, known], run_id: RunId, request: Request) -> _Answered:
        """Answers like a new run: the run as JSON, its events with `stream`, at once with `background`."""
        body, principal = await read_body(request), principal_of(request.scope)
        deadline, by = deadline_of(request.scope), answer_by(request.scope)
        asked = continue_request(component, run_id, body, principal=principal, deadline=deadline)
        if asked.background or by is not None:
            record = await asyncio.to_thread(intake.enqueue_continuation, asked)
            _audit(principal, "run continued", record)
            after = record.next_index - 1
            if asked.background:
                return responses.queued(record, stream=asked.stream, after=after, until=asked.deadline)
            return await responses.awaited(record, component, stream=asked.stream, after=after, until=by)
        execution = await intake.continue_here(asked)
        _audit(principal, "run continued", execution.record)
        return await responses.executed(execution, component, stream=asked.stream)


def _audit(principal: Principal, what: str, record: RunRecord) -> None:
    """Now, not when the request is answered: the run may take long, and outlive it."""
    audit.done(principal, what, run_id=record.run_id, session_id=record.session_id, user_id=record.user_id)


class _Responses:
    """The forms in which a run is answered."""

    def __init__(self, runs: RunService, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    async def executed(
        self, execution: Execution, component: Component, *, stream: bool
    ) -> Answer["answers.Run"] | EventStream:
        """A run that executes here: as it happens, or when it has ended."""
        if stream:
            return EventStream(stream_execution(execution, component.name, self._clock))
        unstored = partial(self._unknown, execution.record, component, NOT_STORED)
        return await _patiently(self._result(execution, component), unstored)

    async def _result(self, execution: Execution, component: Component) -> Answer["answers.Run"]:
        result = await execution.result()
        return _whole(RunView(result.record, component, result.output))

    def queued(
        self, record: RunRecord, *, stream: bool, after: int, until: int | None
    ) -> Accepted["answers.QueuedRun"] | EventStream:
        """A run that a worker executes: at once, or from its log. A client that disconnects stops nothing."""
        if stream:
            return EventStream(stream_snapshots(self._runs.tail(record.run_id, after=after, until=until)))
        return _accepted(record)

    async def awaited(
        self, record: RunRecord, component: Component, *, stream: bool, after: int, until: int | None
    ) -> Answer["answers.Run"] | Accepted["answers.QueuedRun"] | EventStream:
        """A run that executes elsewhere and whose end is waited for: its events after an index, or the run.

        A run that goes on at the time ``until`` is answered as one in the background.
        """
        if stream:
            return self.queued(record, stream=True, after=after, until=until)
        unread = partial(self._unknown, record, component, _NOT_READ)
        return await _patiently(self._end(record, component, until), unread)

    async def _end(
        self, record: RunRecord, component: Component, until: int | None
    ) -> Answer["answers.Run"] | Accepted["answers.QueuedRun"]:
        # After every event: only the end is of interest.
        async for snapshot in self._runs.tail(record.run_id, after=MAX_EVENT_INDEX, until=until):
            record = snapshot.record
        if record.status.active:
            return _accepted(record)
        return _whole(await asyncio.to_thread(self._runs.view, record, component))

    async def _unknown(self, record: RunRecord, component: Component, told: str) -> Answer["answers.Run"]:
        """A run whose end the store did not take, or does not tell: as it is known, and never as COMPLETED for that.

        A run that is not known to have ended has ``told`` as its content; but a durable one goes on in any case.
        """
        try:
            record = await asyncio.to_thread(self._runs.find, component, record.run_id)
            if not record.status.active:
                return _whole(await asyncio.to_thread(self._runs.view, record, component))
        except StoreUnavailable:
            log.warning("the run cannot be read", extra={"run_id": record.run_id})
        shown = RunView(record, component, None).show()
        return Answer(cast("answers.Run", {**shown, "content": _NOT_READ if record.durable else told}))


def _accepted(record: RunRecord) -> Accepted["answers.QueuedRun"]:
    return Accepted({"run_id": record.run_id, "session_id": record.session_id, "status": record.shown_status})


def _whole(view: RunView) -> Answer["answers.Run"]:
    return Answer(cast("answers.Run", view.show()))


async def _patiently(answer: Awaitable[_T], instead: Callable[[], Awaitable[Answer["answers.Run"]]]) -> _T:
    """``patiently``, as the types of the answers: a late answer has the same JSON."""
    return cast(_T, await patiently(answer, instead))
