"""The routes of a kind: its components, and their runs."""

from fastapi import APIRouter

from agentos_lambda.api.routes.components import component_router
from agentos_lambda.api.routes.joined import joined
from agentos_lambda.api.routes.resume import resume_router
from agentos_lambda.api.routes.runs import run_router
from agentos_lambda.api.routes.runs_read import run_state_router
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.service import RunService


def kind_router(kind: Kind, catalog: Catalog, intake: RunIntake, runs: RunService, clock: Clock) -> APIRouter:
    """Every route under ``/{kind}``."""
    return joined(
        component_router(kind, catalog),
        run_state_router(kind, catalog, runs),
        run_router(kind, catalog, intake, runs, clock),
        resume_router(kind, catalog, runs),
    )
