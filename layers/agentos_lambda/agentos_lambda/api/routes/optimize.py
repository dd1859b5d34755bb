"""The route that has a model say all memories of a user in one: what serves it has an engine."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, Request

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.databases import known_database
from agentos_lambda.api.requests.memory_forms import OptimizationForm
from agentos_lambda.api.requests.session_forms import read_form
from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.routes.memories import shown_memory
from agentos_lambda.api.scope import answer_by, deadline_of, principal_of
from agentos_lambda.memories.optimizing import MemoryOptimizer
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import ModelFailed

if TYPE_CHECKING:
    from agentos_lambda.api import answers

_MAX_SECONDS = 240
"""For the model: API Gateway cuts a connection that is silent for five minutes."""


def optimize_router(catalog: Catalog, optimizer: MemoryOptimizer, clock: Clock) -> APIRouter:
    """``POST /optimize-memories``."""
    database = Depends(known_database(catalog, "memory"))
    router = APIRouter(tags=["Memory"], route_class=TypedRoute, dependencies=[database])

    @router.post(
        "/optimize-memories",
        summary="Say all memories of a user in one",
        operation_id="optimize_memories",
        response_description="The summary",
        openapi_extra={"x-form": OptimizationForm.__name__},
    )
    async def optimize_memories(request: Request) -> Answer["answers.OptimizedMemories"]:
        """A model summarises the memories, and the summary takes their place; with `apply: false` it is only shown."""
        form = await read_form(request, OptimizationForm)
        owner, seconds = form.owner(principal_of(request.scope)), _seconds(request, clock)
        try:
            done = await optimizer.optimize(owner, model=form.model, apply=form.apply, seconds=seconds)
        except ModelFailed as error:
            raise ApiError(500, f"Failed to optimize memories: {error}") from error
        return Answer(
            {
                "memories": [shown_memory(done.memory)],
                "memories_before": done.before,
                "memories_after": 1,
                "tokens_before": done.tokens_before,
                "tokens_after": done.tokens_after,
                "tokens_saved": done.tokens_saved,
                "reduction_percentage": done.reduction_percentage,
            }
        )

    return router


def _seconds(request: Request, clock: Clock) -> float:
    """How long the model may take."""
    ends = [time for time in (deadline_of(request.scope), answer_by(request.scope)) if time is not None]
    return min([_MAX_SECONDS, *((time - clock.now()) / 1000 for time in ends)])
