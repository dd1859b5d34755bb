"""The values that every part uses: JSON, the kinds of component, the statuses of a run (the AgentOS 3.1 API)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

Json = Any
"""A value that ``json.dumps`` takes and ``json.loads`` gives back equal."""

JsonObject = dict[str, Json]

Event = JsonObject
"""One event as the engine gave it, its name under ``event`` (the AgentOS 3.1 API)."""


class Kind(StrEnum):
    """The three kinds of component. All of them run the same way."""

    AGENT = "agent"
    TEAM = "team"
    WORKFLOW = "workflow"

    @property
    def plural(self) -> str:
        """The kind's segment in a path: ``agents``, ``teams``, ``workflows``."""
        return f"{self.value}s"

    @property
    def label(self) -> str:
        """The kind's name in a message: ``Agent``, ``Team``, ``Workflow``."""
        return self.value.capitalize()


class RunStatus(StrEnum):
    """Where a run stands. COMPLETED, ERROR and CANCELLED are final; a PAUSED run may be continued or cancelled."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"

    @property
    def active(self) -> bool:
        """Whether the run waits for an executor or has one: it will change without further requests."""
        return self in (RunStatus.PENDING, RunStatus.RUNNING)

    @property
    def final(self) -> bool:
        """Nothing can change the run any more."""
        return self in (RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED)
