"""What attempts are executed with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from uuid import uuid4

from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import EndingMaker
from agentos_lambda.runs.engine_ports import Engine
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import Ending, RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.retrying import retried
from agentos_lambda.runs.sending import send
from agentos_lambda.runs.slices import SlicePlan, Slicing, uncut
from agentos_lambda.runs.supervisor import AttemptSupervisor


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What attempts are executed with."""

    store: Store
    engine: Callable[[], Engine]
    """Called when components are needed, and only then, off the event loop: an engine takes long to import."""
    clock: Clock
    _: KW_ONLY
    engine_at_once: Callable[[], Engine | None] = lambda: None
    """The engine if it need not be waited for, so that a run needs no thread for it."""
    limiter: Limiter
    """The intake's, for the places of runs that have ended."""
    observer: Observer = field(default_factory=Unobserved)
    fan_out: FanOut | None = None
    """Sends streamed runs to their followers."""
    queue: RunQueue | None = None
    """Where runs that are handed over are sent. Without it, none ever is."""
    slicing: Slicing | None = None
    """When runs are handed over; None: never."""
    recycle: Callable[[], None] = lambda: None
    """Have this process replaced when it has answered: code of a run still executes in it."""
    supervisor: Callable[..., AttemptSupervisor] = AttemptSupervisor
    """Makes the supervisor of an attempt, from the arguments of ``AttemptSupervisor``."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Seconds, between the tries of an ending."""

    @property
    def endings(self) -> EndingMaker:
        """Makes the endings of attempts."""
        return EndingMaker(self.clock, lambda: str(uuid4()))

    def plan(self, record: RunRecord, carried: Carried | None, *, deadline: int | None) -> SlicePlan:
        """The plan of the slice that ``record`` claims, which begins now."""
        if self.slicing is None or self.queue is None:
            return uncut(deadline)
        return self.slicing.plan(record, carried, now=self.clock.now(), deadline=deadline)

    def send(self, record: RunRecord) -> None:
        """Have a worker carry the run on."""
        if self.queue is not None:
            send(self.queue, self.store, record)

    async def store_ending(self, commit: Callable[[Ending], RunRecord], ending: Ending) -> RunRecord:
        """Commit the ending. It has the same token each time, so that it counts once."""
        committing = partial(commit, ending)
        told = "the run is not committed yet"
        return await retried(committing, pause=self.pause, run_id=ending.before.run_id, meanwhile=told)
