"""Docker, through its command: host address, images and containers of sam local."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.processes.child import Child
from local.sam.bridge import bridge_addresses
from local.settings import CannotStart
from local.variables import own_variables

_BRIDGE = "bridge"
"""The name of docker's default network."""
_REPOSITORY = "public.ecr.aws/lambda/python"
_WITH_LAYERS = "samcli/lambda-python"


@dataclass(frozen=True, slots=True)
class Host:
    """This machine, as containers reach it."""

    address: str
    """The address that a server must listen on."""
    name: str
    """The name by which containers reach it."""

    def seen(self, url: str) -> str:
        """A URL of this machine as containers must write it."""
        return url.replace(f"//{self.address}:", f"//{self.name}:", 1)


async def host() -> Host:
    """How containers on docker's default bridge reach this machine, by one address and never by every interface.

    Raises ``CannotStart`` if there is no docker, or if its bridge has no address.
    """
    status, output = await _docker("network", "inspect", _BRIDGE, "--format", "{{json .}}")
    if status != 0:
        answers, _ = await _docker("version", "--format", "{{.Server.Version}}")
        if answers == 0:
            raise CannotStart(f"docker has no network named {_BRIDGE}, which sam local needs: {_last(output)}")
        raise CannotStart(f"docker is needed, and does not answer: {_last(output)}")
    addresses = list(bridge_addresses(_network(output)))
    if not addresses:
        raise CannotStart(
            f"docker's network {_BRIDGE} has no IPv4 address that containers could reach this machine by: "
            f"see `docker network inspect {_BRIDGE}`, and restart docker"
        )
    for address in addresses:
        if _is_ours(address):
            return Host(address, address)
    # Docker Desktop's bridge belongs to a virtual machine, in which this machine's loopback has a name.
    return Host("127.0.0.1", "host.docker.internal")


async def provide_image(runtime: str, architecture: str) -> None:
    """Pull the image that sam runs functions of ``python3.N`` in, unless it is here. Raises ``CannotStart``."""
    image = f"{_REPOSITORY}:{runtime.removeprefix('python')}-{architecture}"
    status, _ = await _docker("image", "inspect", image)
    if status == 0:
        return
    print(f"pulling {image} ...", flush=True)
    status, output = await _docker("pull", "--quiet", image)
    if status != 0:
        raise CannotStart(f"the image {image} is not here and cannot be pulled: {_last(output)}")


@asynccontextmanager
async def no_containers_left(mounted: Iterable[Path]) -> AsyncIterator[None]:
    """Remove the containers that mount one of these folders, before the context (after a crash) and after it.

    sam removes its own containers when it is stopped, except those that it is just creating.
    """
    filters = [argument for folder in mounted for argument in ("--filter", f"volume={folder.resolve()}")]
    await _remove_containers(filters)
    try:
        yield
    finally:
        await _remove_containers(filters)


async def _remove_containers(filters: list[str]) -> None:
    _, found = await _docker("ps", "--all", "--quiet", "--no-trunc", *filters)
    if found:
        await _docker("rm", "--force", "--volumes", *found)


@asynccontextmanager
async def no_stale_images() -> AsyncIterator[None]:
    """Remove images with layers that sam has replaced. Otherwise each build would leave about 500 MB behind."""
    before = await _images_with_layers()
    try:
        yield
    finally:
        if stale := before - await _images_with_layers():
            await _docker("image", "rm", *stale)


async def _images_with_layers() -> set[str]:
    _, images = await _docker("images", "--quiet", "--no-trunc", _WITH_LAYERS)
    return set(images)


async def _docker(*arguments: str) -> tuple[int, list[str]]:
    """Run a docker command. Gives its exit status and its lines."""
    output: list[str] = []
    child = await Child.spawn(("/usr/bin/env", "docker", *arguments), env=own_variables(), on_line=output.append)
    try:
        status = await child.wait()
    finally:
        await child.kill()
    return status, output


def _network(output: list[str]) -> dict[str, Any]:
    """What the last line says about a network; nothing if it does not describe one."""
    try:
        network = json.loads(_last(output))
    except ValueError:
        return {}
    return network if isinstance(network, dict) else {}


def _last(output: list[str]) -> str:
    return output[-1].strip() if output else "it says nothing"


def _is_ours(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
