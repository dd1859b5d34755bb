"""Answers that take longer than a connection may be silent.

API Gateway cuts an answer that is idle for five minutes, and others on the way are less patient. White space before a
JSON value means nothing, so it keeps the connection open.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from fastapi.responses import JSONResponse, Response, StreamingResponse

from agentos_lambda.runs.errors import StoreUnavailable

log = logging.getLogger(__name__)

SILENCE_SECONDS = 30.0
"""How long a client hears nothing."""

_Answer = TypeVar("_Answer", bound=JSONResponse)
_WHITE_SPACE = b" "


async def patiently(
    answer: Awaitable[_Answer], instead: Callable[[], Awaitable[JSONResponse]]
) -> _Answer | StreamingResponse:
    """The answer; or, from a silence on, a 200 of white space with the answer's JSON at its end.

    Before that, errors are raised as they come. After it the status is sent: if the store does not answer then, the
    body is that of ``instead``.
    """
    coming = asyncio.ensure_future(answer)
    done, _ = await asyncio.wait({coming}, timeout=SILENCE_SECONDS)
    if done:
        return coming.result()
    return StreamingResponse(_filled(coming, instead), media_type="application/json")


async def _filled(
    coming: asyncio.Future[_Answer], instead: Callable[[], Awaitable[JSONResponse]]
) -> AsyncIterator[bytes]:
    done: set[asyncio.Future[_Answer]] = set()
    while not done:
        yield _WHITE_SPACE
        done, _ = await asyncio.wait({coming}, timeout=SILENCE_SECONDS)
    try:
        answer: Response = coming.result()
    except StoreUnavailable:
        log.exception("the store is unavailable")
        answer = await instead()
    yield bytes(answer.body)
