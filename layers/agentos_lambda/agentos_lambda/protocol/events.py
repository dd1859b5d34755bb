"""Names of events, and the sentence of a cancel (the AgentOS 3.1 API)."""

from __future__ import annotations

from agentos_lambda.protocol.values import Kind, RunStatus

TEXT_EVENTS = frozenset({"RunContent", "TeamRunContent"})
"""Events that hold a piece of text. A workflow has none of its own: its text comes from the agents of its steps."""

_PREFIX = {Kind.AGENT: "Run", Kind.TEAM: "TeamRun", Kind.WORKFLOW: "Workflow"}
_SUFFIX = {
    RunStatus.COMPLETED: "Completed",
    RunStatus.ERROR: "Error",
    RunStatus.CANCELLED: "Cancelled",
    RunStatus.PAUSED: "Paused",
}


def terminal_event(kind: Kind, status: RunStatus) -> str:
    """The name of the event that a run of this kind ends with, by the status."""
    return _PREFIX[kind] + _SUFFIX[status]


TERMINAL_EVENTS = {kind: frozenset(terminal_event(kind, status) for status in _SUFFIX) for kind in Kind}
"""By kind: the events that end a run, or pause it."""

ERROR_EVENTS = frozenset(terminal_event(kind, RunStatus.ERROR) for kind in Kind)


def cancel_reason(run_id: str) -> str:
    """The sentence that says why a cancelled run ended."""
    return f"Run {run_id} was cancelled"
