"""What goes from one slice of a run to the next."""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.model import RunOutput, SessionDelta, Work


@dataclass(frozen=True, slots=True)
class Carried:
    """What a slice leaves to the next one. Nothing of it is committed before the run ends or pauses."""

    work: Work
    """What the run was started or continued with."""
    until: int
    """When the run has to have ended."""
    output: RunOutput
    """What the run has done so far: what it leaves if it ends now."""
    session: SessionDelta
    """What it has changed in its session so far."""
    memories: tuple[MemoryChange, ...]
    """What it has changed of its user's memories so far."""
    state: JsonObject
    """What only the engine needs to go on."""
