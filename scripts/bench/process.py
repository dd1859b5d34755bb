"""One function's process that is given several events, one after the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from agentos_lambda.aws.handlers.prelude import DELIMITER
from local.account import function_arn
from local.functions.invocation import Invocation, ResponseMode
from local.functions.runtime_server import RuntimeServer
from scripts.cold_start.first_answer import cpu_seconds


class FunctionProcess:
    """A process that runs, and what it is given next."""

    def __init__(self) -> None:
        self._next: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._current: Invocation | None = None
        self.pid = 0
        self.ended: asyncio.Future[int]
        """Done when the process has ended."""

    async def next(self) -> Invocation:
        """The runtime's next event. Raises ``ConnectionResetError`` when there is none any more, which ends it."""
        invocation = await self._next.get()
        if invocation is None:
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
        """The body that it answers. Raises ``RuntimeError`` if that is no success, or if the process ends."""
        invocation = Invocation(event, timeout=900)
        self._next.put_nowait(invocation)
        answering = asyncio.create_task(self._read(invocation))
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
            whole = json.loads(answer)
            status, body = whole["statusCode"], str(whole["body"]).encode()
        else:
            head, _, body = answer.partition(DELIMITER)
            status = json.loads(head)["statusCode"]
        if status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"an unexpected answer: {answer[:1000]!r}")
        return body

    async def cpu_of(self, event: bytes, times: int) -> float:
        """CPU seconds that each of so many requests takes, with what the process does until it waits again."""
        before = cpu_seconds(self.pid)
        for _ in range(times):
            await self.answer(event)
        return (cpu_seconds(self.pid) - before) / times


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
    function.pid, function.ended = process.pid, asyncio.ensure_future(process.wait())
    try:
        yield function
    finally:
        function.end()
        await function.ended
        await server.end_exchanges()
        server.close()
