"""What the log says of connections."""

from __future__ import annotations

import logging

import pytest

from agentos_lambda.websocket.ports import Refused

pytestmark = pytest.mark.anyio

SECRET = "cobalt-elephant"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="agentos_lambda")
    return caplog


def of(log, connection_id):
    lines = [line for line in log.records if getattr(line, "connection_id", None) == connection_id]
    return [(line.message, getattr(line, "run_id", None)) for line in lines]


async def test_log_lines_name_the_connection_and_the_run_that_it_follows(world, log):
    world.connect()
    run_id = world.start()
    await world.work()
    world.event("DISCONNECT", "c-1")
    assert of(log, "c-1") == [
        ("a connection was opened", None),
        ("a connection follows a run", run_id),
        ("a connection was closed", None),
    ]


async def test_a_dropped_follower_is_logged_with_its_run(world, log):
    world.connect()
    run_id = world.start()
    world.posts.fails["c-1"] = [Refused("413")] * 9
    await world.work()
    assert ("a follower was dropped: 413", run_id) in of(log, "c-1")


def test_a_message_that_cannot_be_handled_is_logged_with_its_connection_and_without_its_words(world, log, monkeypatch):
    world.connect()
    monkeypatch.setattr(world.store, "accept", fail)
    world.send({"action": "start-workflow", "workflow_id": "story-workflow", "message": SECRET})
    [failure] = [line for line in log.records if line.levelno == logging.ERROR]
    assert failure.connection_id == "c-1"
    assert SECRET not in logging.Formatter().format(failure)


def fail(*_arguments, **_options):
    raise RuntimeError("a bug")
