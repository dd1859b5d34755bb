"""Handlers for the runtime to load: an ASGI app, a plain function, and what is neither."""

import asyncio
import os
from pathlib import Path

from agentos_lambda.aws.handlers.http import LambdaHandler


async def app(scope, _receive, send):
    async def piece(data, *, more=True):
        await send({"type": "http.response.body", "body": data, "more_body": more})

    if scope["path"] == "/raise":
        raise RuntimeError("before the first byte")
    headers = [(b"content-type", b"text/plain"), (b"set-cookie", b"a=1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/large":
        for _ in range(100):
            await piece(b"x" * 200_000)
    await piece(b"first")
    if scope["path"] == "/wait":
        await asyncio.to_thread(Path(os.environ["GO_ON"]).read_bytes)  # a named pipe: until the test writes to it
    if scope["path"] == "/break":
        raise RuntimeError("after the first byte")
    await piece(b"last", more=False)


def plain(event, context):
    if event == "context":
        return {
            "id": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "remaining": context.get_remaining_time_in_millis(),
            "trace": [context.trace_id, os.environ.get("_X_AMZN_TRACE_ID")],
            "tenant": context.tenant_id,
            "w3c": context.w3c(),
        }
    if event == "print":
        print("printed by a component")  # noqa: T201 - as components may
    if event == "raise":
        raise LookupError("no such thing")
    if event == "raise named":
        raise type("\u30a8\r\n", (Exception,), {})
    if event == "not json":
        return object()
    return {"got": event}


handler = LambdaHandler(app, fallback=plain)
