"""What the actions work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentos_lambda.identity.authority import Authority
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.access import find_run
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.errors import InvalidRequest, NotFound
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.service import RunService
from agentos_lambda.websocket.client import Client
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.messages import session_id, shown


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
    authority: Authority
    new_id: Callable[[], str]

    def workflow(self, workflow_id: str) -> Component:
        """The workflow. Raises ``InvalidRequest``."""
        component = self.catalog.find(Kind.WORKFLOW, workflow_id)
        if component is None:
            raise InvalidRequest(f"Workflow {shown(workflow_id)} not found")
        return component

    def run_of(self, workflow: Component, run_id: str, client: Client, message: JsonObject) -> RunRecord:
        """The workflow's run; it has to be of the session and the user that the message names. Raises
        ``InvalidRequest``."""
        caller, of_session = client.caller(message), session_id(message)
        try:
            return find_run(self.store, workflow, run_id, session_id=of_session, caller=caller)
        except NotFound:
            raise InvalidRequest(f"Run {run_id} not found") from None
