"""The real stack over toy functions, as a process that the tests reach over sockets only."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, seconds: float = 20):
    """The first true value of the condition of a real process or file; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value


def descendants(ancestor: int) -> set[int]:
    """The processes that a process started, and those that they did."""
    found, parents = set(), {ancestor}
    while parents:
        listing = [Path(f"/proc/{pid}/task").glob("*/children") for pid in parents]
        texts = [children.read_text() for tasks in listing for children in tasks]
        parents = {int(pid) for text in texts for pid in text.split()} - found
        found |= parents
    return found


def alive(pids):
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


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
        eventually(file.exists)
        return file.read_text()


class StackProcess:
    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.process.stdout.close()

    def until_ready(self) -> None:
        while "AgentOS is at" not in (line := self.lines.get(timeout=30)):
            assert line.strip() == "", line

    def descendants(self) -> set[int]:
        """The processes that it started."""
        return descendants(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        status = self.process.wait(30)
        self._reader.join(10)
        return status

    def output(self) -> str:
        return "".join(self.lines.queue)


@contextmanager
def stack_process(
    state: Path,
    signals: Path,
    *,
    components: Path | None = None,
    port: int = 0,
    program: str = "toy_stack.py",
    **variables: str,
):
    port = port or free_port()
    if components is None:
        components = state.parent / "components.py"
        components.touch()
    command = [sys.executable, str(HERE / program), str(port), str(state), str(components)]
    inherited = {name: value for name, value in os.environ.items() if name not in ("LOG_LEVEL", "AGENTOS_MODEL")}
    process = subprocess.Popen(
        command,
        env={
            **inherited,
            "PYTHONPATH": f"{ROOT / 'layers' / 'agentos_lambda'}:{ROOT}",
            "TOY_SIGNALS": str(signals),
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = StackProcess(process, port)
    try:
        yield stack
    finally:
        with contextlib.suppress(ProcessLookupError):
            stack.end()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack(shared_folder) -> Iterator[StackProcess]:
    """One stack for all tests that leave it as they found it."""
    signals = shared_folder / "signals"
    signals.mkdir()
    with stack_process(shared_folder / "state", signals, OS_SECURITY_KEY="from the user") as process:
        process.until_ready()
        yield process


@pytest.fixture(scope="session")
def signals(shared_folder) -> Signals:
    return Signals(shared_folder / "signals")


@pytest.fixture
def client(stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=20) as client:
        yield client
