"""A caller's output schema as agno takes one: a model whose schema is the caller's, and whose content is any object."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from agno.agent import Agent
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Workflow
from pydantic import BaseModel, RootModel

from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.model import RunInput

_NAME = "DynamicModel"
"""What AgentOS calls a model whose schema has no title. It is the run's ``content_type``."""

KEPT = "output_schema"
"""Where a paused run keeps the schema: agno's continuation knows nothing of it, and its runs ignore the key."""


def schema_of(request: EngineRequest) -> JsonObject | None:
    """The schema that the caller has sent with the run, now or before it paused; a workflow takes none."""
    if request.kind is Kind.WORKFLOW:
        return None
    if isinstance(request.work, RunInput):
        return request.work.output_schema
    return request.paused.run.get(KEPT) if request.paused is not None else None


def with_schema(component: Agent | Team | Workflow, request: EngineRequest) -> dict[str, Any]:
    """What a run that goes on is told of its schema besides, as keywords. ``component`` is a copy for this run."""
    if isinstance(component, Workflow):
        return {}
    if (schema := schema_of(request)) is not None:
        component.output_schema = output_model(schema)
    if isinstance(component, Agent) or component.output_schema is None:
        return {}
    # agno 3.1 asks the model of a team that goes on for no schema, not even for the team's own.
    context = RunContext(
        run_id=request.run_id, session_id=request.session_id, user_id=request.user_id, session_state={}
    )
    context.output_schema = component.output_schema
    return {"run_context": context}


def output_model(schema: JsonObject) -> type[BaseModel]:
    """The model. It changes nothing of an answer, whatever its names and nulls: it is checked when the run has ended.

    A model made field by field could not do that: names such as ``_id`` and ``model_dump`` are pydantic's own.
    """

    class Answer(RootModel[dict[str, Any]]):
        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return deepcopy(schema)

    title = schema.get("title")
    Answer.__name__ = title if isinstance(title, str) and title.isidentifier() else _NAME
    return Answer
