"""``sam local start-api`` as a child of ours."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from local.processes.child import Child
from local.sam.build import SAM, sam_variables
from local.sam.files import SamLocalFiles
from local.settings import ROOT, CannotStart

_START_SECONDS = 60
_STOP_SECONDS = 15
"""It removes its containers when it stops."""
_LAST_LINES = 20
"""So much of its output is shown if it does not start."""


class StartApi:
    """A running API."""

    def __init__(self, child: Child) -> None:
        self._child = child

    async def wait(self) -> None:
        """Wait until it has ended by itself."""
        await self._child.wait()


@asynccontextmanager
async def start_api(files: SamLocalFiles, port: int, show: Callable[[str], None]) -> AsyncIterator[StartApi]:
    """Serve the API. Once it is up, what the functions write goes to ``show``. Raises ``CannotStart``."""
    output: deque[str] = deque(maxlen=_LAST_LINES)
    up = asyncio.Event()

    def on_line(line: str) -> None:
        (show if up.is_set() else output.append)(line)
        if "Press CTRL+C" in line:  # the last line before it serves
            up.set()

    # Temporary files of its own: a killed sam leaves locks there, and the next one would wait minutes for them.
    with TemporaryDirectory(prefix="agentos-sam-") as temporary:
        # LAZY keeps a function's container after its first request. A new one for each request would take a second.
        child = await Child.spawn(
            (SAM, "local", "start-api", *files.options, "--port", str(port), "--warm-containers", "LAZY", "--no-watch"),
            env={**sam_variables(), "TMPDIR": temporary},
            on_line=on_line,
            cwd=ROOT,
        )
        try:
            await _until_up(child, up, output)
            yield StartApi(child)
        finally:
            await child.terminate(grace_seconds=_STOP_SECONDS)


async def _until_up(child: Child, up: asyncio.Event, output: deque[str]) -> None:
    waiting = {asyncio.create_task(child.wait()), asyncio.create_task(up.wait())}
    try:
        await asyncio.wait(waiting, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    if not up.is_set():
        raise CannotStart("\n".join(("sam local start-api did not start:", *output)))
