"""The function behind ``/agents``, which says when its engine gave an event and how long its requests to AWS took.

Each event has ``engine_ns``, the time of the machine's monotonic clock. An answer has the header ``x-emulator-ns``: the
nanoseconds that requests to AWS have taken until then, from the signed request to its whole answer.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from botocore.httpsession import URLLib3Session

from agentos_lambda.aws.functions.runs import runs_handler
from agentos_lambda.aws.handlers.prelude import Prelude
from agentos_lambda.aws.runtime.api import RuntimeSink
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import Event, Kind

_events, _send, _start = AgnoRun.events, URLLib3Session.send, RuntimeSink.start
_taken: list[int] = []
"""By the requests of the invocation, which is the only one in this process."""


async def _timed_events(run: AgnoRun) -> AsyncIterator[Event]:
    async for event in _events(run):
        yield {**event, "engine_ns": time.monotonic_ns()}


def _timed_send(session: URLLib3Session, request: Any) -> Any:
    began = time.monotonic_ns()
    try:
        return _send(session, request)
    finally:
        _taken.append(time.monotonic_ns() - began)


async def _told(sink: RuntimeSink, prelude: Prelude) -> None:
    taken = sum(_taken)
    _taken.clear()
    await _start(sink, replace(prelude, headers=(*prelude.headers, (b"x-emulator-ns", b"%d" % taken))))


for owner, name, timed in (
    (AgnoRun, "events", _timed_events),
    (URLLib3Session, "send", _timed_send),
    (RuntimeSink, "start", _told),
):
    setattr(owner, name, timed)

handler = runs_handler(Kind.AGENT)
