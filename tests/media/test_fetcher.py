"""What the one fetcher fetches, and where it never connects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from agentos_lambda.media.addresses import UrlRefused, check_host
from agentos_lambda.media.fetcher import Fetched, Fetcher, FetchFailed
from tests.media_servers import PUBLIC, Answer, Network, file, file_server, redirect

URL = "http://files.example/photo.png"


class World:
    def __init__(self, port: int, asked: list[str], names: dict[str, list[list[str]]]) -> None:
        self.network = Network({"files.example": [[PUBLIC]], **names}, port)
        self.asked = asked

    def fetch(self, url: str = URL, **options: object) -> Fetched:
        fetcher = Fetcher(private=False, resolve=self.network.resolve, network=self.network, **options)
        return asyncio.run(fetcher.fetch(url))


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Callable[..., World]:
    def serve(names: dict[str, list[list[str]]] | None = None, **answers: Answer) -> World:
        context = file_server({f"/{path.replace('_', '.')}": answer for path, answer in answers.items()})
        port, asked = context.__enter__()
        request.addfinalizer(lambda: context.__exit__(None, None, None))
        return World(port, asked, names or {})

    return serve


def test_a_file_comes_with_its_type_and_its_name(serving: Callable[..., World]) -> None:
    world = serving(photo_png=file(b"\x89PNG", "image/png; charset=binary"))

    assert world.fetch(f"{URL}?size=1") == Fetched(b"\x89PNG", "image/png", "photo.png")
    assert world.asked == ["/photo.png?size=1"]
    assert world.network.connected == [(PUBLIC, 80)]


def test_a_redirect_to_a_public_host_is_followed(serving: Callable[..., World]) -> None:
    world = serving(photo_png=redirect("/moved.png", 308), moved_png=file(b"here"))

    assert world.fetch().content == b"here"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://169.254.169.254/latest/meta-data/",
        "http://internal.example/",
        "//[::1]/",
    ],
)
def test_a_redirect_inward_is_not_followed(serving: Callable[..., World], location: str) -> None:
    world = serving({"internal.example": [["10.0.0.1"]]}, photo_png=redirect(location))

    with pytest.raises(UrlRefused):
        world.fetch()
    assert world.network.connected == [(PUBLIC, 80)]


def test_a_redirect_to_another_scheme_is_not_followed(serving: Callable[..., World]) -> None:
    world = serving(photo_png=redirect("file:///proc/self/environ"))

    with pytest.raises(UrlRefused):
        world.fetch()


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(serving: Callable[..., World]) -> None:
    world = serving({"files.example": [[PUBLIC], ["127.0.0.1"]]}, photo_png=file(b"public"))

    async def check_and_fetch() -> None:
        await check_host(URL, private=False, resolve=world.network.resolve)
        await Fetcher(private=False, resolve=world.network.resolve, network=world.network).fetch(URL)

    with pytest.raises(UrlRefused):
        asyncio.run(check_and_fetch())
    assert world.network.connected == []


def test_it_connects_to_the_address_that_it_has_checked(serving: Callable[..., World]) -> None:
    world = serving({"files.example": [[PUBLIC], ["127.0.0.1"]]}, photo_png=file(b"public"))

    assert world.fetch().content == b"public"
    assert world.network.connected == [(PUBLIC, 80)]


def test_at_most_three_redirects_are_followed(serving: Callable[..., World]) -> None:
    world = serving(photo_png=redirect("/photo.png"))

    with pytest.raises(FetchFailed, match="redirected more than 3 times"):
        world.fetch()
    assert len(world.asked) == 4


def test_a_file_that_is_too_large_is_not_read_to_its_end(serving: Callable[..., World]) -> None:
    world = serving(photo_png=file(b"x" * 1000))

    with pytest.raises(FetchFailed, match="more than 999 bytes"):
        world.fetch(max_bytes=999)
    assert len(world.fetch(max_bytes=1000).content) == 1000


def test_a_server_that_is_too_slow_is_left(serving: Callable[..., World]) -> None:
    over = threading.Event()
    world = serving(photo_png=lambda _: over.wait(20))
    try:
        with pytest.raises(FetchFailed, match=r"more than 0\.2 seconds"):
            world.fetch(max_seconds=0.2)
    finally:
        over.set()


def test_a_compressed_file_is_refused_rather_than_unpacked(serving: Callable[..., World]) -> None:
    world = serving(photo_png=file(b"\x1f\x8b", Content_Encoding="gzip"))

    with pytest.raises(FetchFailed, match="encoding"):
        world.fetch()


def test_a_status_that_is_no_success_is_told(serving: Callable[..., World]) -> None:
    world = serving(photo_png=lambda request: request.send_error(404))

    with pytest.raises(FetchFailed, match="answers 404"):
        world.fetch()


def test_a_host_without_a_server_is_told() -> None:
    async def resolve(host: str, port: int) -> list:
        raise OSError("no such host")

    with pytest.raises(FetchFailed, match="cannot be reached"):
        asyncio.run(Fetcher(private=False, resolve=resolve).fetch(URL))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://2130706433:1/", "file:///etc/passwd"]
)
def test_the_systems_own_network_is_checked_too(url: str) -> None:
    with pytest.raises(UrlRefused):
        asyncio.run(Fetcher(private=True).fetch(url))
