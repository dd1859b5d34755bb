"""``python -m local.cloud.saving_ministack``: ministack, which also saves its state while it runs.

ministack itself saves only when it is asked to end, so a kill would lose every run since the start. And it starts empty
over a file that it cannot read, and overwrites it at its end. It is run by the interpreter that ministack is installed
for, which has nothing else of the local stack's.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import ministack.app as ministack  # type: ignore[import-not-found]
from ministack.core.persistence import STATE_DIR, load_state, save_all  # type: ignore[import-not-found]

_SAVE_EVERY_SECONDS = 2.0
"""How long after a change the state is saved."""
_PAUSE_FACTOR = 4
"""Saving takes a fifth of the time at most, however large the state is."""
_SAVE_SECONDS = 60
"""What takes longer hangs: a lock that another thread held when the process was copied stays locked in the copy."""
_READS = ("Describe", "Get", "List", "Query", "Scan", "BatchGet", "TransactGet", "ReceiveMessage")
"""Operations after which there is nothing to save. That a message was received may be forgotten: it comes again."""
_NEVER_SAVED = ("secretsmanager",)
"""It holds the user's security key for as long as ``make local`` runs."""
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class SavingApp:
    """An ASGI app: ministack, whose state is saved soon after each change."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._changed = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if _may_change(scope):
                self._changed.set()

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        saving = asyncio.create_task(self._save_after_changes())

        async def receive_and_stop_saving() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":  # ministack now saves by itself, to the same files
                saving.cancel()
                await asyncio.wait([saving])
            return message

        await self._app(scope, receive_and_stop_saving, send)

    async def _save_after_changes(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SAVE_EVERY_SECONDS)
            self._changed.clear()
            begun = time.monotonic()
            await _save_in_a_copy()
            await asyncio.sleep(_PAUSE_FACTOR * (time.monotonic() - begun))


async def _save_in_a_copy() -> None:
    """Save the state as it is now, in a copy of this process, while this one goes on serving.

    The event loop makes all changes, so none is half made here.
    """
    copy = multiprocessing.get_context("fork").Process(target=_save, args=(os.getpid(),), daemon=True)
    copy.start()
    ended = asyncio.get_running_loop().run_in_executor(None, copy.join)
    try:
        await asyncio.wait([ended], timeout=_SAVE_SECONDS)
    finally:
        copy.kill()
        await ended
        copy.close()


def _save(parent: int) -> None:
    signal.set_wakeup_fd(-1)  # otherwise a signal to the copy would be one to the server
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))  # an older state must not arrive after another start
    if os.getppid() == parent:
        save_all(ministack._build_persistence_save_dict())  # noqa: SLF001 - it has no other way to save
    os._exit(0)  # without the orderly end, which belongs to the server


def _may_change(scope: Any) -> bool:
    """Whether a request may have changed the state."""
    if scope["type"] != "http" or scope["path"].startswith("/_ministack/"):
        return False
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    operation = target.rpartition(".")[2]
    return not operation.startswith(_READS) if operation else scope["method"] not in ("GET", "HEAD")


def restore(folder: Path) -> None:
    """Load what was saved. Exits with ``EX_DATAERR`` if a file cannot be read, which is then kept aside."""
    for service, module in ministack._state_map.items():  # noqa: SLF001 - the names of the files
        file = folder / f"{service}.json"
        if not file.exists():
            continue
        try:
            state = load_state(service)
            if state is None:
                raise ValueError("it is no state that ministack can read")
            ministack._get_module(module).load_persisted_state(state)  # noqa: SLF001 - what ministack does with it
        except Exception as error:  # noqa: BLE001 - whatever a service makes of what is broken
            aside = _keep_aside(file)
            print(
                f"the saved state {file} is broken ({error}). It is kept as {aside.name}. "
                f"Put a good copy in its place, or start again without what it held.",
                file=sys.stderr,
                flush=True,
            )
            sys.exit(os.EX_DATAERR)


def _keep_aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.name}.broken-{number}")).exists():
        number += 1
    return file.rename(aside)


def main() -> None:
    """Serve as ``python -m ministack`` does."""
    for service in _NEVER_SAVED:
        del ministack._state_map[service]  # noqa: SLF001 - what it saves and restores
    restore(Path(STATE_DIR))
    ministack._load_persisted_state = lambda: None  # noqa: SLF001 - it is loaded
    ministack.app = SavingApp(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
