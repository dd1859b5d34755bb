"""The process of one function, from its start to the first byte of its first answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from agentos_lambda.aws.handlers.prelude import DELIMITER
from local.account import function_arn
from local.functions.invocation import Invocation, ResponseMode
from local.functions.runtime_server import RuntimeServer
from local.gateway.api_event import HttpRequest, Stage, build_event
from local.gateway.routing import Match
from local.settings import ROOT
from scripts.cold_start.share import cpu_seconds, held_to

KEY = "a security key"


@dataclass(frozen=True)
class Request:
    """A request that is measured."""

    name: str
    function: str
    """The logical id of the function that answers it."""
    method: str = ""
    path: str = ""
    form: tuple[tuple[str, str], ...] = ()
    sample: str = ""
    """A file in ``events/``, in place of an HTTP request."""

    def event(self) -> bytes:
        """The event that AWS would send."""
        if self.sample:
            return (ROOT / "events" / self.sample).read_bytes()
        headers = [
            ("Host", "example.com"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", f"Bearer {KEY}"),
        ]
        body = urlencode(self.form).encode()
        path, _, query = self.path.partition("?")
        request = HttpRequest(self.method, path, query, headers, body, "192.0.2.1", "HTTP/1.1")
        match = Match("Function", "/{proxy+}", {"proxy": path[1:]})
        return json.dumps(build_event(request, match, Stage(443, frozenset()))).encode()


_GOOD = (HTTPStatus.OK, HTTPStatus.ACCEPTED)
_RUNS = "/agents/assistant/runs"
_RUN = (("message", "Hello!"), ("stream", "true"))

FOLLOWED = Request("followed", "AgentsFunction", "POST", _RUNS, (*_RUN, ("run_id", "followed")))
"""Starts the run that is read and followed afterwards."""

REQUESTS = (
    Request("`GET /health`", "ConfigFunction", "GET", "/health"),
    Request("a streamed run", "AgentsFunction", "POST", _RUNS, _RUN),
)
"""Those that a naive bundle answers, too."""

OWN_REQUESTS = (
    Request("a run that has ended", "ControlFunction", "GET", f"{_RUNS}/followed"),
    Request("the log of such a run", "FollowFunction", "POST", f"{_RUNS}/followed/resume"),
    Request("a connection that is closed", "WebSocketFunction", sample="websocket-disconnect.json"),
    Request("a sweep with nothing to do", "SweeperFunction", sample="sweeper.json"),
)
"""Of functions that only our bundle has."""


@dataclass(frozen=True)
class Measured:
    """What one process took."""

    init_cpu_seconds: float
    """CPU time of all threads until it asked for its first event, which ends Lambda's INIT."""
    cpu_seconds: float
    """The same, from the start of the process to the first byte of the answer's body."""
    seconds: float
    """From the start of the process to that byte, on a clock."""
    peak_mib: float
    """The most memory that the process had until then."""
    output: str


class _OneInvocation:
    """Gives one event and then hangs up, which ends the process."""

    def __init__(self, event: bytes, at_first: Callable[[], Awaitable[None]]) -> None:
        """``at_first``: awaited before the event is given."""
        self.invocation = Invocation(event, timeout_seconds=900)
        self._at_first = at_first
        self._given = False

    async def next(self) -> Invocation:
        if self._given:
            raise ConnectionResetError
        self._given = True
        await self._at_first()
        self.invocation.begin()
        return self.invocation

    def current(self, request_id: str) -> Invocation | None:
        return self.invocation if self.invocation.request_id == request_id else None


async def first_answer(
    interpreter: Sequence[str], environment: Mapping[str, str], request: Request, *, share: float | None = None
) -> Measured:
    """Start the runtime with this interpreter and measure. Raises ``RuntimeError`` if it answers with an error.

    ``share``: how much of a processor the process gets once it has asked for its event; None: all that there is.
    """
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    holding: list[asyncio.Task[None]] = []
    init_cpu_seconds: list[float] = []

    async def end_of_init() -> None:
        pid = await started
        init_cpu_seconds.append(cpu_seconds(pid))
        if share is not None:
            holding.append(asyncio.create_task(held_to(share, pid)))

    tenant = _OneInvocation(request.event(), end_of_init)
    server = RuntimeServer(tenant, function_arn=function_arn("measured"))
    address, began = await server.start(), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *interpreter,
        *("-m", "agentos_lambda.aws.runtime"),
        env={**environment, "AWS_LAMBDA_RUNTIME_API": address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    started.set_result(process.pid)
    reading = asyncio.create_task(_at_first_byte(process.pid, tenant.invocation, http=not request.sample))
    reading.add_done_callback(lambda _: [each.cancel() for each in holding])
    output = (await process.communicate())[0].decode()
    if not reading.done():
        tenant.invocation.abandon()
        reading.cancel()
    await server.end_exchanges()
    server.close()
    if reading.cancelled() or not reading.done() or reading.exception() is not None:
        raise RuntimeError(f"{request.name} was not answered: {output}")
    cpu, ended, peak_mib = reading.result()
    return Measured(init_cpu_seconds[0], cpu, ended - began, peak_mib, output)


async def _at_first_byte(pid: int, invocation: Invocation, *, http: bool) -> tuple[float, float, float]:
    """CPU seconds, the time of the monotonic clock, and peak memory."""
    mode = await invocation.mode()
    taken = None
    answer = b""
    async for piece in invocation.pieces():
        answer += piece
        if taken is None and (mode is ResponseMode.BUFFERED or answer.partition(DELIMITER)[2]):
            taken = cpu_seconds(pid), time.monotonic(), _peak_mib(pid)
    if taken is None or (http and json.loads(answer.partition(DELIMITER)[0])["statusCode"] not in _GOOD):
        raise RuntimeError(f"an unexpected answer: {answer[:1000]!r}")
    return taken


def _peak_mib(pid: int) -> float:
    """Of another process, as proc(5) has it."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
