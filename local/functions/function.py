"""A Lambda function: as many environments as there is work for, up to a bound."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from local.functions.environment import Environment, EnvironmentCrashed
from local.functions.invocation import Invocation, InvocationFailed
from local.settings import MAX_ENVIRONMENTS
from local.template.document import FunctionSpec

logger = logging.getLogger(__name__)


class Function:
    """Hands invocations to idle environments, first come, first served. Starts an environment when all are busy."""

    def __init__(
        self, spec: FunctionSpec, variables: Mapping[str, str], *, max_environments: int = MAX_ENVIRONMENTS
    ) -> None:
        self._spec = spec
        self._variables = variables
        self._max_environments = max_environments
        self._waiting: deque[Invocation] = deque()
        self._idle: deque[asyncio.Future[Invocation]] = deque()
        """Of environments that wait for work, or did: a future is cancelled when its environment takes none."""
        self._environments: dict[asyncio.Task[None], Environment] = {}
        self._closed = False

    def warm_up(self) -> None:
        """Start an environment before there is work for it."""
        if not self._environments:
            self._start_environment()

    def invoke(self, event: bytes) -> Invocation:
        """Hand the event to an environment, at once or when one is free."""
        invocation = Invocation(event, timeout_seconds=self._spec.timeout_seconds)
        if self._closed:
            invocation.fail(InvocationFailed("the function is closed"))
        else:
            self._waiting.append(invocation)
            self._hand_out()
            self._scale()
        return invocation

    async def answer(self, event: Mapping[str, Any]) -> Any:
        """The function's answer to an event, both as JSON. Raises ``InvocationFailed``."""
        invocation = self.invoke(json.dumps(event).encode())
        try:
            return json.loads(b"".join([piece async for piece in invocation.pieces()]))
        finally:
            invocation.abandon()

    def replace(self, variables: Mapping[str, str]) -> None:
        """Serve with these variables from now on, in new environments. What has begun ends in the old ones."""
        self._variables = variables
        for environment in self.environments:
            environment.retire()
        self._start_environment()

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Those whose process is alive."""
        return tuple(self._environments.values())

    async def close(self) -> None:
        """Stop all environments, and fail the invocations that they serve or that wait."""
        self._closed = True
        for task in self._environments:
            task.cancel()
        await asyncio.gather(*self._environments, return_exceptions=True)
        while self._waiting:
            self._waiting.popleft().fail(InvocationFailed("the function is closed"))

    def _take(self) -> asyncio.Future[Invocation]:
        taking: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        self._idle.append(taking)
        self._hand_out()
        return taking

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            taking = self._idle.popleft()
            if not taking.done():
                taking.set_result(self._waiting.popleft())

    def _scale(self) -> None:
        serving = [environment for environment in self.environments if not environment.retired]
        starting = sum(not environment.ready for environment in serving)
        missing = len(self._waiting) - starting
        for _ in range(min(missing, self._max_environments - len(serving))):
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
        if not environment.ready and not environment.retired and self._waiting:
            # Otherwise an invocation of a function that cannot be loaded would wait forever.
            self._waiting.popleft().fail(EnvironmentCrashed("the function could not be loaded"))
        self._scale()


@asynccontextmanager
async def environments(functions: Collection[Function], *, warm: bool) -> AsyncIterator[None]:
    """Have an environment of each function, if ``warm``, before there is work. At the end stop all environments."""
    try:
        if warm:
            for function in functions:
                function.warm_up()
        yield
    finally:
        await asyncio.gather(*(function.close() for function in functions))
