"""agno behind ``runs.ports.Engine``."""

from __future__ import annotations

from agentos_lambda.engine.agno_run import PATIENCE, AgnoRun
from agentos_lambda.engine.cancellation import cancellations
from agentos_lambda.engine.component_parts import parts
from agentos_lambda.engine.components import Components, load_components
from agentos_lambda.engine.run_database import RunDatabase
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.ports import EngineRequest


class AgnoEngine:
    """Runs the deployer's agno components.

    ``patience``: seconds that a cancelled run has to stop by itself before its task is cancelled. Raises
    ``ComponentsError`` if the components have to be loaded and can not be.
    """

    def __init__(self, components: Components | None = None, *, patience: float = PATIENCE) -> None:
        self._components = components if components is not None else load_components()
        self._patience = patience
        cancellations()

    def start(self, request: EngineRequest) -> AgnoRun:
        template = self._components.find(request.kind, request.component_id)
        if template is None:
            raise NotFound(f"{request.kind.label} not found")
        # Never the template: once it ran as a member it keeps its team, and saves nothing of its own any more.
        component = template.deep_copy()
        database = RunDatabase.of(request.run_id, request.session)
        for part in parts(component):
            part.telemetry = False
            part.store_events = False
            if part is component or part.db is not None:
                part.db = database
        return AgnoRun(component, request, database, patience=self._patience)
