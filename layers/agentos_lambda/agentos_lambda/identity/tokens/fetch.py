"""Small JSON documents of the issuer that the deployer has named, over HTTPS."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from agentos_lambda.identity.errors import KeysUnavailable
from agentos_lambda.protocol.strict_json import parse_json

TIMEOUT_SECONDS = 3.0
MAX_DOCUMENT_BYTES = 512 * 1024


def fetch_json(url: str) -> Any:
    """The JSON at the URL. Follows no redirect. Raises ``KeysUnavailable``.

    Plain HTTP is for issuers on this machine: whoever can change an answer on its way can sign any token.
    """
    try:
        parts = urlsplit(url)
        connection = _connection(parts)
        try:
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", target, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            content = _read(answer)
        finally:
            connection.close()
        if answer.status != http.client.OK or len(content) > MAX_DOCUMENT_BYTES:
            raise KeysUnavailable(f"{url}: status {answer.status}, {len(content)} bytes")
        return parse_json(content.decode())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KeysUnavailable(f"{url}: {type(error).__name__}") from error


def _read(answer: http.client.HTTPResponse) -> bytes:
    """At most a byte more than is allowed. Raises ``TimeoutError`` if the rest does not come in time."""
    content, until = b"", time.monotonic() + TIMEOUT_SECONDS
    while len(content) <= MAX_DOCUMENT_BYTES and (part := answer.read1(MAX_DOCUMENT_BYTES + 1 - len(content))):
        content += part
        if time.monotonic() > until:
            raise TimeoutError
    return content


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    """Raises ``ValueError`` for a URL that must not be asked."""
    host = parts.hostname
    if host is None or parts.username is not None:
        raise ValueError("not a URL of an issuer")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=context)
    if parts.scheme == "http" and _is_this_machine(host):
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    raise ValueError("neither HTTPS nor this machine")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
