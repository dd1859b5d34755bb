"""Which pages of other origins a browser lets read the answers (the Fetch standard's CORS protocol)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Send

from agentos_lambda.api.errors import error_response

log = logging.getLogger(__name__)

DEFAULT_ORIGINS = (
    "http://localhost:3000",
    "https://agno.com",
    "https://www.agno.com",
    "https://app.agno.com",
    "https://os.agno.com",
    "https://os-stg.agno.com",
)
"""Origins that AgentOS 3.1 lets in by default."""

LOOPBACK = "loopback"
"""In a list of origins: every origin on this machine, whatever its port."""

_PARTS = re.compile(r"([a-z][a-z0-9+.-]*)://(\*\.)?([^\s/:?#@*\[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: str


class AllowedOrigins:
    """A list of origins as people write them: in any case, with a slash behind, with a default port.

    ``https://*.example.com`` is every domain below ``example.com``, but not that itself. ``loopback`` is any origin on
    this machine. ``*`` is nothing, since credentials are allowed (the AgentOS 3.1 API). What is no origin is logged.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._exact: set[_Origin] = set()
        self._below: set[_Origin] = set()
        self._loopback = False
        for text in origins:
            if text.lower() == LOOPBACK:
                self._loopback = True
            elif (parsed := _parsed(text)) is not None:
                origin, any_below = parsed
                (self._below if any_below else self._exact).add(origin)
            elif text != "*":
                log.warning("CORS_ORIGINS has something that is no origin: %r", text)

    def __contains__(self, text: str) -> bool:
        parsed = _parsed(text)
        if parsed is None or parsed[1]:
            return False
        origin, _ = parsed
        return origin in self._exact or self._is_below(origin) or (self._loopback and _is_loopback(origin.host))

    def _is_below(self, origin: _Origin) -> bool:
        labels = origin.host.split(".")
        return any(
            origin._replace(host=".".join(labels[start:])) in self._below
            for start in range(1, len(labels))
            if labels[0]
        )


def _parsed(text: str) -> tuple[_Origin, bool] | None:
    """The origin, and whether it stands for those below it; None if the text is none."""
    found = _PARTS.fullmatch(text.lower())
    if found is None:
        return None
    scheme, wildcard, host, port = found.groups()
    if not host.isascii():
        try:
            host = host.encode("idna").decode()  # as browsers write it
        except UnicodeError:
            return None
    return _Origin(scheme, host, port or _DEFAULT_PORTS.get(scheme, "")), wildcard is not None


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host.strip("[]")).is_loopback
    return host == "localhost" or host.endswith(".localhost")


class Cors(CORSMiddleware):
    """Starlette's, for such a list. Only an origin in it gets any of the headers; a refused preflight is an error in
    the one format."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str]) -> None:
        super().__init__(app, allow_methods=["*"], allow_headers=["*"], allow_credentials=True, expose_headers=["*"])
        self._origins = AllowedOrigins(origins)

    def is_allowed_origin(self, origin: str) -> bool:
        return origin in self._origins

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:  # noqa: PLR2004
            return answer
        left_out = ("content-",) if self.is_allowed_origin(request_headers["origin"]) else ("content-", "access-")
        headers = {name: value for name, value in answer.headers.items() if not name.startswith(left_out)}
        return error_response(answer.status_code, bytes(answer.body).decode(), headers=headers)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        if message["type"] != "http.response.start":
            await send(message)
            return
        origin = request_headers.get("origin")
        if origin is not None and not self.is_allowed_origin(origin):
            message.setdefault("headers", [])
            MutableHeaders(scope=message).add_vary_header("Origin")
            await send(message)
        else:
            await super().send(message, send, request_headers)
