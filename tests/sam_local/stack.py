"""What `make local` runs, as a process, and what docker has of it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.sam.build import architecture
from tests.process import IMPORT_PATH, ROOT, alive, descendants, free_port
from tests.waiting import until

KEY = "example-security-key"
"""That of the sample events."""
START_SECONDS = 600
"""It builds first, perhaps on a busy machine."""

# What a developer's shell may have set: nothing of it must matter.
SHELL = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "111111111111",
    "AWS_SECRET_ACCESS_KEY": "mine",
    "RUNS_TABLE": "Mine",
}


def docker(*arguments: str) -> tuple[int, str]:
    """Exit status and output of a docker command."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout


def why_not() -> str | None:
    """Why nothing of this can be tested here."""
    if docker("info")[0] != 0:
        return "no docker daemon answers"
    [runtime] = re.findall(
        r"^  Runtime:\n.*\n    Default: python(\S+)", (ROOT / "template.yaml").read_text(), re.MULTILINE
    )
    image = f"public.ecr.aws/lambda/python:{runtime}-{architecture()}"
    return None if docker("image", "inspect", image)[0] == 0 else f"docker does not have the image {image}"


class SamStack:
    """A stack that runs, or will."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, state: Path, output: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self._state = state
        self._output = output

    def output(self) -> str:
        return self._output.read_text()

    def until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.output()
            return "Ctrl-C ends it" in self.output()

        try:
            until(ready, START_SECONDS)
        except AssertionError as slow:
            raise AssertionError(f"make local does not start:\n{self.output()}") from slow

    def posts(self) -> list[str]:
        """What functions have sent to WebSocket connections."""
        return re.findall(r"^\[websocket\] to (.*)$", self.output(), re.MULTILINE)

    def invoke(self, function: str, event: Path) -> subprocess.CompletedProcess[str]:
        """Runs the command that was printed, for another function and event, in a shell of a developer."""
        [line] = re.findall(r"^  (.* local invoke .*)$", self.output(), re.MULTILINE)
        instead = {"AgentsFunction": function, "events/agents.json": str(event)}
        command = [instead.get(argument, argument) for argument in shlex.split(line)]
        temporary = self._state / "tmp"  # else a lock that a killed sam has left anywhere would keep this one waiting
        temporary.mkdir(exist_ok=True)
        shell = {**os.environ, **SHELL, "TMPDIR": str(temporary)}
        try:
            return subprocess.run(
                command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=120, check=False
            )
        except subprocess.TimeoutExpired as hung:
            raise AssertionError(f"sam does not end:\n{(hung.stderr or b'').decode()}") from hung

    def containers(self) -> str:
        """Ids of those that a folder of this stack is mounted in."""
        folders = list((self._state / "sam/build").glob("*Function"))
        return docker("ps", "-aq", *(f"--filter=volume={folder}" for folder in folders))[1]

    def end(self) -> int:
        """Ends it as Ctrl-C does, and looks that nothing is left."""
        started = descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60)
        assert not alive(started)
        assert self.containers() == ""
        return status


@contextmanager
def sam_stack(state: Path, *, port: int = 0, **variables: str) -> Iterator[SamStack]:
    port = port or free_port()
    command = [str(ROOT / ".venvs/local/bin/python"), "-m", "local.sam", "--port", str(port), "--state", str(state)]
    output = state.with_suffix(".log")
    environment = {**os.environ, **SHELL, "PYTHONPATH": IMPORT_PATH, **variables}
    with output.open("w") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sink, stderr=sink)
    try:
        yield SamStack(process, port, state, output)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        process.wait(60)
