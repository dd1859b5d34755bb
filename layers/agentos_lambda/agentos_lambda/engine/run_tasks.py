"""The asyncio tasks that belong to a run, so that none outlives its cancellation.

Cancelling a run's own task is not enough: agno gives a team's streaming member, or a parallel step, a task of its own
and does not cancel it. asyncio knows no parent of a task; but a task inherits its maker's context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, cast
from weakref import WeakSet

Tasks = WeakSet["asyncio.Task[Any]"]

_tasks_of_run: ContextVar[Tasks | None] = ContextVar("tasks_of_run", default=None)


class _NotingTasks:
    """A task factory that notes the tasks made within a run, and leaves the making to the loop's earlier factory."""

    def __init__(self, earlier: Any) -> None:
        self._earlier = earlier

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        make = self._earlier or (lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop, **options))
        task: asyncio.Task[Any] = make(loop, coroutine, **options)
        tasks = _tasks_of_run.get()
        if tasks is not None:
            tasks.add(task)
        return task


def note_tasks() -> Tasks:
    """From now on all tasks made in the current context, or in one that comes of it, are in the returned set."""
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    if not isinstance(factory, _NotingTasks):
        loop.set_task_factory(cast(Any, _NotingTasks(factory)))  # typeshed wants a generic function
    tasks: Tasks = WeakSet()
    _tasks_of_run.set(tasks)
    return tasks
