"""API Gateway in STREAM mode and the Lambda Runtime API, in this process, in front of a real runtime process.

They are the local stack's own parts: what the tests hold these to, `make run` does.
"""

import os
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx

from local.functions.function import Function
from local.gateway.api_event import Stage
from local.gateway.http_server import http_server
from local.gateway.rest import Gateway
from local.gateway.routing import Router
from local.processes.exclusive import exclusive_port
from local.template.document import FunctionSpec, Template
from local.template.rest_api import Route
from tests.process import ROOT

METHODS = ("GET", "HEAD", "OPTIONS", "POST")


@dataclass
class Emulator:
    client: httpx.AsyncClient
    function: Function
    """Has one environment at most."""


def code(folder: Path, **variables: str) -> tuple[FunctionSpec, Mapping[str, str]]:
    """A function made of a test's own folder, and its variables."""
    path = os.pathsep.join((str(ROOT / "layers" / "agentos_lambda"), str(ROOT)))
    spec = FunctionSpec("Function", folder, "app.handler", timeout_seconds=30, memory=128)
    return spec, {"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables}


@asynccontextmanager
async def emulator(
    spec: FunctionSpec,
    variables: Mapping[str, str],
    *,
    stream: bool = True,
    mode: str | None = None,
    idle_seconds: float = 300,
):
    """All paths lead to one function. ``mode`` is what the stage says, if that is not what its integration does."""
    mode = mode or ("streaming" if stream else "buffered")
    function = Function(spec, variables, max_environments=1)
    routes = [Route(resource, dict.fromkeys(METHODS, spec.name)) for resource in ("/{proxy+}", "/")]
    with exclusive_port(0) as listener:
        port = listener.getsockname()[1]
        gateway = Gateway(
            Router(routes),
            {spec.name: function},
            stage=Stage(port, frozenset({"multipart/form-data"}), {"responseMode": mode}),
            streaming=frozenset({spec.name} if stream else ()),
            timeouts={spec.name: spec.timeout_seconds},
            responses=_responses(),
            idle_seconds=idle_seconds,
        )
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        async with http_server(gateway, listener), client:
            try:
                yield Emulator(client, function)
            finally:
                await function.close()


@cache
def _responses():
    return Template.load(ROOT / "template.yaml").gateway_responses
