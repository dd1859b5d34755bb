"""The real stack over toy functions, as a process, and word between a test and a toy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local_stack import StackProcess, stack_process
from tests.process import free_port
from tests.waiting import until

_PROGRAM = Path(__file__).parent / "toy_stack.py"


class Signals:
    """Word between a test and a toy function."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, *names: str) -> None:
        """Have the function wait for these."""
        for name in names:
            os.mkfifo(self.folder / name)

    def give(self, name: str) -> None:
        """Let the function go on."""
        (self.folder / name).write_bytes(b"")

    def wait(self, name: str) -> str:
        """What the function had to tell, once it has."""
        file = self.folder / name
        until(file.exists)
        return file.read_text()


@contextmanager
def toy_process(
    state: Path, signals: Path, *, components: Path | None = None, port: int = 0, **variables: str
) -> Iterator[StackProcess]:
    """Starts a stack over the toy functions, with an empty components file if none is given.

    That file has a folder of its own, since each change in its folder is looked into.
    """
    port = port or free_port()
    if components is None:
        components = state.parent / "components" / "components.py"
        components.parent.mkdir(exist_ok=True)
        components.touch()
    command: list[str | Path] = [_PROGRAM, str(port), state, components]
    with stack_process(command, port, {"TOY_SIGNALS": str(signals), **variables}) as stack:
        yield stack
