"""Word between a test and the function in `streams`."""

import asyncio
import os
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
