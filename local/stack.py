"""The local stack as a whole: what starts, in which order, and how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from local.cloud.process import running_cloud
from local.cloud.resources import create_resources
from local.components.reload import Components, reloading
from local.functions.event_sources import event_sources
from local.functions.function import Function, environments
from local.functions.invoke_api import invoke_api
from local.gateway.api_event import Stage
from local.gateway.http_server import http_server
from local.gateway.management_api import management_api
from local.gateway.rest import Gateway
from local.gateway.routing import Router
from local.gateway.websocket import WebSocketGateway
from local.processes.exclusive import exclusive_port, exclusive_state
from local.settings import CannotStart, Settings
from local.template.document import Template
from local.variables import check_own_variables, function_variables, template_parameters

WEBSOCKET_PATH = "/workflows/ws"


async def serve(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Run everything until cancelled. Raises ``CannotStart``."""
    with exclusive_port(settings.port) as front_port, exclusive_port(0) as calls_port, exclusive_state(settings):
        if not settings.components_file.is_file():
            raise CannotStart(f"{settings.components_file}: no such components file")
        check_own_variables()
        template = Template.load(settings.template, template_parameters())
        async with running_cloud(settings.cloud_python, settings.state / "cloud") as cloud:
            components = Components(settings)
            await asyncio.gather(components.load(), asyncio.to_thread(create_resources, template, cloud.clients))
            addresses = {
                "WEBSOCKET_URL": f"ws://127.0.0.1:{settings.port}{WEBSOCKET_PATH}",
                "WEBSOCKET_MANAGEMENT_URL": f"http://127.0.0.1:{calls_port.getsockname()[1]}",
            }

            def variables(name: str) -> dict[str, str]:
                own = function_variables(settings, template.functions[name].variables, cloud.url, addresses=addresses)
                invoked_at = {"AWS_ENDPOINT_URL_LAMBDA": addresses["WEBSOCKET_MANAGEMENT_URL"]}
                return {**own, **invoked_at, **components.variables}

            functions = {
                name: Function(spec, variables(name), max_environments=settings.max_environments)
                for name, spec in template.functions.items()
            }
            websockets = WebSocketGateway(WEBSOCKET_PATH, template.websocket_routes, functions)
            front = http_server(_by_protocol(_rest_api(template, functions, settings), websockets), front_port)
            from_functions = Starlette(
                routes=[Mount("/@connections", management_api(websockets)), Mount("/", invoke_api(functions))]
            )
            calls = http_server(from_functions, calls_port)
            sources = event_sources(template, functions, settings.schedule_seconds, cloud.clients.sqs)
            changes = reloading(components, functions, variables)
            running = environments(functions.values(), warm=settings.warm)
            async with calls, front, running, sources, changes:
                on_ready()
                await cloud.wait()
                raise CannotStart("the local cloud has ended")


def _rest_api(template: Template, functions: dict[str, Function], settings: Settings) -> Gateway:
    return Gateway(
        Router(template.routes),
        functions,
        stage=Stage(settings.port, template.binary_types, template.stage_variables),
        streaming=template.streaming,
        timeouts=template.integration_timeouts,
        responses=template.gateway_responses,
        idle_seconds=settings.idle_seconds,
    )


def _by_protocol(http: ASGIApp, websockets: ASGIApp) -> ASGIApp:
    """One app for HTTP and WebSocket connections to one port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (websockets if scope["type"] == "websocket" else http)(scope, receive, send)

    return app
