"""A process that is asked to start over, behind a Runtime API."""

import asyncio
import json
import os
from pathlib import Path

from local.functions.function import Function
from local.functions.invocation import ResponseMode
from local.gateway.answer import read_response
from local.template.document import FunctionSpec

ROOT = Path(__file__).parents[2]

HANDLER = """
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from uuid import uuid4

from agentos_lambda.aws.runtime.recycle import recycle_soon

IMAGE = str(uuid4())

def handler(event, context):
    if event["hangs"]:
        ThreadPoolExecutor().submit(threading.Event().wait)  # an orderly exit would wait for it
        recycle_soon()
    return {"statusCode": 200, "body": f"{os.getpid()} {IMAGE} {threading.active_count()}"}
"""


async def ask(function: Function, *, hangs: bool = False) -> tuple[str, str, str]:
    """The process that has answered: its id, what tells it from another with that id, and how many threads it has."""
    invocation = function.invoke(json.dumps({"hangs": hangs}).encode())
    try:
        response = await read_response(invocation, ResponseMode.BUFFERED, decodes=True)
        process, image, threads = b"".join([piece async for piece in response.body]).decode().split()
        return process, image, threads
    finally:
        invocation.abandon()


def test_after_a_run_that_cannot_be_stopped_a_fresh_process_serves(tmp_path, capfd):
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec("Toy", tmp_path, "app.handler", timeout_seconds=30, memory=128)
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers" / "agentos_lambda")}

    async def steps():
        function = Function(spec, variables, max_environments=1)
        try:
            async with asyncio.timeout(60):
                return [await ask(function), await ask(function, hangs=True), await ask(function), await ask(function)]
        finally:
            await function.close()

    first, hanging, fresh, again = asyncio.run(steps())

    assert hanging[:2] == first[:2]  # its own invocation is answered
    assert fresh[1:] != hanging[1:]
    assert again == fresh
    assert fresh[0] == first[0]  # a process that ended would have failed its invocation, for Lambda
    assert [first[2], hanging[2], fresh[2]] == ["1", "2", "1"]
    assert "the process starts over" in capfd.readouterr().err
