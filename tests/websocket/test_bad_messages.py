"""A bad message gets an error event. The connection stays open, and nothing is left in the store."""

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from tests.websocket.world import WORKFLOW, World

START = {"action": "start-workflow", "workflow_id": WORKFLOW.id, "message": "hi"}
INVALID = "The message is not valid JSON"


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ("", INVALID),
        ("not json", INVALID),
        ('{"action": "ping"', INVALID),
        ('{"action": "ping", "x": NaN}', INVALID),
        ('{"action": "ping", "x": 1e999}', INVALID),
        ('{"action": "start-workflow", "workflow_id": "story-workflow", "message": "\\ud800"}', INVALID),
        (nested(100_000), "The message is nested over 64 levels deep"),
        ("[]", "The message has to be a JSON object"),
        ('"ping"', "The message has to be a JSON object"),
        (f'{{"action": "ping", "x": {nested(65)}}}', "The message is nested over 64 levels deep"),
        ({}, "Unknown action: None"),
        ({"action": 7}, "Unknown action: 7"),
        ({"action": "bogus"}, "Unknown action: bogus"),
        ({"action": "b" * 1000}, "Unknown action: " + "b" * 64),
        ({"action": "start-workflow"}, "workflow_id is required"),
        ({**START, "workflow_id": ""}, "workflow_id is required"),
        ({**START, "workflow_id": ["x"]}, "workflow_id should have at most 128 letters, digits and -_.:@"),
        ({**START, "workflow_id": "nope"}, "Workflow nope not found"),
        ({**START, "workflow_id": "assistant/../x"}, "workflow_id should have at most 128 letters, digits and -_.:@"),
        ({**START, "message": 7}, "message should be a string or an object"),
        ({**START, "message": ["a"]}, "message should be a string or an object"),
        (
            {**START, "session_id": "s" * 257},
            "session_id should have at most 256 characters, no control characters and no /, and not be . or ..",
        ),
        ({**START, "user_id": {}}, "user_id should have at most 256 characters and no control characters"),
        ({"action": "reconnect"}, "run_id is required for subscription"),
        ({"action": "reconnect", "run_id": "r"}, "Run r not found in buffer or database"),
        ({"action": "continue-workflow", "run_id": "r"}, "workflow_id is required"),
        ({"action": "continue-workflow", "workflow_id": WORKFLOW.id}, "run_id is required"),
        (
            {"action": "continue-workflow", "workflow_id": WORKFLOW.id, "run_id": "r"},
            "step_requirements should be an array of objects",
        ),
        (
            {"action": "continue-workflow", "workflow_id": WORKFLOW.id, "run_id": "r", "step_requirements": [{}]},
            "Run r not found",
        ),
        ({"action": "cancel-workflow"}, "workflow_id is required"),
        ({"action": "cancel-workflow", "workflow_id": WORKFLOW.id}, "run_id is required"),
        ({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": "r"}, "Run r not found"),
    ],
)
def test_a_bad_message_is_an_error_and_leaves_nothing(world, sent, error):
    world.connect()
    world.send(sent)
    world.send({"action": "ping"})
    assert world.posts.got() == [{"event": "error", "error": error}, {"event": "pong"}]
    assert world.is_clean()
    assert not world.queue.waiting
    assert not world.store.records()


@pytest.mark.parametrize("index", ["3", 1.5, True, -2, 2**60])
def test_an_invalid_index_is_an_error(world, index):
    world.connect()
    run_id = world.start()
    world.reconnect(run_id, last_event_index=index)
    assert world.posts.got() == [{"event": "error", "error": "last_event_index should be an integer of -1 or more"}]


def test_a_session_of_another_user_starts_nothing(world):
    world.connect()
    run_id = world.start(session_id="s", user_id="alice")
    world.runs.cancel(WORKFLOW, run_id)
    world.queue.waiting.clear()
    world.send({**START, "session_id": "s", "user_id": "bob"})
    assert world.posts.got()[-1] == {"event": "error", "error": "Session not found"}
    assert not world.queue.waiting


def test_a_full_queue_starts_nothing():
    world = World(queue_limit=0)
    world.connect()
    world.send(START)
    assert world.posts.got() == [{"event": "error", "error": "Too many runs are waiting"}]
    assert world.is_clean()


def test_a_33rd_run_on_one_connection_is_refused_and_another_connection_takes_it(world):
    world.connect()
    world.connect("c-2")
    for _ in range(32):
        world.start()
    world.send(START)
    (refused,) = world.posts.got()
    assert refused["event"] == "error"
    assert "32 runs" in refused["error"]
    assert len(world.queue.waiting) == len(world.store.records()) == 32
    world.start("c-2")
    assert world.posts.got("c-2") == []


@pytest.mark.anyio
async def test_a_run_that_has_ended_makes_room_for_another(world):
    world.connect()
    for _ in range(32):
        world.start()
    await world.work()
    assert world.start() == world.queue.waiting[-1]
    assert "error" not in world.posts.names()


def test_while_the_store_is_unavailable_nothing_is_started_and_the_client_gets_an_error(world):
    world.connect()

    def down(*_args, **_kwargs):
        raise StoreUnavailable("down")

    world.store.accept = down
    world.send(START)
    assert world.posts.got() == [{"event": "error", "error": "The service is unavailable, try again"}]
    assert world.is_clean()


def test_an_unexpected_error_does_not_show_its_cause(world):
    world.connect()

    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    world.store.accept = broken
    world.send(START)
    assert world.posts.got() == [{"event": "error", "error": "Internal Server Error"}]
    assert world.is_clean()
