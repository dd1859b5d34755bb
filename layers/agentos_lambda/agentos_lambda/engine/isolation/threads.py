"""The threads that execute a run's synchronous tools and models. Nothing can stop them: it has to be known of them.

asyncio hands such work to the loop's default executor. The executor here gives every run threads of its own, so that
those that hang take none from the service, nor from another run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from agentos_lambda.engine.errors import ComponentExited

_threads_of_run: ContextVar[RunThreads | None] = ContextVar("threads_of_run", default=None)
_prepared: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


class RunThreads:
    """What one run has in threads."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(thread_name_prefix="run")
        self._work: WeakSet[Future[Any]] = WeakSet()

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        future = self._executor.submit(_contained, function, *args, **options)
        self._work.add(future)
        return future

    def close(self) -> None:
        """Take no more work, and drop what has not begun. What has begun goes on."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def busy(self) -> bool:
        """Whether some of the work is not done."""
        return not all(future.done() for future in self._work)


def _contained(function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
    """What the function gives. What would end the process is an error like any other: who awaits it can handle it."""
    try:
        return function(*args, **options)
    except (SystemExit, KeyboardInterrupt) as asked:
        raise ComponentExited(asked) from asked


class _Executor(ThreadPoolExecutor):
    """Tells by the context of the one who submits which run it is for, if it is for one."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        threads = _threads_of_run.get()
        if threads is not None:
            return threads.submit(function, *args, **options)
        return super().submit(function, *args, **options)


def use_threads(threads: RunThreads) -> None:
    """From now on, work of the current context, and of those that come of it, goes to these threads."""
    loop = asyncio.get_running_loop()
    if loop not in _prepared:
        loop.set_default_executor(_Executor())
        _prepared.add(loop)
    _threads_of_run.set(threads)
