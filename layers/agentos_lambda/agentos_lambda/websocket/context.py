"""What the actions work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentos_lambda.protocol.security_key import KeySource
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import Component, RunRecord
from agentos_lambda.runs.ports import Catalog, Store
from agentos_lambda.runs.service import RunService
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.messages import shown


@dataclass(frozen=True, slots=True)
class ActionContext:
    """Put together by the function that handles the messages."""

    catalog: Catalog
    store: Store
    runs: RunService
    intake: RunIntake
    registry: FollowerRegistry
    sender: Sender
    final: FinalDelivery
    key: KeySource
    new_id: Callable[[], str]

    def workflow(self, workflow_id: str) -> Component:
        """The workflow. Raises ``InvalidRequest``."""
        component = self.catalog.find(Kind.WORKFLOW, workflow_id)
        if component is None:
            raise InvalidRequest(f"Workflow {shown(workflow_id)} not found")
        return component

    def run_of(self, workflow: Component, run_id: str) -> RunRecord:
        """The workflow's run. Raises ``InvalidRequest``."""
        record = self.store.get(run_id)
        if record is None or (record.kind, record.component_id) != (workflow.kind, workflow.id):
            raise InvalidRequest(f"Run {run_id} not found")
        return record
