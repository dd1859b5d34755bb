"""The keys of an issuer: discovery, rotation, and an issuer that is late, broken or gone."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agentos_lambda.identity.errors import InvalidToken, KeysUnavailable
from agentos_lambda.identity.tokens.fetch import MAX_DOCUMENT_BYTES, fetch_json
from agentos_lambda.identity.tokens.issuer import FRESHNESS, IssuerKeys
from agentos_lambda.identity.tokens.verifier import TokenVerifier, allowed_algorithms
from tests.clocks import ManualClock
from tests.identity.tokens import ISSUER, RULES, claims, jwk, signed
from tests.waiting import PATIENCE_SECONDS

KEYS_URL = "https://keys.example/set"


class Issuer:
    """What it publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.configuration: Any = {"issuer": ISSUER, "jwks_uri": KEYS_URL}
        self.published: list[Any] = [jwk("RS256")]
        self.up = True
        self.asked: list[str] = []
        self.verifier = self.environment()

    def environment(self, issuer: str = ISSUER) -> TokenVerifier:
        self.source = IssuerKeys(issuer, self.fetch, self.clock)
        return TokenVerifier(self.source, allowed_algorithms(["RS256", "ES256"]), RULES, self.clock)

    def fetch(self, url: str) -> Any:
        self.asked.append(url)
        if not self.up:
            raise KeysUnavailable(f"{url}: TimeoutError")
        return {"keys": self.published} if url == KEYS_URL else self.configuration

    def takes(self, name: str = "first") -> bool:
        try:
            return self.verifier.verify(signed(claims(self.clock), name=name)).subject == "alice"
        except InvalidToken:
            return False


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_keys_are_found_by_discovery_and_asked_for_once(issuer):
    assert all(issuer.takes() for _ in range(5))
    assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", KEYS_URL]


def test_a_new_key_counts_at_its_first_token(issuer):
    assert issuer.takes()
    issuer.clock.advance(FRESHNESS.reread_interval_ms)
    issuer.published.append(jwk("RS256", "second"))
    assert issuer.takes("second")
    assert issuer.takes()


def test_a_new_key_counts_at_its_first_token_where_keys_have_no_names(issuer):
    def nameless(name):
        return {field: value for field, value in jwk("RS256", name).items() if field != "kid"}

    issuer.published[:] = [nameless("first")]
    assert issuer.takes()
    issuer.clock.advance(FRESHNESS.reread_interval_ms)
    issuer.published[:] = [nameless("second")]
    assert issuer.takes("second")
    assert not any(issuer.takes() for _ in range(5))
    assert len(issuer.asked) == 2 * 2


def test_tokens_with_unknown_keys_have_the_issuer_asked_every_half_minute_at_most(issuer):
    assert issuer.takes()
    for _ in range(60):
        assert not any(issuer.takes("second") for _ in range(5))
        issuer.clock.advance(1_000)
    assert len(issuer.asked) == 2 * (1 + 1)


def test_a_withdrawn_key_counts_for_ten_minutes_at_most(issuer):
    assert issuer.takes()
    issuer.published[:] = [jwk("RS256", "second")]
    issuer.clock.advance(FRESHNESS.fresh_ms - 1)
    assert issuer.takes()
    issuer.clock.advance(1)
    assert not issuer.takes()


def test_an_issuer_that_is_gone_is_done_without_for_an_hour(issuer):
    assert issuer.takes()
    issuer.up = False
    issuer.clock.advance(FRESHNESS.max_age_ms - 1)
    assert issuer.takes()
    issuer.clock.advance(1)
    with pytest.raises(KeysUnavailable):
        issuer.takes()
    issuer.up = True
    issuer.clock.advance(FRESHNESS.unknown_interval_ms)
    assert issuer.takes()


