"""The local stack as a process, and the end of some of its workers."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; from pathlib import Path; from local.__main__ import main; from local.settings import Settings; "
_START += "sys.exit(main(Settings(port=int(sys.argv[1]), state=Path(sys.argv[2]))))"


class Stack:
    """``make run`` with state of its own, on a port of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.output: list[str] = []
        self._process = process
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until_ready(self) -> None:
        if not self._ready.wait(60):
            raise TimeoutError("".join(self.output))

    def read_to_the_end(self) -> None:
        """Once the process has ended."""
        self._reader.join(10)

    def kill_a_worker(self, chance: random.Random) -> bool:
        """Kill an environment of the worker function, as a machine that fails would. False if there is none."""
        workers = [pid for pid, variables in self._environments() if variables[b"AWS_LAMBDA_FUNCTION_NAME"] == _WORKER]
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
        return bool(workers)

    def worker_variables(self) -> dict[str, str]:
        """The environment variables of the functions that reach the store."""
        variables = next(v for _, v in self._environments() if b"RUNS_TABLE" in v)
        return {name.decode(): value.decode() for name, value in variables.items()}

    def _environments(self) -> Iterator[tuple[int, Mapping[bytes, bytes]]]:
        """The processes that execute functions for this stack: none but its own descendants."""
        for pid in _descendants(self._process.pid):
            try:
                pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            variables = dict(pair.partition(b"=")[::2] for pair in pairs if pair)
            if b"AWS_LAMBDA_FUNCTION_NAME" in variables:
                yield pid, variables

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if "AgentOS is at" in line:
                    self._ready.set()
        self._ready.set()


_WORKER = b"WorkerFunction"


@contextmanager
def running_stack(state: Path) -> Iterator[Stack]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'layers' / 'agentos_lambda'}:{ROOT}"}
    command = [sys.executable, "-c", _START, str(port), str(state)]
    process = subprocess.Popen(
        command, env=variables, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    stack = Stack(process, port)
    try:
        stack.until_ready()
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        stack.read_to_the_end()


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in found:
            yield child
            yield from _descendants(child)
