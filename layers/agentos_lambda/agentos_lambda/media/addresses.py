"""Where a caller's URL may lead.

A function reaches things that its callers must not: on loopback the Runtime API with other callers' requests, on
link-local addresses credentials, in a VPC whatever lies there. So a host is refused unless every address that it is,
stands for or resolves to is globally reachable (the IANA special-purpose address registries).
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""The addresses of a host at a port. Raises ``OSError`` if it has none."""

PRIVATE_HOSTS_VARIABLE = "MEDIA_PRIVATE_HOSTS"
"""Set to ``allow``, URLs may lead to private networks too, never to loopback, link-local or metadata addresses."""

_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 8192
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
"""Characters that programs read in different ways, so that the host one checks is not the host another asks."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""Addresses that stand for the IPv4 address in their last 32 bits (RFC 6052)."""

_NEVER = tuple(
    map(
        ip_network,
        (
            # Metadata services outside the link-local networks:
            # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
            "fd00:ec2::/32",
            "100.100.100.200",
            "168.63.129.16",
            # What not every version of ipaddress calls special: IETF protocol assignments, documentation, and the ways
            # of older transitions to IPv6, whose addresses hide others.
            "192.0.0.0/24",
            "192.88.99.0/24",
            "::/96",
            "::ffff:0:0:0/96",
            "64:ff9b:1::/48",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
            "fec0::/10",
        ),
    )
)
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))


class UrlRefused(ValueError):
    """The URL may not be used. The text says why, and is fit for a caller's eyes."""


@dataclass(frozen=True, slots=True)
class Location:
    """A URL that may be used as far as its text tells."""

    url: str
    host: str
    """In ASCII: a name, or an address without brackets."""
    port: int


def private_hosts_allowed(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the deployer lets URLs lead to private networks."""
    return environment.get(PRIVATE_HOSTS_VARIABLE) == "allow"


def parse(url: str) -> Location:
    """Read the URL. Raises ``UrlRefused`` for whatever is not a plain ``http`` or ``https`` URL with a host."""
    if len(url) > _LONGEST_URL or _FORBIDDEN.search(url):
        raise UrlRefused("expected an http or https URL without spaces, control characters and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlRefused("expected an http or https URL") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UrlRefused("expected an http or https URL")
    if "@" in parts.netloc or "%" in parts.netloc:
        raise UrlRefused("expected a URL without a user, a password and escapes in its host")
    return Location(url, _ascii_host(parts), _PORTS[parts.scheme] if port is None else port)


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return host
    try:
        # IDNA also maps what only looks like digits and dots to those.
        return host.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError as error:
        raise UrlRefused("expected an http or https URL with a valid host") from error


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the system, which also knows the short, octal and hexadecimal forms of addresses."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(sockaddr[0]) for *_, sockaddr in found]


def check(addresses: Iterable[Address], *, private: bool) -> None:
    """Raise ``UrlRefused`` if one of the addresses must not be reached. ``private``: private networks may be."""
    if not all(_permitted(_unwrapped(address), private=private) for address in addresses):
        raise UrlRefused("the host has an address that is not public")


async def check_host(url: str, *, private: bool, resolve: Resolve = resolve, seconds: float = 2.0) -> None:
    """Raise ``UrlRefused`` for a URL that leads, as far as can be told within some ``seconds``, where it must not.

    A host that cannot be resolved now is let pass: whoever fetches the URL resolves and checks it again.
    """
    location = parse(url)
    with suppress(OSError, TimeoutError):
        check(await asyncio.wait_for(resolve(location.host, location.port), seconds), private=private)


def _permitted(address: Address, *, private: bool) -> bool:
    if any(address in network for network in _NEVER):
        return False
    if private and any(address in network for network in _PRIVATE):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
