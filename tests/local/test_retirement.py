"""An environment that is asked to leave, in a process of its own, behind a Runtime API."""

import asyncio
import json
import os
from pathlib import Path

from local.answer import read_response
from local.function import Function
from local.invocation import ResponseMode
from local.template import FunctionSpec

ROOT = Path(__file__).parents[2]

HANDLER = """
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from agentos_lambda.aws.retirement import retire

def handler(event, context):
    if event["hangs"]:
        ThreadPoolExecutor().submit(threading.Event().wait)  # an orderly exit would wait for it
        retire()
    return {"statusCode": 200, "body": str(os.getpid())}
"""


async def ask(function: Function, *, hangs: bool = False) -> str:
    """The process that has answered."""
    invocation = function.invoke(json.dumps({"hangs": hangs}).encode())
    try:
        response = await read_response(invocation, ResponseMode.BUFFERED)
        return b"".join([piece async for piece in response.body]).decode()
    finally:
        invocation.abandon()


def test_after_a_run_that_can_not_be_stopped_a_fresh_process_serves(tmp_path, capfd):
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec("Toy", tmp_path, "app.handler", timeout=30, memory=128)
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers" / "agentos_lambda")}

    async def steps():
        function = Function(spec, variables, max_environments=1)
        try:
            async with asyncio.timeout(60):
                return [await ask(function), await ask(function, hangs=True), await ask(function), await ask(function)]
        finally:
            await function.close()

    first, hanging, fresh, again = asyncio.run(steps())

    assert hanging == first  # its own invocation is answered
    assert fresh != hanging
    assert again == fresh
    assert "the environment leaves" in capfd.readouterr().err
