"""One function's process that is given several events, one after the other."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from agentos_lambda.aws.handlers.prelude import DELIMITER
from local.account import function_arn
from local.functions.invocation import Invocation, ResponseMode
from local.functions.runtime_server import RuntimeServer

_CPU = "x-cpu-ns"
_HANDLED = Path(__file__).parent / "handled"


def measured(environment: Mapping[str, str]) -> dict[str, str]:
    """Of a process whose handler says what CPU it takes."""
    path = os.pathsep.join((environment["PYTHONPATH"], str(_HANDLED)))
    return {**environment, "PYTHONPATH": path, "_HANDLER": "measured.handler"}


class FunctionProcess:
    """A process that runs, and what it is given next."""

    def __init__(self) -> None:
        self._next: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._current: Invocation | None = None
        self._cpu_ns = 0
        self.ended: asyncio.Future[int]
        """Done when the process has ended."""

    async def next(self) -> Invocation:
        """The runtime's next event. Raises ``ConnectionResetError`` when there is none any more, which ends it."""
        invocation = await self._next.get()
        if invocation is None:
            self.end()  # the runtime asks once more, over another connection
            raise ConnectionResetError
        self._current = invocation
        invocation.begin()
        return invocation

    def current(self, request_id: str) -> Invocation | None:
        """The invocation that is under way."""
        found = self._current
        return found if found is not None and found.request_id == request_id else None

    def end(self) -> None:
        """Give it no further event."""
        self._next.put_nowait(None)

    async def answer(self, event: bytes) -> bytes:
        """The body that it answers. Raises ``RuntimeError`` if that is not a success, or if the process ends."""
        return await self._given(event, self._read)

    async def result(self, event: bytes) -> Any:
        """What it answers to an event that is no HTTP request, as JSON. Raises the same."""

        async def whole(invocation: Invocation) -> bytes:
            return b"".join([piece async for piece in invocation.pieces()])

        return json.loads(await self._given(event, whole))

    async def _given(self, event: bytes, read: Callable[[Invocation], Coroutine[Any, Any, bytes]]) -> bytes:
        invocation = Invocation(event, timeout_seconds=900)
        self._next.put_nowait(invocation)
        answering = asyncio.create_task(read(invocation))
        either: set[asyncio.Future[Any]] = {answering, self.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            answering.cancel()
            raise RuntimeError("the function's process has ended")
        return await answering

    async def _read(self, invocation: Invocation) -> bytes:
        mode = await invocation.mode()
        answer = b"".join([piece async for piece in invocation.pieces()])
        if mode is ResponseMode.BUFFERED:
            head = json.loads(answer)
            body = str(head["body"]).encode()
        else:
            prelude, _, body = answer.partition(DELIMITER)
            head = json.loads(prelude)
        status = head["statusCode"]
        if status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"an unexpected answer: {answer[:1000]!r}")
        self._cpu_ns = int(head["headers"].get(_CPU, 0))
        return body

    async def taken(self, event: bytes, times: int) -> tuple[float, list[float]]:
        """What each of so many requests takes: CPU seconds of its handler, and for each the seconds to the end of its
        answer. The process has to be one of a ``measured`` handler."""
        latencies, cpu = [], 0
        for _ in range(times):
            began = time.monotonic()
            await self.answer(event)
            latencies.append(time.monotonic() - began)
            cpu += self._cpu_ns
        return cpu / times / 1_000_000_000, latencies


@asynccontextmanager
async def function_process(
    interpreter: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[FunctionProcess]:
    """Starts the runtime with this interpreter, and ends it."""
    function = FunctionProcess()
    server = RuntimeServer(function, function_arn=function_arn("measured"))
    process = await asyncio.create_subprocess_exec(
        *interpreter,
        *("-m", "agentos_lambda.aws.runtime"),
        env={**environment, "AWS_LAMBDA_RUNTIME_API": await server.start()},
        stdout=asyncio.subprocess.DEVNULL,
    )
    function.ended = asyncio.ensure_future(process.wait())
    try:
        yield function
    finally:
        function.end()
        await function.ended
        await server.end_exchanges()
        server.close()