def test_while_no_key_is_known_the_issuer_is_asked_every_five_seconds_at_most(issuer):
    issuer.up = False
    for _ in range(10):
        with pytest.raises(KeysUnavailable):
            issuer.takes()
        issuer.clock.advance(1_000)
    assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"configuration": {"issuer": "https://other.example", "jwks_uri": KEYS_URL}},
        {"configuration": {"issuer": f"{ISSUER}/", "jwks_uri": KEYS_URL}},
        {"configuration": {"issuer": ISSUER}},
        {"configuration": []},
        {"published": []},
        {"published": [{"kty": "oct", "kid": "first", "k": "eA" * 64}]},
        {"published": [jwk("RS256", use="enc")]},
    ],
)
def test_nobody_is_let_in_by_an_issuer_that_publishes_something_else(issuer, broken):
    vars(issuer).update(broken)
    with pytest.raises(KeysUnavailable):
        issuer.takes()


def test_what_is_published_later_does_not_harm_what_is_known(issuer):
    assert issuer.takes()
    issuer.configuration = "<html>"
    issuer.clock.advance(FRESHNESS.fresh_ms)
    assert issuer.takes()


DRIPS = {
    "/status": (b"HTTP/1.1 200 ", b"O"),
    "/headers": (b"HTTP/1.1 200 OK\r\nX-Name: ", b"a"),
    "/body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "/chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "/continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/flood-of-answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "/flood-of-a-body": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 60_000),
}
"""By path how an answer begins, and how it never ends."""


@pytest.fixture
def server() -> Iterator[Any]:
    """A server on this machine. Its ``answers`` by path: status and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in DRIPS:
                self.drip(*DRIPS[self.path])
                return
            status, body = self.server.answers.get(self.path, (404, b"{}"))  # type: ignore[attr-defined]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/good")
            self.end_headers()
            self.wfile.write(body)

        def drip(self, start: bytes, piece: bytes) -> None:
            """Send the piece again and again, for as long as the client is there."""
            stopped: threading.Event = self.server.stopped  # type: ignore[attr-defined]
            with suppress(OSError):
                self.wfile.write(start)
                while not stopped.wait(0.001 if len(piece) < 100 else 0):
                    self.wfile.write(piece)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers = {}  # type: ignore[attr-defined]
        server.stopped = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.stopped.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_documents_are_fetched_whole_or_not_at_all(server):
    base = f"http://127.0.0.1:{server.server_port}"
    server.answers |= {
        "/good?a=b": (200, json.dumps({"keys": []}).encode()),
        "/moved": (302, b""),
        "/error": (500, b"{}"),
        "/large": (200, b" " * (MAX_DOCUMENT_BYTES + 1)),
        "/html": (200, b"<html>"),
        "/bytes": (200, b"\xff"),
    }
    assert fetch_json(f"{base}/good?a=b") == {"keys": []}
    for path in ("/moved", "/error", "/large", "/html", "/bytes", "/missing"):
        with pytest.raises(KeysUnavailable):
            fetch_json(base + path)


@pytest.mark.parametrize(("path", "seconds"), [(path, 60 if "flood" in path else 0.1) for path in DRIPS])
def test_an_answer_that_never_ends_is_given_up(server, path, seconds):
    """In seconds as in bytes, whatever is not complete."""
    with pytest.raises(KeysUnavailable):
        fetch_json(f"http://127.0.0.1:{server.server_port}{path}", seconds=seconds)


def test_a_name_that_is_never_resolved_is_given_up(monkeypatch):
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: given_up.wait(PATIENCE_SECONDS) and [])
    with pytest.raises(KeysUnavailable, match="TimeoutError"):
        fetch_json("https://issuer.example/keys", seconds=0.05)
    given_up.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://10.0.0.1/keys",
        "file:///etc/passwd",
        "https://u:p@h/",
        "//h",
        "",
        "https://[",
        "http://127.0.0.1:1/",
        "https://127.0.0.1:1/",
    ],
)
def test_what_is_neither_https_nor_this_machine_is_not_asked(url):
    with pytest.raises(KeysUnavailable):
        fetch_json(url)
