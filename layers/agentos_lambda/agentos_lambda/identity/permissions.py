"""What a principal may do, decided by its scopes. Nobody learns from a refusal whether the thing exists."""

from __future__ import annotations

from collections.abc import Mapping

from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.identity.operations import Operation
from agentos_lambda.identity.principal import Principal
from agentos_lambda.protocol.values import Kind

_RUN_WORKFLOW = f"{Kind.WORKFLOW.plural}:run"

WORKFLOW_ACTIONS: Mapping[str, str] = {
    "start-workflow": "run",
    "reconnect": "reconnect to",
    "continue-workflow": "continue",
    "cancel-workflow": "cancel",
}
"""The actions of the WebSocket that need ``workflows:run``, and how a refusal calls what they do."""


def demand(principal: Principal, operation: Operation, component_id: str | None) -> None:
    """Raise ``Forbidden`` unless the principal may do this, to the component with this id if the path names one."""
    scopes, scope = principal.scopes, operation.scope
    if scope is not None and not scopes.grant(scope, component_id):
        listable = operation.lists is not None and scopes.ids(operation.lists.plural, "read")
        if not listable:
            raise Forbidden(f"Insufficient permissions. Required scope(s): {scope}")
    kind = operation.kind
    if kind is not None and not scopes.grant(f"{kind.plural}:{operation.action}", component_id):
        raise Forbidden(f"Access denied to {operation.action} this {kind}")


def may_see(principal: Principal, kind: Kind, component_id: str) -> bool:
    """Whether the component is in the lists that the principal gets."""
    return principal.scopes.grant(f"{kind.plural}:read", component_id)


def demand_workflow(principal: Principal, action: str, workflow_id: object) -> None:
    """Raise ``Forbidden`` unless the principal may run the workflow that a message names, or any if it names none."""
    named = workflow_id if isinstance(workflow_id, str) and workflow_id else None
    if not principal.scopes.grant(_RUN_WORKFLOW, named):
        raise Forbidden(f"Insufficient permissions to {WORKFLOW_ACTIONS[action]} this workflow")
