"""A change of the components, while the stack runs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from local.components.manifest import build_manifest, show
from local.components.sources import SOURCES_VARIABLE, Sources, changes
from local.functions.function import Function
from local.settings import CannotStart, Settings

Variables = Mapping[str, str]


class Components:
    """The components that are served: the sources of the last manifest that could be made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.components_file.parent
        self._saved = settings.state.resolve() / "sources"
        self._number = 0
        self._read = Sources({}, frozenset())
        self._served: Path | None = None

    async def load(self) -> None:
        """Make the manifest of the sources as they are now. Raises ``CannotStart``."""
        shutil.rmtree(self._saved, ignore_errors=True)
        self._read = await asyncio.to_thread(Sources.read, self._folder)
        await self._serve(self._read)

    @property
    def variables(self) -> Variables:
        """What an environment needs to import these sources, whatever the files say by then."""
        return {} if self._served is None else {SOURCES_VARIABLE: str(self._served)}

    async def changes(self) -> AsyncIterator[None]:
        """Yields each time that other sources are to be served. What is wrong with others is printed."""
        async with aclosing(changes(self._folder, self._read)) as changed:
            async for sources in changed:
                try:
                    await self._serve(sources)
                except CannotStart as error:
                    show(str(error))
                else:
                    show("changed: runs that begin now use the new components")
                    yield

    async def _serve(self, sources: Sources) -> None:
        self._number += 1
        saved = self._saved / f"{self._number}.json"
        await asyncio.to_thread(sources.save, saved)
        try:
            await build_manifest(self._settings, saved)
        except CannotStart:
            saved.unlink()
            raise
        self._served = saved


@asynccontextmanager
async def reloading(
    components: Components, functions: Mapping[str, Function], variables: Callable[[str], Variables]
) -> AsyncIterator[None]:
    """Replace the environments of all functions when the components have changed, for as long as the context lasts.

    ``variables`` gives those of a function by its name.
    """

    async def replace_after_changes() -> None:
        try:
            async for _ in components.changes():
                for name, function in functions.items():
                    function.replace(variables(name))
        except OSError as error:
            show(f"changes are not noticed: {error}")

    watching = asyncio.create_task(replace_after_changes())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
