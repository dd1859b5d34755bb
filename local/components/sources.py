"""The Python sources in the folder of a components file: the file, and what it may import beside it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

SOURCES_VARIABLE = "LOCAL_SOURCES"
"""The environment variable by which a process takes its sources from a file: see startup/sitecustomize.py."""
STARTUP = Path(__file__).with_name("startup")
"""A folder for the ``PYTHONPATH`` of such processes."""

_NOT_IMPORTED = frozenset({"__pycache__", "node_modules", "site-packages"})
_LOOK_EVERY_MS = 5_000
"""For changes that no notice comes of: in a shared folder, or between a reading and the watching."""
_SETTLE_MS = 200
"""Changes that follow each other so closely, such as those of an editor that saves, are one."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources at one moment."""

    files: Mapping[str, bytes]
    """Real path -> content."""
    folders: frozenset[str]
    """Where they may lie."""

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """The sources below a folder, without hidden folders and virtual environments. Blocks."""
        files: dict[str, bytes] = {}
        folders = set[str]()
        for path, names in _walk(folder.resolve()):
            folders.add(str(path))
            for name in names:
                try:
                    files[os.path.realpath(path / name)] = (path / name).read_bytes()
                except OSError:
                    continue  # it is gone, or nobody could import it
        return cls(files, frozenset(folders))

    def save(self, file: Path) -> None:
        """Write them down for a process that gets the file's path in ``LOCAL_SOURCES``."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({path: content.decode("latin-1") for path, content in self.files.items()}))


async def changes(folder: Path, sources: Sources) -> AsyncGenerator[Sources, None]:
    """The sources each time that they have become other ones, beginning with ``sources``.

    Raises ``OSError`` if the system cannot watch so many folders.
    """
    while True:
        watched = sources.folders
        notices = awatch(
            *watched,
            watch_filter=None,
            recursive=False,
            debounce=_SETTLE_MS,
            rust_timeout=_LOOK_EVERY_MS,
            yield_on_timeout=True,
        )
        async with aclosing(notices):
            async for _ in notices:
                before, sources = sources, await asyncio.to_thread(Sources.read, folder)
                if sources.files != before.files:
                    yield sources
                if sources.folders != watched:
                    break


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for path, folders, files in os.walk(folder):
        if path != str(folder) and "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in _NOT_IMPORTED and not name.startswith(".")]
        yield Path(path), [name for name in files if name.endswith(".py")]
