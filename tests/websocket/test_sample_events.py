"""The sample events through the handler, as API Gateway sends them."""

import json

import pytest

from agentos_lambda.protocol.values import Kind
from tests.runs.world import component
from tests.websocket.world import EVENTS, World

RUN = "1cb9dc4e-bef2-4763-be29-f19b3d4e5f60"
CONNECTION = "Vb3xBc5zDoECGVQ="


@pytest.fixture
def world():
    world = World(key="example-security-key", catalog=Letters())
    for name in ("connect", "authenticate"):
        assert send(world, name) == {"statusCode": 200}
    assert world.posts.names(CONNECTION) == ["connected", "authenticated"]
    world.posts.messages.clear()
    yield world
    world.pool.shutdown()


class Letters:
    def find(self, kind, component_id):
        return component(kind, "letter") if (kind, component_id) == (Kind.WORKFLOW, "letter") else None


def send(world, name):
    return world.handler(json.loads((EVENTS / f"websocket-{name}.json").read_text()), None)


ANSWERED = [
    ("ping", {"event": "pong"}),
    ("default", {"event": "error", "error": "The message is not valid JSON"}),
    ("reconnect", {"event": "error", "error": f"Run {RUN} not found in buffer or database"}),
    ("continue-workflow", {"event": "error", "error": f"Run {RUN} not found"}),
    ("cancel-workflow", {"event": "error", "error": f"Run {RUN} not found"}),
]


def test_every_event_is_sent():
    events = {path.stem.removeprefix("websocket-") for path in EVENTS.glob("websocket-*")}
    others = {"connect", "greet", "authenticate", "start-workflow", "disconnect"}
    assert events == others | {name for name, _ in ANSWERED}


def test_a_new_connection_is_greeted_by_an_invocation_of_its_own():
    world = World()
    assert send(world, "connect") == {"statusCode": 200}
    assert send(world, "greet") == {"statusCode": 200}
    assert world.posts.names(CONNECTION) == ["connected"]
    world.pool.shutdown()


@pytest.mark.parametrize(("name", "answer"), ANSWERED)
def test_a_message_is_answered_by_a_post_and_not_by_a_body(world, name, answer):
    assert send(world, name) == {"statusCode": 200}
    assert world.posts.got(CONNECTION) == [answer]


def test_a_workflow_is_started_and_its_connection_closed(world):
    send(world, "start-workflow")
    record = world.store.get(world.queue.waiting[-1])
    assert (record.component_id, record.session_id, record.user_id) == ("letter", "session-1", "user-1")
    assert [follower.connection_id for follower in world.followers.of_run(record.run_id)] == [CONNECTION]
    assert send(world, "disconnect") == {"statusCode": 200}
    assert world.is_clean(CONNECTION)
    assert world.connections.get(CONNECTION) is None
    assert world.store.get(record.run_id) == record
