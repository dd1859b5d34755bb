"""The routes that execute runs: one router for agents, teams and workflows."""

from typing import TYPE_CHECKING, Annotated, TypeAlias, cast

from fastapi import APIRouter, Depends, Header, Request
from starlette.concurrency import run_in_threadpool

from agentos_lambda.api.requests.body import read_body
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.fields import RunId
from agentos_lambda.api.requests.parse import continue_request, run_request
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.api.responses import Accepted, Answer, TypedRoute
from agentos_lambda.api.routes.components import component_path, known_component
from agentos_lambda.api.scope import deadline_of
from agentos_lambda.api.sse import EventStream, stream_execution, stream_snapshots
from agentos_lambda.protocol.ids import MAX_EVENT_INDEX
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import Component, RunRecord
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunService, RunView

if TYPE_CHECKING:
    from agentos_lambda.api import answers

_IdempotencyKey = Header(
    alias="Idempotency-Key",
    description="The same key with the same request is the same run: 1 to 512 characters",
)
_Answered: TypeAlias = Answer["answers.Run"] | Accepted["answers.QueuedRun"] | EventStream
_ENDED = "The run when it has ended or paused; with `stream` its events"


def run_router(kind: Kind, catalog: Catalog, intake: RunIntake, runs: RunService, clock: Clock) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that start and continue a run."""
    router = APIRouter(prefix=f"{component_path(kind)}/runs", tags=[kind.plural.capitalize()], route_class=TypedRoute)
    responses = _Responses(runs, clock)
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.post(
        "",
        summary=f"Run the {kind}",
        operation_id=f"create_{kind}_run",
        response_description=_ENDED,
        openapi_extra={"x-form": RunForm.__name__},
    )
    async def create_run(
        component: Known, request: Request, idempotency_key: Annotated[str | None, _IdempotencyKey] = None
    ) -> _Answered:
        """The run as JSON; its events as they happen with `stream`; at once with `background`."""
        body, deadline = await read_body(request), deadline_of(request.scope)
        asked = await run_request(component, body, idempotency_key, deadline)
        if asked.background:
            record = await run_in_threadpool(intake.enqueue, asked)
            return responses.queued(record, stream=asked.stream, after=-1, until=asked.deadline)
        started = await intake.execute(asked)
        if isinstance(started, RunRecord):
            return await responses.repeated(started, component, stream=asked.stream, until=asked.deadline)
        return await responses.executed(started, component, stream=asked.stream)

    @router.post(
        "/{run_id}/continue",
        summary="Continue a paused run",
        operation_id=f"continue_{kind}_run",
        response_description=_ENDED,
        openapi_extra={"x-form": ContinueForm.__name__},
    )
    async def continue_run(component: Known, run_id: RunId, request: Request) -> _Answered:
        """Answers like a new run: the run as JSON, its events with `stream`, at once with `background`."""
        asked = continue_request(component, run_id, await read_body(request), deadline_of(request.scope))
        if asked.background:
            record = await run_in_threadpool(intake.enqueue_continuation, asked)
            after = record.next_index - 1
            return responses.queued(record, stream=asked.stream, after=after, until=asked.deadline)
        return await responses.executed(await intake.continue_here(asked), component, stream=asked.stream)

    return router


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
        result = await execution.result()
        return _whole(RunView(result.record, component, result.output))

    def queued(
        self, record: RunRecord, *, stream: bool, after: int, until: int | None
    ) -> Accepted["answers.QueuedRun"] | EventStream:
        """A run that a worker executes: at once, or from its log. A client that disconnects stops nothing."""
        if stream:
            return EventStream(stream_snapshots(self._runs.tail(record.run_id, after=after, until=until)))
        return Accepted({"run_id": record.run_id, "session_id": record.session_id, "status": record.status})

    async def repeated(
        self, record: RunRecord, component: Component, *, stream: bool, until: int | None
    ) -> Answer["answers.Run"] | EventStream:
        """A run that an earlier request has started: from its log, or when it has ended."""
        if stream:
            return EventStream(stream_snapshots(self._runs.tail(record.run_id, after=-1, until=until)))
        # After every event: only the end is of interest.
        async for snapshot in self._runs.tail(record.run_id, after=MAX_EVENT_INDEX, until=until):
            record = snapshot.record
        return _whole(await run_in_threadpool(self._runs.view, record, component))


def _whole(view: RunView) -> Answer["answers.Run"]:
    return Answer(cast("answers.Run", view.show()))
