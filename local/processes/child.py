"""Child processes that never outlive this one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_LAST_OUTPUT_SECONDS = 1
"""How long the output of an ended program is read. A process that it left behind may hold the pipe open."""

OnLine = Callable[[str], None]


class Child:
    """A program in a session of its own: a terminal's Ctrl-C does not reach it. It ends when this process says so."""

    def __init__(self, process: Process, output: asyncio.Task[None]) -> None:
        self._process = process
        self._output = output

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        on_line: OnLine,
        cwd: Path | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
    ) -> Self:
        """Start a program, whose path comes first, and pass on each line that it writes.

        Call it in the main thread: the kernel takes the end of the calling thread for the end of the parent.
        """
        # A pipe of our own. With asyncio's, waiting for the program would wait for all that inherited its output.
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _DIE_WITH_PARENT, str(os.getpid()), str(int(on_parent_death))),
                *command,
                env=dict(env),
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        return cls(process, asyncio.create_task(_read_lines(read_end, on_line)))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        """The program's exit status, once it has ended."""
        return await self._process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def terminate(self, *, grace_seconds: float) -> None:
        """Ask the program to end, and kill it if it has not ended in time."""
        self.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace_seconds)
        await self.kill()

    async def kill(self) -> None:
        """Kill the program and everything in its session, and read the rest of its output."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._output, _LAST_OUTPUT_SECONDS)


async def _read_lines(fd: int, on_line: OnLine) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb"))
    try:
        rest = b""
        while data := await reader.read(64 * 1024):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                on_line(line.decode("utf-8", "replace"))
        if rest:
            on_line(rest.decode("utf-8", "replace"))
    finally:
        transport.close()
