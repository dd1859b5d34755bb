"""Small JSON documents of the issuer that the deployer has named, over HTTPS."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from typing import Any, Self, cast
from urllib.parse import SplitResult, urlsplit

from agentos_lambda.identity.errors import KeysUnavailable
from agentos_lambda.protocol.strict_json import parse_json

TIMEOUT_SECONDS = 3.0
"""From the resolution of the name to the last byte."""
MAX_DOCUMENT_BYTES = 512 * 1024
_MAX_BYTES = MAX_DOCUMENT_BYTES + 64 * 1024
"""Of an answer with its headers."""


def fetch_json(url: str, *, seconds: float = TIMEOUT_SECONDS) -> Any:
    """The JSON at the URL. Follows no redirect. Raises ``KeysUnavailable``, after ``seconds`` at the latest.

    Plain HTTP is for issuers on this machine: whoever can change an answer on its way can sign any token.
    """
    try:
        parts = urlsplit(url)
        connection, context = _connection(parts)
        # http.client has a timeout for each read only: a server that sends a byte now and then would hold us for hours.
        with _BoundedSocket(connection.host, connection.port, seconds, context) as bounded:
            connection.sock = cast(socket.socket, bounded)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", target, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            content = answer.read(MAX_DOCUMENT_BYTES + 1)
        if answer.status != http.client.OK or len(content) > MAX_DOCUMENT_BYTES:
            raise KeysUnavailable(f"{url}: status {answer.status}, {len(content)} bytes")
        return parse_json(content.decode())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KeysUnavailable(f"{url}: {type(error).__name__}") from error


def _connection(parts: SplitResult) -> tuple[http.client.HTTPConnection, ssl.SSLContext | None]:
    """A connection that is to be opened, with TLS if there is a context. Raises ``ValueError`` for a URL that must not
    be asked."""
    host = parts.hostname
    if host is None or parts.username is not None:
        raise ValueError("not a URL of an issuer")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, context=context), context
    if parts.scheme == "http" and _is_this_machine(host):
        return http.client.HTTPConnection(host, parts.port), None
    raise ValueError("neither HTTPS nor this machine")


class _BoundedSocket:
    """What http.client needs of a socket, with one deadline and one number of bytes for all of it."""

    def __init__(self, host: str, port: int, seconds: float, context: ssl.SSLContext | None) -> None:
        """Connects, by TLS if there is a ``context``. Raises ``OSError``."""
        self._until = time.monotonic() + seconds
        self._left = _MAX_BYTES
        self._socket = self._connected(_addresses(host, port, seconds))
        if context is not None:
            self._socket.settimeout(self._seconds())  # of the whole handshake
            self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._seconds())
        self._socket.sendall(data)

    def receive_into(self, buffer: memoryview) -> int:
        """The number of bytes, 0 at the end. Raises ``TimeoutError``, and ``ValueError`` for too many bytes."""
        self._socket.settimeout(self._seconds())
        received = self._socket.recv_into(buffer)
        self._left -= received
        if self._left < 0:
            raise ValueError("the answer is too long")
        return received

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self))

    def close(self) -> None:
        """Nothing: http.client closes the connection of an answer that it has yet to read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _connected(self, addresses: list[Any]) -> socket.socket:
        failure: OSError = OSError("the host has no address")
        for family, kind, protocol, _, address in addresses:
            connecting = socket.socket(family, kind, protocol)
            try:
                connecting.settimeout(self._seconds())
                connecting.connect(address)
            except OSError as error:
                connecting.close()
                failure = error
            else:
                return connecting
        raise failure

    def _seconds(self) -> float:
        """How many are left. Raises ``TimeoutError``."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _addresses(host: str, port: int, seconds: float) -> list[Any]:
    """What the name resolves to. Raises ``OSError``, and ``TimeoutError`` after ``seconds``."""
    resolved: Future[list[Any]] = Future()

    def resolve() -> None:
        try:
            resolved.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            resolved.set_exception(error)

    # The system's resolver has no deadline and cannot be interrupted. A daemon does not keep the process from ending.
    threading.Thread(target=resolve, name="issuer-resolver", daemon=True).start()
    return resolved.result(seconds)


class _Received(io.RawIOBase):
    """What comes through the socket."""

    def __init__(self, bounded: _BoundedSocket) -> None:
        self._bounded = bounded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._bounded.receive_into(buffer)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
