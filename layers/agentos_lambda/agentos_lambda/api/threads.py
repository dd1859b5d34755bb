"""What blocks runs in threads of the event loop's own pool, which outlive a request.

Starlette and FastAPI would start a thread of anyio's for it, and end it with the request: anyio's threads belong to the
task with which the event loop was entered, and a Lambda function enters it once for each request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def in_thread(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """The function as a coroutine function, with the same signature."""

    @wraps(function)
    async def called(*arguments: P.args, **options: P.kwargs) -> R:
        return await asyncio.to_thread(function, *arguments, **options)

    return called
