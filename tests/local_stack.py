"""The local stack as a process that tests reach over sockets only."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.process import IMPORT_PATH, ROOT, descendants, free_port, variables_of

KEY = "the tests' own key"
"""The security key of a stack that has one."""

_START_SECONDS = 180
"""On a busy machine."""
_END_SECONDS = 30


class StackProcess:
    """A stack that starts, runs or has ended."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)

    def until_ready(self) -> None:
        """Returns when it serves. Fails if it says anything else before."""
        while "AgentOS is at" not in (line := self.lines.get(timeout=_START_SECONDS)):
            assert line.strip() == "", line

    def descendants(self) -> set[int]:
        """The processes that it started."""
        return descendants(self.process.pid)

    def environments(self) -> dict[int, dict[str, str]]:
        """The environment variables of its processes, by their ids."""
        return {pid: variables for pid in self.descendants() if (variables := variables_of(pid))}

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ends it, and gives its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(_END_SECONDS)
        self._reader.join(10)
        return status

    def output(self) -> str:
        """What it has written since it was ready, or since it was started."""
        return "".join(self.lines.queue)


@contextmanager
def stack_process(command: Sequence[str | Path], port: int, variables: Mapping[str, str]) -> Iterator[StackProcess]:
    """Runs a Python program that serves the stack at ``port``, for as long as the context lasts."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = StackProcess(process, port)
    try:
        yield stack
    finally:
        try:
            stack.end()
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@contextmanager
def running_stack(
    state: Path,
    variables: Mapping[str, str] | None = None,
    *,
    components: Path | None = None,
    sweeps: float | None = None,
    environments: int | None = None,
    warm: bool = True,
) -> Iterator[StackProcess]:
    """Runs the project's own functions, and gives them when they serve.

    ``components`` is a file in place of the samples, ``sweeps`` the seconds between two of them, ``environments`` the
    most that a function has. ``warm`` has an environment of each function start before there is work, for a second of
    the processor's time each.
    """
    port = free_port()
    given: dict[str, object] = {"--components": components, "--sweeps": sweeps, "--environments": environments}
    options = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    options += [] if warm else ["--cold"]
    with stack_process(["-m", "tests.serve", str(port), str(state), *options], port, variables or {}) as stack:
        stack.until_ready()
        yield stack
