"""cargo-lambda's emulator of Lambda as a process of its own: function URLs in front of a Runtime API.

It is made for Rust projects and asks cargo about the one that it runs; here a stand-in for cargo answers. It does not
start the function: whoever speaks to its Runtime API is the function.
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process import ROOT, free_port
from tests.waiting import until

_PROGRAM = ROOT / ".venvs" / "cargo-lambda" / "bin" / "cargo-lambda"

_PACKAGE = {
    "name": "function",
    "version": "0.0.0",
    "id": "function 0.0.0",
    "dependencies": [],
    "targets": [{"kind": ["bin"], "crate_types": ["bin"], "name": "function", "src_path": "/main.rs"}],
    "features": {},
    "manifest_path": "/Cargo.toml",
}
_PROJECT = {
    "packages": [_PACKAGE],
    "workspace_members": [_PACKAGE["id"]],
    "target_directory": "/target",
    "version": 1,
    "workspace_root": "/",
}


@contextmanager
def cargo_lambda(folder: Path) -> Iterator[str]:
    """Runs the emulator, and gives its address as ``host:port``. ``folder`` is an empty one."""
    if not _PROGRAM.exists():
        raise RuntimeError("There is no cargo-lambda: run `make .venvs/cargo-lambda/.ready` first.")
    cargo = folder / "cargo"
    cargo.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(_PROJECT)}\nEND\n")
    cargo.chmod(0o755)
    port = free_port()
    command: list[str | Path] = [_PROGRAM, "lambda", "watch", "--only-lambda-apis", "--ignore-changes"]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CARGO": str(cargo)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_until_open(port, process, folder / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    def is_open() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"cargo-lambda has ended: {log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    until(is_open)
