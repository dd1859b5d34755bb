"""Docker's default bridge: the address by which containers reach this machine."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

_NAME_OPTION = "com.docker.network.bridge.name"
_SIOCGIFADDR = 0x8915
"""netdevice(7): the address of an interface."""
_NAME_BYTES = 15
"""The longest name of an interface."""


def bridge_addresses(network: Mapping[str, Any]) -> Iterator[str]:
    """The addresses that this machine may have on a bridge, best first. Each is an IPv4 address of one interface.

    ``network`` is what ``docker network inspect`` says. A daemon may name no gateway: Debian's 20.10 names only the
    subnet until it has been started twice. The bridge then has the subnet's first address.
    """
    for config in (network.get("IPAM") or {}).get("Config") or ():
        yield from _one_host(config.get("Gateway") or "")
        yield from _first_host(config.get("Subnet") or "")
    if name := (network.get("Options") or {}).get(_NAME_OPTION):
        yield from _interface_address(name)


def _one_host(text: str) -> Iterator[str]:
    """Nothing for an address that stands for many hosts: 0.0.0.0 would be every interface."""
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return
    if not (address.is_unspecified or address.is_multicast or address.is_reserved):
        yield str(address)


def _first_host(subnet: str) -> Iterator[str]:
    try:
        first = next(IPv4Network(subnet, strict=False).hosts(), None)
    except (AddressValueError, NetmaskValueError):
        return
    if first is not None:
        yield from _one_host(str(first))


def _interface_address(name: str) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("256s", name.encode()[:_NAME_BYTES])
        try:
            answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, request)
        except OSError:  # there is no such interface here, or it has no address
            return
    yield from _one_host(socket.inet_ntoa(answer[20:24]))
