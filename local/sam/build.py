"""The SAM CLI: how it builds for this machine, and its environment without the user's AWS account."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

from local.account import SDK_VARIABLES
from local.processes.child import Child
from local.settings import ROOT, CannotStart
from local.variables import own_variables

SAM = ROOT / ".venvs" / "sam" / "bin" / "sam"


def architecture() -> str:
    """This machine's processor, as Lambda names it."""
    return {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


def sam_variables() -> dict[str, str]:
    """An environment for sam, without an outer make's variables and with the local account."""
    inherited = {name: value for name, value in own_variables().items() if not name.startswith(("MAKE", "MFLAGS"))}
    return {**inherited, **SDK_VARIABLES, "SAM_CLI_TELEMETRY": "0"}


def overrides(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The option that gives sam values of the template's parameters."""
    return ("--parameter-overrides", " ".join(f"{name}={value}" for name, value in parameters.items()))


async def build(folder: Path, *, runtime: str, parameters: Mapping[str, str] | None = None) -> Path:
    """Build functions and layers into a folder, for this machine's processor and for Python ``python3.N``.

    Gives the built template. Raises ``CannotStart``.
    """
    output: list[str] = []
    target = {"ARCHITECTURE": architecture(), "RUNTIME": runtime}
    given = overrides({**(parameters or {}), "Architecture": target["ARCHITECTURE"]})
    child = await Child.spawn(
        (SAM, "build", "--build-dir", folder, *given),
        env={**sam_variables(), **target},
        on_line=output.append,
        cwd=ROOT,
    )
    try:
        status = await child.wait()
    finally:
        await child.kill()
    if status != 0:
        raise CannotStart("\n".join(("sam build failed:", *output)))
    return folder / "template.yaml"
