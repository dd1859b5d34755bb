"""The local stack as a whole: what starts, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from local.cloud import running_cloud
from local.event_source import QueuePoller, invoke_every
from local.function import Function
from local.gateway import Gateway
from local.http_server import http_server
from local.management_api import management_api
from local.manifest import build_manifest
from local.resources import create_resources, queue_client
from local.routing import Router
from local.settings import CannotStart, Settings
from local.template import Template
from local.variables import function_variables, template_parameters
from local.websocket_gateway import WebSocketGateway

WEBSOCKET_PATH = "/workflows/ws"

logger = logging.getLogger(__name__)


async def serve(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Run everything, until cancelled. Raises ``CannotStart``."""
    with _listener(settings.port) as listener, _listener(0) as management_listener, _sole_user(settings):
        if not settings.components_file.is_file():
            raise CannotStart(f"{settings.components_file}: no such components file")
        template = Template.load(settings.template, template_parameters())
        async with running_cloud(settings.cloud_python, settings.state / "cloud") as cloud:
            await asyncio.gather(build_manifest(settings), asyncio.to_thread(create_resources, template, cloud.url))
            addresses = {
                "WEBSOCKET_URL": f"ws://127.0.0.1:{settings.port}{WEBSOCKET_PATH}",
                "WEBSOCKET_MANAGEMENT_URL": f"http://127.0.0.1:{management_listener.getsockname()[1]}",
            }
            functions = {
                name: Function(spec, function_variables(settings, spec.variables, cloud.url, addresses=addresses))
                for name, spec in template.functions.items()
            }
            gateway = Gateway(
                Router(template.routes),
                functions,
                port=settings.port,
                binary_types=template.binary_types,
                streaming=template.streaming,
                timeouts=template.integration_timeouts,
                responses=template.gateway_responses,
            )
            websockets = WebSocketGateway(WEBSOCKET_PATH, template.websocket_routes, functions)
            front = http_server(_by_protocol(gateway, websockets), listener)
            management = http_server(management_api(websockets), management_listener)
            sources = _event_sources(template, functions, settings.schedule_seconds, cloud.url)
            async with management, front, _environments(functions.values()), sources:
                on_ready()
                await cloud.wait()
                raise CannotStart("the local cloud has ended")


@contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    """The port, taken at once so that nobody else gets it while the rest starts."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except (OSError, OverflowError) as error:
            raise CannotStart(f"port {port} can not be used ({error}): try make run PORT={port + 1}") from error
        yield listener


@contextmanager
def _sole_user(settings: Settings) -> Iterator[None]:
    """Two stacks would overwrite each other's state."""
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
        lock = (settings.state / "lock").open("w")
    except OSError as error:
        raise CannotStart(f"{settings.state} can not be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(f"another stack uses {settings.state}: end it first") from error
        yield


@asynccontextmanager
async def _environments(functions: Collection[Function]) -> AsyncIterator[None]:
    """An environment of each function on its way, so that first requests are quick; in the end none of any."""
    try:
        for function in functions:
            function.warm_up()
        yield
    finally:
        await asyncio.gather(*(function.close() for function in functions))


@asynccontextmanager
async def _event_sources(
    template: Template, functions: Mapping[str, Function], schedule_seconds: float, cloud_url: str
) -> AsyncIterator[None]:
    """What invokes functions besides the API."""
    sqs = queue_client(cloud_url)
    sources = [QueuePoller(trigger, functions[trigger.function], sqs).run() for trigger in template.queue_triggers] + [
        invoke_every(schedule_seconds, functions[trigger.function]) for trigger in template.schedule_triggers
    ]
    tasks = [asyncio.create_task(source) for source in sources]
    for task in tasks:
        task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(source: asyncio.Task[None]) -> None:
    if not source.cancelled() and (error := source.exception()):
        logger.error("an event source has ended", exc_info=error)


def _by_protocol(http: ASGIApp, websockets: ASGIApp) -> ASGIApp:
    """One app for both kinds of connection to one port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (websockets if scope["type"] == "websocket" else http)(scope, receive, send)

    return app
