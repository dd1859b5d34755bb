"""The local cloud: ministack, with its state on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from local.account import CREDENTIAL
from local.cloud.session import CloudClients
from local.processes.child import Child
from local.settings import ROOT, CannotStart
from local.variables import own_variables

_START_SECONDS = 30
_STOP_SECONDS = 15
"""It writes its state once more when it stops."""
_LAST_LINES = 20
"""So much of its output is shown if it does not start."""


class Cloud:
    """A running local cloud."""

    def __init__(self, url: str, child: Child) -> None:
        self.url = url
        self.clients = CloudClients(url)
        self._child = child

    async def wait(self) -> None:
        """Wait until the cloud has ended by itself."""
        await self._child.wait()


@asynccontextmanager
async def running_cloud(python: Path, state: Path, host: str = "127.0.0.1") -> AsyncIterator[Cloud]:
    """A cloud that keeps its state under ``state`` and listens at an address of this machine.

    ``python`` is the interpreter that ministack is installed for. Raises ``CannotStart``, also over a state that cannot
    be read: it is then kept aside.
    """
    port = _free_port(host)
    output: deque[str] = deque(maxlen=_LAST_LINES)
    with TemporaryDirectory(prefix="agentos-cloud-", ignore_cleanup_errors=True) as temporary:
        child = await Child.spawn(
            (python, "-m", "local.cloud.saving_ministack"),
            env={**own_variables(), **_variables(host, port, state), "PYTHONPATH": str(ROOT), "TMPDIR": temporary},
            on_line=output.append,
            on_parent_death=signal.SIGTERM,  # so that state is kept even then
        )
        try:
            await _until_ready(child, host, port, output)
            cloud = Cloud(f"http://{host}:{port}", child)
            try:
                yield cloud
            finally:
                cloud.clients.close()
        finally:
            await child.terminate(grace_seconds=_STOP_SECONDS)


def _variables(host: str, port: int, state: Path) -> dict[str, str]:
    objects = state / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": host,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state.resolve()),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(objects.resolve()),
        # By which it checks the signatures of links to objects.
        "AWS_ACCESS_KEY_ID": CREDENTIAL,
        "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
    }


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_ready(child: Child, host: str, port: int, output: deque[str]) -> None:
    ended = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await _answers(host, port):
                done, _ = await asyncio.wait({ended}, timeout=0.05)
                if done:
                    await child.kill()  # reads the rest of its output
                    broken_state = ended.result() == os.EX_DATAERR
                    raise CannotStart(output[-1] if broken_state else "the local cloud ended:\n" + "\n".join(output))
    except TimeoutError:
        raise CannotStart("the local cloud does not answer:\n" + "\n".join(output)) from None
    finally:
        ended.cancel()


async def _answers(host: str, port: int) -> bool:
    """Whether its HTTP server is up and its state is loaded."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()
