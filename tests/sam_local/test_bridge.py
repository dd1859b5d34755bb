"""The address that the local cloud is bound to for containers: one, whatever docker says about its bridge."""

from __future__ import annotations

import asyncio
import json
import os
import socket

import pytest

from local.sam.bridge import bridge_addresses
from local.sam.docker import Host, host
from local.settings import CannotStart

NAME = "com.docker.network.bridge.name"
OURS = "127.0.0.1"
ELSEWHERE = "192.0.2.1"  # RFC 5737: no machine has it


def network(*configs, **options):
    return {"IPAM": {"Config": list(configs)}, "Options": options}


@pytest.mark.parametrize(
    ("said", "addresses"),
    [
        pytest.param(network({"Gateway": "172.17.0.1", "Subnet": "172.17.0.0/16"}), ["172.17.0.1"] * 2, id="gateway"),
        pytest.param(network({"Gateway": "", "Subnet": "172.17.0.0/16"}), ["172.17.0.1"], id="empty gateway"),
        pytest.param(network({"Subnet": "10.9.8.0/24"}), ["10.9.8.1"], id="first start of docker 20.10"),
        pytest.param(network({"Subnet": "10.9.8.7/24"}), ["10.9.8.1"], id="--bip"),
        pytest.param(
            network({"Subnet": "fd00::/64", "Gateway": "fd00::1"}, {"Subnet": "10.0.0.0/8"}), ["10.0.0.1"], id="6"
        ),
        pytest.param(network(**{NAME: "lo"}), ["127.0.0.1"], id="interface"),
        pytest.param(network(**{NAME: "no-such-bridge-at-all"}), [], id="no interface"),
        pytest.param(network({"Gateway": "0.0.0.0"}), [], id="every interface"),  # noqa: S104 - what must not be taken
        pytest.param(network({"Gateway": "nonsense", "Subnet": "nonsense/99"}), [], id="nonsense"),
        pytest.param({"IPAM": {"Config": None}, "Options": None}, [], id="nulls"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_every_address_is_one_of_a_single_interface(said, addresses):
    assert list(bridge_addresses(said)) == addresses


@pytest.fixture
def docker_says(tmp_path, monkeypatch):
    def say(text: str) -> None:
        docker = tmp_path / "docker"
        docker.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return say


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (network({"Gateway": OURS}), Host(OURS, OURS)),
        (network({"Subnet": "127.0.0.0/8"}), Host(OURS, OURS)),
        (network({"Gateway": ELSEWHERE, "Subnet": "127.0.0.0/8"}), Host(OURS, OURS)),
        (network({"Gateway": ELSEWHERE}, **{NAME: "lo"}), Host(OURS, OURS)),
        (network({"Gateway": ELSEWHERE}), Host(OURS, "host.docker.internal")),
    ],
)
def test_the_first_address_that_this_machine_has_is_taken(docker_says, said, found):
    docker_says(json.dumps(said))
    assert asyncio.run(host()) == found


@pytest.mark.parametrize("said", ["", "{}", "[]", "<no value>", json.dumps(network({"Gateway": "0.0.0.0"}))])  # noqa: S104
def test_nothing_is_bound_where_no_address_is_found(docker_says, said):
    docker_says(said)
    with pytest.raises(CannotStart, match="docker's network bridge has no IPv4 address"):
        asyncio.run(host())


@pytest.mark.docker
def test_the_bridge_of_this_machine_s_docker_is_found(docker_answers):
    with socket.create_server((asyncio.run(host()).address, 0)) as listener:
        assert listener.getsockname()[0] != "0.0.0.0"  # noqa: S104 - what must not be taken
