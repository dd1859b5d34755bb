"""Names of events, and the sentence of a cancel (the AgentOS 3.1 API)."""

from __future__ import annotations

from agentos_lambda.protocol.values import Event, Kind, RunStatus

TEXT_EVENTS = frozenset({"RunContent", "TeamRunContent"})
"""Events that hold a piece of text. A workflow has none of its own: its text comes from the agents of its steps."""

STREAMED_TEXT_EVENTS = TEXT_EVENTS | {
    "RunIntermediateContent",
    "TeamRunIntermediateContent",
    "ReasoningContentDelta",
    "TeamReasoningContentDelta",
}
"""Events that come once for each piece of text of a model, whatever the text is for."""

TEXT_FIELDS = ("content", "reasoning_content")
"""Fields of these events that hold the text."""

Speaker = tuple[str, ...]
"""Whose text a text event holds."""


def is_text(event: Event) -> bool:
    """Whether the event is a piece of text, and not, for example, an object or a piece of audio."""
    texts = [event.get(name) for name in TEXT_FIELDS]
    return (
        event.get("event") in STREAMED_TEXT_EVENTS
        and any(isinstance(text, str) for text in texts)
        and all(isinstance(text, str | None) for text in texts)
    )


def speaker_of(event: Event) -> Speaker:
    """The speaker of a text event: a run of an agent or a team, within a step or a run of a team or not."""
    return tuple(str(event.get(name)) for name in ("run_id", "step_id", "agent_id", "team_id"))


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
