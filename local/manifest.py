"""The manifest of the components, made before anything is served."""

from __future__ import annotations

from pathlib import Path

from local.processes.child import Child
from local.settings import CannotStart, Settings
from local.variables import python_variables


async def build_manifest(settings: Settings) -> None:
    """Write the manifest of the components. Raises ``CannotStart``, which says what is wrong with them."""
    output: list[str] = []
    command: tuple[str | Path, ...] = (
        *settings.build_manifest,
        "--components",
        settings.components_file.resolve(),
        "-o",
        settings.manifest.resolve(),
    )
    child = await Child.spawn(command, env=python_variables(settings), on_line=output.append)
    try:
        status = await child.wait()
    finally:
        await child.kill()
    if status != 0:
        raise CannotStart("\n".join(output) or f"the manifest of {settings.components_file} could not be built")
