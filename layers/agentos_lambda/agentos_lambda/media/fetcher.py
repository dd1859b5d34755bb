"""Fetches a caller's URL: the only code of this process that does.

It connects to an address that it has checked, so that a name which resolves differently the second time gains nothing;
it checks each redirect again; and it is bounded in bytes and seconds.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from agentos_lambda.media.addresses import Resolve, check, parse, private_hosts_allowed, resolve

MAX_BYTES = 20 * 1024 * 1024
"""Of one file."""
MAX_SECONDS = 20.0
"""From the first request to the last byte, redirects included."""
MAX_REDIRECTS = 3

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_HEADERS = [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "agentos-lambda")]


class FetchFailed(Exception):
    """The file could not be fetched. The text says why, and is fit for a caller's eyes."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it was fetched."""

    content: bytes
    mime_type: str | None
    """As its server calls it."""
    filename: str | None
    """The last part of its URL's path."""


class Fetcher:
    """Fetches URLs. ``private``: private networks may be reached, by default as the environment says.

    ``resolve`` and ``network`` (which connects to addresses) are those of the system unless they are given.
    """

    def __init__(
        self,
        *,
        private: bool | None = None,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._private = private_hosts_allowed() if private is None else private
        self._network = _CheckedNetwork(network or httpcore.AnyIOBackend(), resolve, private=self._private)
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    async def fetch(self, url: str) -> Fetched:
        """The file at this URL. Raises ``FetchFailed``, and ``UrlRefused`` for a URL that must not be used."""
        try:
            async with (
                asyncio.timeout(self._max_seconds),
                httpcore.AsyncConnectionPool(network_backend=self._network, ssl_context=_tls()) as pool,
            ):
                return await self._follow(pool, url)
        except TimeoutError as error:
            raise FetchFailed(f"it takes more than {self._max_seconds:g} seconds") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise FetchFailed("its server cannot be reached") from error

    async def _follow(self, pool: httpcore.AsyncConnectionPool, url: str) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            location = parse(url)
            headers = [("Host", urlsplit(url).netloc), *_HEADERS]
            async with pool.stream("GET", _request_url(url, location.host, location.port), headers=headers) as answer:
                named = _named(answer.headers)
                if answer.status not in _REDIRECTS:
                    return await self._read(answer, named, url)
                url = urljoin(url, named.get("location", ""))
        raise FetchFailed(f"it is redirected more than {MAX_REDIRECTS} times")

    async def _read(self, answer: httpcore.Response, headers: Mapping[str, str], url: str) -> Fetched:
        if answer.status != HTTPStatus.OK:
            raise FetchFailed(f"its server answers {answer.status}")
        if headers.get("content-encoding", "identity") != "identity":
            raise FetchFailed("its server answers in an encoding that was not asked for")
        content = bytearray()
        async for chunk in answer.aiter_stream():
            content += chunk
            if len(content) > self._max_bytes:
                raise FetchFailed(f"it has more than {self._max_bytes} bytes")
        mime_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(bytes(content), mime_type or None, PurePosixPath(unquote(urlsplit(url).path)).name or None)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to hosts by addresses that were checked, and to nothing else."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, resolve: Resolve, *, private: bool) -> None:
        self._network = network
        self._resolve = resolve
        self._private = private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        check(addresses, private=self._private)
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore.NetworkError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _request_url(url: str, host: str, port: int) -> httpcore.URL:
    """The URL by its parts as they were checked: nobody reads its text again and finds another host in it."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=target.encode("utf-8"))


def _named(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates of all authorities takes long."""
    return ssl.create_default_context()
