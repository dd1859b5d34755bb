"""The stack under sam local: the API's functions in containers, those of queues and schedules as processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from local.cloud.key_secret import key_secret
from local.cloud.process import Cloud, running_cloud
from local.cloud.resources import create_resources
from local.components.manifest import build_manifest
from local.functions.event_sources import event_sources
from local.functions.function import Function, environments
from local.gateway.http_server import http_server
from local.processes.exclusive import exclusive_port, exclusive_state
from local.sam.build import architecture, build
from local.sam.docker import Host, host, no_containers_left, no_stale_images, provide_image
from local.sam.files import SamLocalFiles, Variables, sam_local_files
from local.sam.printed_posts import printed_posts
from local.sam.start_api import start_api
from local.settings import CannotStart, Settings
from local.template.document import Template
from local.variables import check_own_variables, container_variables, function_variables, template_parameters

OnReady = Callable[[SamLocalFiles], None]


async def serve(settings: Settings, on_ready: OnReady) -> None:
    """Build and run everything, until cancelled. Raises ``CannotStart``."""
    with exclusive_port(settings.port):
        pass  # sam takes it later; a port that is in use is reported before the build, not after it
    with exclusive_state(settings):
        check_own_variables()
        template = Template.load(settings.template, {**template_parameters(), "Architecture": architecture()})
        here = await host()
        await provide_image(template.runtime, architecture())
        print("building the functions and layers for this machine ...", flush=True)
        folder = settings.state / "sam" / "build"
        built = await build(folder, runtime=template.runtime, parameters=template_parameters())
        async with (
            running_cloud(settings.cloud_python, settings.state / "cloud", here.address) as cloud,
            no_stale_images(),
            no_containers_left(folder / name for name in template.functions),
            key_secret(os.environ.get("OS_SECURITY_KEY"), cloud.clients) as secret,
        ):
            await asyncio.gather(build_manifest(settings), asyncio.to_thread(create_resources, template, cloud.clients))
            with exclusive_port(0, here.address) as posts_listener:
                addresses = {
                    "WEBSOCKET_URL": "",
                    "WEBSOCKET_MANAGEMENT_URL": f"http://{here.address}:{posts_listener.getsockname()[1]}",
                }
                posts = http_server(printed_posts(lambda line: _show("websocket", line)), posts_listener)
                variables = _variables(template, cloud.url, {**addresses, "SECURITY_KEY_SECRET": secret}, here)
                async with posts, _started_by_events(settings, template, cloud, addresses):
                    with sam_local_files(built, variables, architecture()) as files:
                        async with start_api(files, settings.port, lambda line: _show("sam", line)) as api:
                            on_ready(files)
                            await asyncio.gather(
                                _unexpected(cloud.wait(), "the local cloud has ended"),
                                _unexpected(api.wait(), "sam local start-api has ended"),
                            )


def _variables(template: Template, cloud_url: str, addresses: Mapping[str, str], here: Host) -> Variables:
    seen = {name: here.seen(address) for name, address in addresses.items()}
    return {
        name: container_variables(spec.variables, here.seen(cloud_url), addresses=seen)
        for name, spec in template.functions.items()
    }


@asynccontextmanager
async def _started_by_events(
    settings: Settings, template: Template, cloud: Cloud, addresses: Mapping[str, str]
) -> AsyncIterator[None]:
    """Run the functions of queues and schedules as processes, since sam local has no event sources."""
    names = {queue.function for queue in template.queue_triggers}
    names |= {schedule.function for schedule in template.schedule_triggers}
    functions = {
        name: Function(
            template.functions[name],
            function_variables(settings, template.functions[name].variables, cloud.url, addresses=addresses),
        )
        for name in names
    }
    sources = event_sources(template, functions, settings.schedule_seconds, cloud.clients.sqs)
    async with environments(functions.values(), warm=True), sources:
        yield


async def _unexpected(end: Awaitable[None], reason: str) -> None:
    await end
    raise CannotStart(reason)


def _show(source: str, line: str) -> None:
    print(f"[{source}] {line}", file=sys.stderr, flush=True)
