"""A stack as ``make run`` starts it, and what a browser lets a page read of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

KEY = "the clients' key"

SIMPLE_METHODS = frozenset({"GET", "HEAD", "POST"})
SIMPLE_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What a browser sends without asking first. https://fetch.spec.whatwg.org/#cors-safelisted-request-header"""


@dataclass(frozen=True)
class Served:
    """A stack, and the key that it wants, or none."""

    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


class Page(httpx.Client):
    """A page of another origin: it asks first where a browser would, and must be able to read each answer."""

    def __init__(self, served: Served, origin: str) -> None:
        super().__init__(base_url=served.url, headers={**served.headers, "Origin": origin}, timeout=60)
        self.origin = origin
        self.asked: list[tuple[str, str, int]] = []
        """Method, path and status of each request."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        if unusual := _to_be_asked_for(request):
            self._preflight(request, unusual)
        answer = super().send(request, **options)
        self._readable(answer)
        self.asked.append((request.method, request.url.path, answer.status_code))
        return answer

    def _preflight(self, request: httpx.Request, headers: set[str]) -> None:
        asked = {"Access-Control-Request-Method": request.method, "Origin": self.origin}
        if headers:
            asked["Access-Control-Request-Headers"] = ",".join(sorted(headers))
        answer = super().send(httpx.Request("OPTIONS", request.url, headers=asked))
        assert answer.is_success, (request, answer.text)
        self._readable(answer)
        allowed = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
        methods = {name.strip() for name in answer.headers.get("access-control-allow-methods", "").split(",")}
        assert headers <= allowed, (request, headers, allowed)
        assert request.method in methods | SIMPLE_METHODS, (request, methods)

    def _readable(self, answer: httpx.Response) -> None:
        assert answer.headers.get("access-control-allow-origin") == self.origin, answer.request


def _to_be_asked_for(request: httpx.Request) -> set[str]:
    """The headers for which a browser asks; those of any request whose method it asks for."""
    found = {name for name in ("authorization", "idempotency-key") if name in request.headers}
    kind = request.headers.get("content-type", "")
    if kind and not kind.startswith(SIMPLE_TYPES):
        found.add("content-type")
    return found or ({"accept"} if request.method not in SIMPLE_METHODS else set())
