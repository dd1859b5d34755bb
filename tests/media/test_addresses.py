"""Which URLs are refused, whatever form their host has."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from agentos_lambda.media import addresses
from agentos_lambda.media.addresses import UrlRefused, check, check_host, parse

INTERNAL = [
    # loopback, in every form that a resolver takes
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "http://127.1/",
    "http://127.0.0.2/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    # addresses that hide another
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    # link-local and metadata
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    # private, shared, reserved, documentation, multicast
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fd12:3456::1]/",
    "http://[fec0::1]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://192.0.0.8/",
    "http://198.18.0.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
]
MALFORMED = [
    "ftp://example.com/a",
    "file:///proc/self/environ",
    "gopher://example.com/",
    "data:text/plain,hello",
    "//example.com/a",
    "http:///a",
    "http://",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://exa mple.com/",
    "http://example.com\t/",
    "http://example.com\n@127.0.0.1/",
    "http://example.com:port/",
    "http://example.com:99999/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://127.0.0.1%2f@example.com/",
    f"http://{'a' * 64}.com/",
    "http://example.com/" + "a" * 9000,
    "",
]


@pytest.mark.parametrize("url", INTERNAL)
def test_a_host_that_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        asyncio.run(check_host(url, private=False))


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_not_a_plain_web_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        parse(url)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_taken(address: str) -> None:
    check([ip_address(address)], private=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fd12::1"])
def test_a_setting_allows_private_networks(address: str) -> None:
    check([ip_address(address)], private=True)


NEVER = ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "fd00:ec2::254", "224.0.0.1", "64:ff9b::7f00:1"]
NEVER += ["0.0.0.1", "240.0.0.1", "::ffff:169.254.169.254", "100.100.100.200", "2001:db8::1"]


@pytest.mark.parametrize(
    "address", [*NEVER, "0.0.0.1", "240.0.0.1", "::ffff:169.254.169.254", "100.100.100.200", "2001:db8::1"]
)
def test_the_setting_never_allows_loopback_link_local_and_metadata(address: str) -> None:
    with pytest.raises(UrlRefused):
        check([ip_address(address)], private=True)


def test_one_address_that_is_not_public_is_one_too_many() -> None:
    with pytest.raises(UrlRefused):
        check([ip_address("8.8.8.8"), ip_address("127.0.0.1")], private=False)


def test_a_host_that_has_no_address_now_is_left_to_the_one_who_fetches() -> None:
    async def nowhere(host: str, port: int) -> list[addresses.Address]:
        raise OSError("no such host")

    asyncio.run(check_host("https://not-yet.example/", private=False, resolve=nowhere))


def test_a_resolver_that_hangs_holds_no_request() -> None:
    async def hang(host: str, port: int) -> list[addresses.Address]:
        await asyncio.Event().wait()
        return []

    asyncio.run(check_host("https://slow.example/", private=False, resolve=hang, seconds=0.01))


@pytest.mark.parametrize(("value", "allowed"), [("allow", True), ("", False), ("true", False)])
def test_the_setting_is_one_word(value: str, allowed: bool) -> None:
    assert addresses.private_hosts_allowed({"MEDIA_PRIVATE_HOSTS": value}) is allowed


def test_the_cases_are_all_there() -> None:
    assert (len(INTERNAL), len(MALFORMED)) == (45, 21)
