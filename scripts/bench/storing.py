"""What each kind of run asks of DynamoDB, by the way in which it is run and the length of its session."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from local.functions.event_source import QueuePoller
from local.template.document import Template
from scripts.bench.counting import Counted
from scripts.bench.process import FunctionProcess, function_process
from scripts.bench.results import Note
from scripts.cold_start.__main__ import Bundle
from scripts.cold_start.first_answer import Request

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

COMPONENTS = {"agent": "assistant", "team": "newsroom", "workflow": "letter"}
WAYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "whole": (("stream", "false"),),
    "streamed": (("stream", "true"),),
    "background": (("stream", "false"), ("background", "true")),
}
_SAMPLES = 3
"""Runs of each way at each length. A run on a busy machine may have its record read once more."""
WORKER = Request("worker", "WorkerFunction", sample="worker.json")
Environment = Callable[[Bundle, Request], Mapping[str, str]]


def request_of(kind: str, way: str, session_id: str) -> Request:
    """A run of this kind, in this way."""
    form = (("message", "Hello!"), *WAYS[way], ("session_id", session_id))
    return Request(f"{kind} {way}", f"{kind.capitalize()}sFunction", "POST", f"/{kind}s/{COMPONENTS[kind]}/runs", form)


class Storing:
    """Runs in a session that becomes longer, and what is counted of them."""

    def __init__(self, note: Note, python: str, counted: Counted, environment: Environment) -> None:
        self._note = note
        self._python = python
        self._counted = counted
        self._environment = environment

    async def ours(self, bundle: Bundle, kind: str, lengths: list[int], template: Template, sqs: SQSClient) -> None:
        """Every way. Background runs are executed by the worker's function."""
        request = request_of(kind, "whole", "")
        async with (
            function_process((self._python, "-S"), self._environment(bundle, request)) as process,
            function_process((self._python, "-S"), self._environment(bundle, WORKER)) as working,
            polling(working, template, sqs) as worker,
        ):
            await self._counted_by_length(bundle.name, kind, lengths, process, worker)

    async def others(self, bundle: Bundle, lengths: list[int]) -> None:
        """An agent's, whole."""
        request = request_of("agent", "whole", "")
        async with function_process((self._python, "-S"), self._environment(bundle, request)) as process:
            await self._counted_by_length(bundle.name, "agent", lengths, process, None)

    async def _counted_by_length(
        self, name: str, kind: str, lengths: list[int], process: FunctionProcess, worker: Worker | None
    ) -> None:
        async def run(way: str, session_id: str) -> None:
            ended = worker.ended if worker is not None else 0
            await process.answer(request_of(kind, way, session_id).event())
            if way == "background" and worker is not None:
                await worker.until(ended + 1)

        ways = WAYS if worker is not None else ("whole",)
        for way in ways:
            await run(way, "warm-up")
        length = 0
        for wanted in lengths:
            while length < wanted - 1:
                await run("whole", "measured")
                length += 1
            first = wanted == 1  # then each sample has a session of its own
            for way, sample in itertools.product(ways, range(_SAMPLES)):
                self._counted.taken()
                await run(way, f"{way}-{sample}" if first else "measured")
                self._noted(name, f"{kind} {way}, session of {wanted}")
            length += 0 if first else len(ways) * _SAMPLES

    def _noted(self, name: str, what: str) -> None:
        taken = self._counted.taken()
        for sort in ("requests", "bytes", "read_units", "write_units"):
            self._note(name, f"DynamoDB {sort.replace('_', ' ')}, {what}", taken[sort])


class Worker:
    """The worker's function, as a poller of its queue invokes it."""

    def __init__(self, process: FunctionProcess) -> None:
        self._process = process
        self._one = asyncio.Lock()
        self._more = asyncio.Condition()
        self.ended = 0
        """How many messages it has worked on."""

    async def answer(self, event: Mapping[str, Any]) -> Any:
        """As ``Function.answer``, one at a time."""
        async with self._one:
            answer = await self._process.result(json.dumps(event).encode())
        if (answer or {}).get("batchItemFailures"):
            raise RuntimeError(f"the worker failed: {answer}")
        async with self._more:
            self.ended += len(event["Records"])
            self._more.notify_all()
        return answer

    async def until(self, ended: int) -> None:
        """Wait until so many are over."""
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: self.ended >= ended)


@asynccontextmanager
async def polling(process: FunctionProcess, template: Template, sqs: SQSClient) -> AsyncIterator[Worker]:
    """The worker, with the queue of runs polled for it."""
    worker = Worker(process)
    [trigger] = [trigger for trigger in template.queue_triggers if trigger.function == WORKER.function]
    task = asyncio.create_task(QueuePoller(trigger, worker, sqs).run())  # type: ignore[arg-type]
    try:
        yield worker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
