"""The process of one function, from its start to the first byte of its first answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
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


_RUNS = "/agents/assistant/runs"
_RUN = (("message", "Hello!"), ("stream", "true"))

FOLLOWED = Request("followed", "AgentsFunction", "POST", _RUNS, (*_RUN, ("run_id", "followed")))
"""Starts the run that is read and followed afterwards."""

REQUESTS = (
    Request("health", "ConfigFunction", "GET", "/health"),
    Request("run", "AgentsFunction", "POST", _RUNS, _RUN),
)
"""Those that a naive bundle answers, too."""

OWN_REQUESTS = (
    Request("read", "ControlFunction", "GET", f"{_RUNS}/followed"),
    Request("follow", "FollowFunction", "POST", f"{_RUNS}/followed/resume"),
    Request("close", "WebSocketFunction", sample="websocket-disconnect.json"),
    Request("sweep", "SweeperFunction", sample="sweeper.json"),
)
"""Of functions that only our bundle has."""


@dataclass(frozen=True)
class Measured:
    """What one process took."""

    cpu_seconds: float
    """CPU time of all threads, from the start of the process to the first byte of the answer's body."""
    peak_mib: float
    """The most memory that the process had until then."""
    output: str


class _OneInvocation:
    """Gives one event and then hangs up, which ends the process."""

    def __init__(self, event: bytes) -> None:
        self.invocation = Invocation(event, timeout_seconds=900)
        self._given = False

    async def next(self) -> Invocation:
        if self._given:
            raise ConnectionResetError
        self._given = True
        self.invocation.begin()
        return self.invocation

    def current(self, request_id: str) -> Invocation | None:
        return self.invocation if self.invocation.request_id == request_id else None


async def first_answer(interpreter: Sequence[str], environment: Mapping[str, str], request: Request) -> Measured:
    """Start the runtime with this interpreter and measure. Raises ``RuntimeError`` if it does not answer with 200."""
    tenant = _OneInvocation(request.event())
    server = RuntimeServer(tenant, function_arn=function_arn("measured"))
    process = await asyncio.create_subprocess_exec(
        *interpreter,
        *("-m", "agentos_lambda.aws.runtime"),
        env={**environment, "AWS_LAMBDA_RUNTIME_API": await server.start()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    reading = asyncio.create_task(_at_first_byte(process.pid, tenant.invocation, http=not request.sample))
    output = (await process.communicate())[0].decode()
    if not reading.done():
        tenant.invocation.abandon()
        reading.cancel()
    await server.end_exchanges()
    server.close()
    if reading.cancelled() or not reading.done() or reading.exception() is not None:
        raise RuntimeError(f"{request.name} was not answered: {output}")
    return Measured(*reading.result(), output)


async def _at_first_byte(pid: int, invocation: Invocation, *, http: bool) -> tuple[float, float]:
    """CPU seconds and peak memory."""
    mode = await invocation.mode()
    taken = None
    answer = b""
    async for piece in invocation.pieces():
        answer += piece
        if taken is None and (mode is ResponseMode.BUFFERED or answer.partition(DELIMITER)[2]):
            taken = cpu_seconds(pid), _peak_mib(pid)
    if taken is None or (http and json.loads(answer.partition(DELIMITER)[0])["statusCode"] != HTTPStatus.OK):
        raise RuntimeError(f"an unexpected answer: {answer[:1000]!r}")
    return taken


def _peak_mib(pid: int) -> float:
    """Of another process, as proc(5) has it."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """The CPU clock of another process, as clock_getcpuclockid(3) numbers it on Linux."""
    return time.clock_gettime(~pid << 3 | 2)
