"""A store at which two actors take turns by a schedule, so that every order of their calls can be driven."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import Condition

from agentos_lambda.stores.memory import MemoryStore

EXECUTOR = "executor"
CANCELLER = "canceller"

actor: ContextVar[str] = ContextVar("actor", default=EXECUTOR)
"""The caller. Threads of ``asyncio.to_thread`` inherit it; a supervisor's thread is the executor's."""

_DEADLINE = 10.0
"""Seconds. No turn should take that long to come."""


def _in_turn(name: str) -> Callable[..., object]:
    method = getattr(MemoryStore, name)

    def call(self: ScheduledStore, *arguments: object, **options: object) -> object:
        with self.turns:
            if not self.turns.wait_for(self.may_go, _DEADLINE):
                raise TimeoutError(f"{actor.get()}: {name} never had its turn")
            try:
                return method(self, *arguments, **options)
            finally:
                self.calls.append((actor.get(), name))
                if self.schedule:
                    self.schedule.popleft()
                self.turns.notify_all()

    return call


class ScheduledStore(MemoryStore):
    """Lets the actor call that the schedule names next. After the end of the schedule, every actor may call."""

    def __init__(self, schedule: Sequence[str]) -> None:
        super().__init__()
        self.schedule = deque(schedule)
        self.turns = Condition()
        self.calls: list[tuple[str, str]] = []

    def may_go(self) -> bool:
        return not self.schedule or self.schedule[0] == actor.get()

    def leave(self, who: str) -> None:
        """The actor will call no more: its turns are dropped."""
        with self.turns:
            self.schedule = deque(turn for turn in self.schedule if turn != who)
            self.turns.notify_all()

    get = _in_turn("get")
    claim = _in_turn("claim")
    work = _in_turn("work")
    load = _in_turn("load")
    flag_cancel = _in_turn("flag_cancel")
    commit = _in_turn("commit")
    append = _in_turn("append")
    output = _in_turn("output")
