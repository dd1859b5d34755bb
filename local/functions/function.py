"""A function's environments: as many as there is work for, up to a bound."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from local.functions.environment import Environment, EnvironmentCrashed
from local.functions.invocation import Invocation, InvocationFailed
from local.template.document import FunctionSpec

MAX_ENVIRONMENTS = 8

logger = logging.getLogger(__name__)


class Function:
    """Hands invocations to idle environments, first come, first served; starts more when all are busy."""

    def __init__(
        self, spec: FunctionSpec, variables: Mapping[str, str], *, max_environments: int = MAX_ENVIRONMENTS
    ) -> None:
        self._spec = spec
        self._variables = variables
        self._max_environments = max_environments
        self._waiting: asyncio.Queue[Invocation] = asyncio.Queue()
        self._environments: dict[asyncio.Task[None], Environment] = {}
        self._idle = 0
        self._closed = False

    def warm_up(self) -> None:
        """Start an environment before there is work for it."""
        if not self._environments:
            self._start_environment()

    def invoke(self, event: bytes) -> Invocation:
        """Have an environment take the event."""
        invocation = Invocation(event, timeout=self._spec.timeout)
        if self._closed:
            invocation.fail(InvocationFailed("the function is closed"))
        else:
            self._waiting.put_nowait(invocation)
            self._scale()
        return invocation

    async def answer(self, event: Mapping[str, Any]) -> Any:
        """What the function makes of the event, both as JSON. Raises ``InvocationFailed``."""
        invocation = self.invoke(json.dumps(event).encode())
        try:
            return json.loads(b"".join([piece async for piece in invocation.pieces()]))
        finally:
            invocation.abandon()

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Those whose process lives."""
        return tuple(self._environments.values())

    async def close(self) -> None:
        """End all environments, and with them what they do."""
        self._closed = True
        for task in self._environments:
            task.cancel()
        await asyncio.gather(*self._environments, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait().fail(InvocationFailed("the function is closed"))

    async def _take(self) -> Invocation:
        self._idle += 1
        try:
            return await self._waiting.get()
        finally:
            self._idle -= 1

    def _scale(self) -> None:
        starting = sum(not environment.ready for environment in self.environments)
        missing = self._waiting.qsize() - self._idle - starting
        for _ in range(min(missing, self._max_environments - len(self._environments))):
            self._start_environment()

    def _start_environment(self) -> None:
        environment = Environment(self._spec, self._variables, self._take)
        task = asyncio.create_task(environment.run())
        self._environments[task] = environment
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        environment = self._environments.pop(task)
        if self._closed:
            return
        if error := task.exception():
            logger.error("%s could not be started: %s", self._spec.name, error)
        if not environment.ready and not self._waiting.empty():
            # Else an invocation that waits for a function that can not be loaded would wait for ever.
            self._waiting.get_nowait().fail(EnvironmentCrashed("the function could not be loaded"))
        self._scale()


@asynccontextmanager
async def environments(functions: Collection[Function]) -> AsyncIterator[None]:
    """An environment of each function on its way, so that first requests are quick; in the end none of any."""
    try:
        for function in functions:
            function.warm_up()
        yield
    finally:
        await asyncio.gather(*(function.close() for function in functions))
