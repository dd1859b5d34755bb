"""Lambda's own API, as far as functions use it: they invoke one another without waiting.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.functions.function import Function
from local.functions.invocation import Invocation, InvocationFailed

PATH = "/2015-03-31/functions/{name}/invocations"

logger = logging.getLogger(__name__)


def invoke_api(functions: Mapping[str, Function]) -> Starlette:
    """An ASGI app with asynchronous invocations. One that fails is reported, but not repeated as on AWS."""
    under_way: set[asyncio.Task[None]] = set()

    async def invoke(request: Request) -> Response:
        function = functions.get(request.path_params["name"])
        if function is None:
            return _error(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", "There is no such function")
        if request.headers.get("x-amz-invocation-type") != "Event":
            return _error(HTTPStatus.BAD_REQUEST, "InvalidParameterValueException", "Invocations are asynchronous here")
        task = asyncio.create_task(_finish(request.path_params["name"], function.invoke(await request.body())))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return Response(status_code=HTTPStatus.ACCEPTED)

    return Starlette(routes=[Route(PATH, invoke, methods=["POST"])])


async def _finish(name: str, invocation: Invocation) -> None:
    try:
        async for _ in invocation.pieces():
            pass
    except InvocationFailed as failure:
        logger.warning("%s failed: %s", name, failure)


def _error(status: HTTPStatus, error_type: str, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"x-amzn-ErrorType": error_type})
