"""Word between a test and the function in `streams`."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

PIPES = ("go", "end")


class Signals:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in PIPES:
            os.mkfifo(folder / name)

    async def give(self, name: str) -> None:
        """Let the function go on."""
        await asyncio.to_thread((self.folder / name).write_bytes, b"")

    @property
    def notes(self) -> list[str]:
        """What the function has noted."""
        file = self.folder / "notes"
        return file.read_text().split() if file.exists() else []


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another process makes true. Fails after 20 seconds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
