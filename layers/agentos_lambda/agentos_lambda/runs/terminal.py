"""The events that end a run: how they are told apart, and how they are made where the engine gave none.

Names and shapes are those of the AgentOS 3.1 API. A cancelled run ends with two events, the second one a completion:
clients of that API take the first as decisive.
"""

from __future__ import annotations

from agentos_lambda.protocol.values import Event, Kind, RunStatus
from agentos_lambda.runs.model import RunRecord

DEADLINE_EXCEEDED = "deadline exceeded"
EXECUTION_LOST = "execution lost"
NEVER_STARTED = "never started"
NOT_STORED = "the result of the run could not be stored; it will be reported as lost"
SESSION_TAKEN = "the session belongs to another user"
TOO_LARGE = "the result of the run is too large to be stored"
"""Errors of runs that no component has caused, in the words that their callers see."""

_PREFIX = {Kind.AGENT: "Run", Kind.TEAM: "TeamRun", Kind.WORKFLOW: "Workflow"}
_SUFFIX = {
    RunStatus.COMPLETED: "Completed",
    RunStatus.ERROR: "Error",
    RunStatus.CANCELLED: "Cancelled",
    RunStatus.PAUSED: "Paused",
}
_NAMES = {kind: frozenset(prefix + suffix for suffix in _SUFFIX.values()) for kind, prefix in _PREFIX.items()}


def is_terminal(event: Event, record: RunRecord) -> bool:
    """Whether the event ends this very run, and not one of its members or steps."""
    return event.get("event") in _NAMES[record.kind] and event.get("run_id") == record.run_id


def event_name(kind: Kind, status: RunStatus) -> str:
    """The name of the event that tells that a run of this kind has come to this status."""
    return _PREFIX[kind] + _SUFFIX[status]


def cancel_reason(run_id: str) -> str:
    """The engine's own words for why a cancelled run ended."""
    return f"Run {run_id} was cancelled"


def terminal_events(
    record: RunRecord,
    name: str,
    status: RunStatus,
    *,
    now: int,
    content: str | None,
    error: str | None = None,
) -> tuple[Event, ...]:
    """The events for an ending that the engine does not know of, of the component with this ``name``.

    ``content`` is the text so far, if there is any.
    """

    def event(of: RunStatus, **fields: object) -> Event:
        return {
            "created_at": now // 1000,
            "event": event_name(record.kind, of),
            f"{record.kind}_id": record.component_id,
            f"{record.kind}_name": name,
            "run_id": record.run_id,
            "session_id": record.session_id,
            "nested_depth": 0,
            **{name: value for name, value in fields.items() if value is not None},
        }

    match status:
        case RunStatus.CANCELLED:
            reason = cancel_reason(record.run_id)
            return (
                event(RunStatus.CANCELLED, content=content or reason, reason=reason),
                event(RunStatus.COMPLETED, content=content or reason),
            )
        case RunStatus.ERROR if record.kind is Kind.WORKFLOW:
            return (event(RunStatus.ERROR, error=error),)
        case RunStatus.ERROR:
            return (event(RunStatus.ERROR, content=error, error_type="RunError"),)
        case _:
            return (event(status, content=content),)
