"""What keeps the stack from starting is one line. None of this needs docker."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from pathlib import Path

import pytest

from local.sam.__main__ import settings_of
from local.settings import Settings
from tests.sam_local.stack import ROOT, sam_stack


@pytest.fixture
def path_with(tmp_path):
    """A PATH on which docker is what a test says."""

    def path(script: str) -> str:
        docker = tmp_path / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text(f"#!/bin/sh\n{script}\n")
        docker.chmod(0o755)
        return f"{docker.parent}{os.pathsep}{os.environ['PATH']}"

    return path


def refusal(state: Path, *, port: int = 0, **variables: str) -> str:
    """The one line with which it ends."""
    with sam_stack(state, port=port, **variables) as stack:
        assert stack.process.wait(60) == 1
        [line] = stack.output().splitlines()
        return line


def test_make_starts_it_where_it_is_told():
    make = ["make", "--dry-run", "--no-print-directory", "local", "PORT=3999"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].endswith("-m local.sam --port 3999")


def test_it_is_told_nothing_more_than_it_has_to_be():
    assert settings_of([]) == Settings(port=3000)
    assert settings_of(["--port", "3999"]).state == Settings().state


def test_a_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refusal(tmp_path / "state", port=port).startswith(f"port {port} cannot be used (")


def test_another_stack_over_the_same_state(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refusal(state) == f"another stack uses {state}: stop it first"


def test_a_docker_that_does_not_answer(tmp_path):
    line = refusal(tmp_path / "state", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert line.startswith("docker is needed, and does not answer: ")


def test_no_docker_at_all(tmp_path):
    line = refusal(tmp_path / "state", PATH=str(tmp_path))
    assert line.startswith("docker is needed, and does not answer: ")
    assert "docker" in line.removeprefix("docker is needed")


def test_a_docker_whose_bridge_has_no_address(tmp_path, path_with):
    network = '{"IPAM": {"Config": []}, "Options": {}}'
    line = refusal(tmp_path / "state", PATH=path_with(f"echo '{network}'"))
    assert line.startswith("docker's network bridge has no IPv4 address that containers could reach this machine by")


def test_a_docker_without_a_bridge(tmp_path, path_with):
    script = '[ "$1" = version ] && echo 20.10 && exit; echo "No such network: bridge" >&2; exit 1'
    line = refusal(tmp_path / "state", PATH=path_with(script))
    assert line == "docker has no network named bridge, which sam local needs: No such network: bridge"


def test_an_image_that_is_not_there_and_cannot_be_pulled(tmp_path, path_with):
    network = '{"IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}}'
    script = f"""[ "$1" = network ] && echo '{network}' && exit; echo "no such host" >&2; exit 1"""
    with sam_stack(tmp_path / "state", PATH=path_with(script)) as stack:
        assert stack.process.wait(60) == 1
        pulling, line = stack.output().splitlines()
    image = pulling.split()[1]
    assert image.startswith("public.ecr.aws/lambda/python:3.")
    assert line == f"the image {image} is not here and cannot be pulled: no such host"
