"""Every route of a kind: its components, and their runs."""

from fastapi import APIRouter

from agentos_lambda.api.routes.components import component_router
from agentos_lambda.api.routes.runs import run_router
from agentos_lambda.api.routes.runs_read import run_state_router
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunService


def kind_router(kind: Kind, catalog: Catalog, intake: RunIntake, runs: RunService, clock: Clock) -> APIRouter:
    """The routes under ``/{kind}``."""
    routers = (
        component_router(kind, catalog),
        run_state_router(kind, catalog, runs),
        run_router(kind, catalog, intake, runs, clock),
    )
    # Not by include_router: FastAPI would analyse every route again.
    return APIRouter(routes=[route for router in routers for route in router.routes])
