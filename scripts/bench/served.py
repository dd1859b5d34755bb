"""The stack of ``make run`` beside AgentOS under uvicorn, each asked over one connection, in turns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from local.processes.child import Child
from local.settings import ROOT
from local.variables import cloud_access
from scripts.bench.client import Client, Taken, events
from scripts.bench.results import OURS, Note
from scripts.bench.stack import READY

DYNAMODB, SQLITE = "AgentOS, DynamoDB", "AgentOS, SQLite"
RUNS = "/agents/assistant/runs"
WORDS_100 = "word " * 92
"""The demo model puts eight words before it."""
_START_SECONDS = 120
_SLOW = f"[slow 50ms] {WORDS_100}"
_CANCELS = 5

Ask = Callable[[Client], Taken]


async def served(note: Note, oracle: Path, boto: Path, *, rounds: int, requests: int, session: int) -> None:
    """Measure all of it. ``oracle``: the interpreter of the environment with AgentOS; ``boto``: a folder with boto3;
    ``session``: the runs of the long one."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            start = stack.enter_async_context
            environment = {"PATH": os.environ["PATH"], "PYTHONPATH": _path(ROOT / "layers/agentos_lambda", ROOT)}
            port, child = await start(_server(_python(), "scripts.bench.stack", folder, environment=environment))
            environment |= {"AGNO_TELEMETRY": "false", **cloud_access(await asyncio.to_thread(_known_cloud_of, child))}
            environment["PYTHONPATH"] += os.pathsep + _path(ROOT / "layers/components", boto)
            program = "scripts.bench.agent_os"
            clients = {OURS: Client(port)}
            clients[DYNAMODB] = Client((await start(_server(oracle, program, environment=environment)))[0])
            file = str(Path(folder, "agent-os.db"))
            clients[SQLITE] = Client((await start(_server(oracle, program, file, environment=environment)))[0])
            await asyncio.to_thread(_measure, note, clients, rounds, requests, session)


def _measure(note: Note, clients: Mapping[str, Client], rounds: int, requests: int, session: int) -> None:
    long_session = {"message": "Hello!", "stream": "false", "session_id": "long"}
    for client in clients.values():
        for _ in range(session):
            client.post(RUNS, long_session)
    asked: dict[str, Ask] = {
        "/config": lambda client: client.get("/config"),
        "whole run": lambda client: client.post(RUNS, {"message": "Hello!", "stream": "false"}),
        f"run in a session of {session}": lambda client: client.post(RUNS, long_session),
        "100 words streamed": lambda client: client.post(RUNS, {"message": WORDS_100, "stream": "true"}),
    }
    for name, ask in asked.items():
        for client in clients.values():
            ask(client)
        for _ in range(rounds):
            for side, client in clients.items():
                _note(note, side, name, [ask(client) for _ in range(requests)])
    for _ in range(_CANCELS if rounds > 2 else 1):  # noqa: PLR2004 - a quick look
        for side, client in clients.items():
            note(side, "served cancel to the run's end, ms", _cancelled(client))


def _note(note: Note, side: str, name: str, taken: list[Taken]) -> None:
    whole = [each.whole for each in taken]
    note(side, f"served {name}, p50 ms", statistics.median(whole))
    note(side, f"served {name}, p95 ms", sorted(whole)[int(len(whole) * 0.95)])
    if "streamed" in name:
        note(side, f"served {name}, first byte ms", statistics.median(each.first_byte for each in taken))
    if delays := [each.delays[0] for each in taken if each.delays]:
        note(side, "first byte after the engine's first event, ms", statistics.median(delays))
    if name == "whole run" and all(each.emulator is not None for each in taken):
        own = [each.whole - (each.emulator or 0) for each in taken]
        note(side, "served whole run, own time ms", statistics.median(own))


def _cancelled(client: Client) -> float:
    """Milliseconds from when a client cancels a streamed run, after its first words, to the end of the stream."""
    other, asked = client.another(), list[int]()

    def cancel(piece: bytes) -> None:
        told = [event for event in events(piece) if event.get("event") == "RunContent"]
        if told and not asked:
            asked.append(time.monotonic_ns())
            other.post(f"{RUNS}/{told[0]['run_id']}/cancel?session_id={told[0]['session_id']}", {})

    taken = client.post(RUNS, {"message": _SLOW, "stream": "true"}, cancel)
    ended = time.monotonic_ns()
    if b"RunCancelled" not in taken.body or not asked:
        raise RuntimeError(f"the run was not cancelled: {taken.body[-1000:]!r}")
    return (ended - asked[0]) / 1_000_000


@asynccontextmanager
async def _server(
    python: Path, program: str, *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[tuple[int, Child]]:
    """A program that serves at the port that is its first argument; once it does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    output: list[str] = []
    child = await Child.spawn(
        (python, "-m", program, str(port), *arguments), env=environment, on_line=output.append, cwd=ROOT
    )
    try:
        ended = asyncio.create_task(child.wait())
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _accepts(port) or (program.endswith("stack") and READY not in map(str.strip, output)):
                    if (await asyncio.wait({ended}, timeout=0.1))[0]:
                        raise RuntimeError(f"{program} ended:\n" + "\n".join(output))
        finally:
            ended.cancel()
        yield port, child
    finally:
        await child.terminate(grace_seconds=20)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _known_cloud_of(stack: Child) -> str:
    """The URL of the stack's local cloud, once a function's process has begun: the stack serves a moment earlier."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        for pid in _descendants(stack.pid):
            with contextlib.suppress(OSError):  # it has ended
                variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if found := [each for each in variables if each.startswith(b"AWS_ENDPOINT_URL=")]:
                    return found[0].partition(b"=")[2].decode()
        time.sleep(0.1)
    raise RuntimeError("no function runs")


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [each for child in children for each in (child, *_descendants(child))]


def _path(*folders: Path) -> str:
    return os.pathsep.join(map(str, folders))


def _python() -> Path:
    return ROOT / ".venvs/local/bin/python"
