"""What only one stack at a time can have: a port, and the state."""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from local.settings import DEFAULT_PORT, CannotStart, Settings


@contextmanager
def exclusive_port(port: int, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A socket that listens on the port. It is taken at once, so that no other process takes it while the stack starts.

    Port 0 is any free one. Raises ``CannotStart``.
    """
    # With its protocol named, since asyncio sets TCP_NODELAY only on connections whose socket says TCP: without it each
    # answer on a kept-alive connection waits 40 ms for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
            taken.listen()
        except (OSError, OverflowError) as error:
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            other = port + 1 if in_use else DEFAULT_PORT
            raise CannotStart(f"port {port} cannot be used ({error}): try PORT={other}") from error
        yield taken


@contextmanager
def exclusive_state(settings: Settings) -> Iterator[None]:
    """The state folder, locked, because two stacks would overwrite each other's state. Raises ``CannotStart``."""
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
        lock = (settings.state / "lock").open("w")
    except OSError as error:
        raise CannotStart(f"{settings.state} cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(f"another stack uses {settings.state}: stop it first") from error
        yield
