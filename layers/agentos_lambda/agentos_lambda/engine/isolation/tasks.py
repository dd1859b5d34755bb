"""The asyncio tasks that belong to a run, so that none outlives its cancellation, or ends the process.

Cancelling a run's own task is not enough: agno gives a team's streaming member, a parallel step or a tool a task of its
own and does not cancel it. asyncio knows no parent of a task; but a task inherits its maker's context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, cast
from weakref import WeakSet

from agentos_lambda.engine.errors import ComponentExited


class Tasks(WeakSet["asyncio.Task[Any]"]):
    """The tasks of one run, and who is told when one of them asks for the end of the process."""

    def __init__(self, exited: Callable[[ComponentExited], None]) -> None:
        super().__init__()
        self.exited = exited


_tasks_of_run: ContextVar[Tasks | None] = ContextVar("tasks_of_run", default=None)


class _NotingTasks:
    """A task factory that notes the tasks made within a run, and leaves the making to the loop's earlier factory."""

    def __init__(self, earlier: Any) -> None:
        self._earlier = earlier

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        make = self._earlier or (lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop, **options))
        tasks = _tasks_of_run.get()
        if tasks is None:
            return cast("asyncio.Task[Any]", make(loop, coroutine, **options))
        task: asyncio.Task[Any] = make(loop, _contained(coroutine, tasks), **options)
        task.add_done_callback(lambda _: coroutine.close())  # one that was cancelled before it began was never awaited
        tasks.add(task)
        return task


async def _contained(coroutine: Coroutine[Any, Any, Any], tasks: Tasks) -> Any:
    """What the coroutine gives. A ``SystemExit`` would get out of any task, and end the event loop and the process.

    Nobody may wait for the task: agno waits for what it would have said. So the run has to be told.
    """
    try:
        return await coroutine
    except SystemExit as asked:
        error = ComponentExited(asked)
        tasks.exited(error)
        raise error from asked


def note_tasks(tasks: Tasks) -> None:
    """From now on all tasks made in the current context, or in one that comes of it, are in this set."""
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    if not isinstance(factory, _NotingTasks):
        loop.set_task_factory(cast(Any, _NotingTasks(factory)))  # typeshed wants a generic function
    _tasks_of_run.set(tasks)
