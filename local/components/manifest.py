"""The manifest of the components, made before anything is served, and again when they change."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from local.components.sources import SOURCES_VARIABLE
from local.processes.child import Child
from local.settings import CannotStart, Settings
from local.variables import python_variables

_BUILD_SECONDS = 120
"""A components file that runs for longer hangs."""


async def build_manifest(settings: Settings, sources: Path | None = None) -> None:
    """Write the manifest of the components, of their ``sources`` at this absolute path, which ``Sources.save`` wrote.

    Raises ``CannotStart``, which says what is wrong with them. The manifest is then what it was.
    """
    output: list[str] = []
    made = settings.manifest.with_name(f"{settings.manifest.name}.new")
    command: tuple[str | Path, ...] = (
        *settings.build_manifest,
        "--components",
        settings.components_file.resolve(),
        "-o",
        made.resolve(),
    )
    variables = python_variables(settings)
    if sources is not None:
        variables[SOURCES_VARIABLE] = str(sources)
    child = await Child.spawn(command, env=variables, on_line=output.append)
    try:
        async with asyncio.timeout(_BUILD_SECONDS):
            status = await child.wait()
    except TimeoutError:
        raise CannotStart(f"{settings.components_file}: takes more than {_BUILD_SECONDS} seconds to import") from None
    finally:
        await child.kill()
    if status != 0:
        raise CannotStart("\n".join(output) or f"the manifest of {settings.components_file} could not be built")
    made.replace(settings.manifest)
    for line in json.loads(settings.manifest.read_text()).get("replaced_databases", ()):
        show(line)


def show(text: str) -> None:
    """Print a line about the components."""
    print(f"[components] {text}", file=sys.stderr, flush=True)
