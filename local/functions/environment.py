"""An execution environment: a process that serves one invocation of a function at a time."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from collections.abc import Callable, Mapping

from local.account import function_arn
from local.functions.invocation import Invocation, InvocationFailed, InvocationTimedOut
from local.functions.runtime_server import RuntimeServer
from local.processes.child import Child
from local.template.document import FunctionSpec


class EnvironmentCrashed(InvocationFailed):
    """The process ended before its invocation did."""


class Environment:
    """Asks ``take`` for work whenever it is idle, until its process ends or is killed."""

    def __init__(
        self, spec: FunctionSpec, variables: Mapping[str, str], take: Callable[[], asyncio.Future[Invocation]]
    ) -> None:
        self._spec = spec
        self._variables = variables
        self._take = take
        self._server = RuntimeServer(self, function_arn=function_arn(spec.name))
        self._child: Child | None = None
        self._invocation: Invocation | None = None
        self._taking: asyncio.Future[Invocation] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.ready = False
        """Whether its handler is loaded: it has asked for an invocation."""
        self.retired = False
        """Whether it takes no more invocations."""

    async def run(self) -> None:
        """Start the process, and wait until it has ended."""
        address = await self._server.start()
        command = (sys.executable, "-m", "agentos_lambda.aws.runtime")
        try:
            self._child = await Child.spawn(
                command, env=self._process_variables(address), cwd=self._spec.code, on_line=self._show
            )
            status = await self._child.wait()
            self._settle(EnvironmentCrashed(f"the environment ended with status {status}"))
        finally:
            self._settle(EnvironmentCrashed("the environment was stopped"))
            await self._server.end_exchanges()
            if self._child is not None:
                await self._child.kill()
            self._server.close()

    async def next(self) -> Invocation:
        """The next invocation, whose time runs from now. Waits for one.

        Raises ``ConnectionAbortedError`` if there is none because the environment is retired.
        """
        self._settle(InvocationFailed("the function asked for more without an answer"))
        self.ready = True
        if self.retired:
            self._end()
            raise ConnectionAbortedError
        self._taking = taking = self._take()
        try:
            invocation = await taking
        except asyncio.CancelledError:
            if not taking.cancelled():
                taking.result().fail(EnvironmentCrashed("the environment was stopped"))
            if self.retired:
                raise ConnectionAbortedError from None
            raise
        finally:
            self._taking = None
        self._invocation = invocation
        invocation.begin()
        self._deadline = asyncio.get_running_loop().call_later(invocation.timeout_seconds, self._time_out)
        return invocation

    def retire(self) -> None:
        """Take no more invocations: end now if there is none, else when it has been answered."""
        self.retired = True
        if self._taking is not None and self._taking.cancel():
            self._end()

    def current(self, request_id: str) -> Invocation | None:
        """The current invocation, if it has this request id."""
        invocation = self._invocation
        return invocation if invocation is not None and invocation.request_id == request_id else None

    def _settle(self, failure: InvocationFailed) -> None:
        """End the current invocation. If it was not answered, it has failed."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._invocation is not None:
            self._invocation.fail(failure)
        self._invocation = self._deadline = None

    def _time_out(self) -> None:
        self._show(f"timed out after {self._spec.timeout_seconds:g} seconds")
        self._settle(InvocationTimedOut(f"timed out after {self._spec.timeout_seconds:g} seconds"))
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            self._child.send_signal(signal.SIGKILL)

    def _show(self, line: str) -> None:
        print(f"[{self._spec.code.name}] {line}", file=sys.stderr, flush=True)

    def _process_variables(self, address: str) -> dict[str, str]:
        """The function's variables, and those that Lambda itself sets."""
        return {
            **self._variables,
            "AWS_LAMBDA_RUNTIME_API": address,
            "_HANDLER": self._spec.handler,
            "LAMBDA_TASK_ROOT": str(self._spec.code),
            "AWS_LAMBDA_FUNCTION_NAME": self._spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self._spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
            "PYTHONUNBUFFERED": "1",
            "TZ": ":UTC",
        }
