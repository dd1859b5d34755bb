"""A function whose every route does one thing that a gateway has to get right."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from agentos_lambda.aws.handlers.http import LambdaHandler

app = FastAPI()
SIGNALS = Path(os.environ["TOY_SIGNALS"])
"""Where the tests and the functions leave word for each other."""


async def signal(name: str) -> None:
    """Wait until the test writes to the named pipe."""
    await asyncio.to_thread((SIGNALS / name).read_bytes)


def tell(name: str, text: str = "") -> None:
    """Leave a file for the test."""
    (SIGNALS / f"{name}.part").write_text(text)
    (SIGNALS / f"{name}.part").rename(SIGNALS / name)


@app.get("/health")
@app.get("/agents")
async def pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.api_route("/agents/echo/{rest:path}", methods=["GET", "POST", "OPTIONS"])
async def echo(request: Request, rest: str) -> dict[str, Any]:
    body = await request.body()
    return {
        "rest": rest,
        "url": str(request.url),
        "query": request.query_params.multi_items(),
        "headers": dict(request.headers),
        "sha256": hashlib.sha256(body).hexdigest(),
        "event": {**request.scope["aws.event"], "body": None},
        "variables": dict(os.environ),
    }


@app.post("/agents/upload")
async def upload(file: UploadFile) -> dict[str, Any]:
    content = await file.read()
    return {"name": file.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@app.get("/agents/steps/{token}")
async def steps(token: str) -> StreamingResponse:
    """Chunks 0, 1, 2: each after the first only when the test has said that it has the one before."""

    async def chunks() -> AsyncIterator[str]:
        yield "data: 0\n\n"
        for step in (1, 2):
            await signal(f"{token}-{step}")
            yield f"data: {step}\n\n"
        tell(f"{token}-ended")

    return StreamingResponse(chunks(), media_type="text/event-stream")


@app.get("/agents/hold/{token}")
async def hold(token: str) -> dict[str, int]:
    tell(f"{token}-held", str(os.getpid()))
    await signal(f"{token}-go")
    return {"pid": os.getpid()}


@app.get("/agents/broken/{how}")
async def broken(how: str) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        if how == "crash":
            await signal("crash-after-first")
            os._exit(1)
        raise RuntimeError("after the first chunk")

    return StreamingResponse(chunks())


@app.get("/config/crash/{token}")
async def crash(token: str) -> None:
    tell(f"{token}-crashed", str(os.getpid()))
    os._exit(1)


@app.get("/agents/raise")
async def fail() -> None:
    raise RuntimeError("before the first byte")


@app.get("/agents/hang")
@app.get("/teams/hang")
@app.get("/workflows/hang")
async def hang() -> None:
    await asyncio.sleep(3600)


@app.get("/agents/binary")
async def binary() -> Response:
    return Response(bytes(range(256)) * 256, media_type="application/octet-stream")


@app.get("/agents/cookies")
async def cookies() -> JSONResponse:
    response = JSONResponse({})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    response.headers.append("x-many", "one")
    response.headers.append("x-many", "two")
    return response


@app.get("/agents/large/{size}")
@app.get("/config/large/{size}")
async def large(size: int) -> Response:
    return Response(b"x" * size, media_type="text/plain")


handler: Any = LambdaHandler(app)
if os.environ.get("TOY_ANSWERS") == "whole":
    handler = handler.__call__  # it cannot stream, and so our loop does not
