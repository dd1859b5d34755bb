"""What AgentOS 3.1 was seen to send to a client that comes back to a run."""

import pytest

from agentos_lambda.protocol.resumption import Transport, cancel_answer, catch_up, no_events, replay, subscribed
from agentos_lambda.protocol.values import Kind, RunStatus

RUN = "5b36d1cd-5d76-4c17-802c-28ced6862d96"
UNSTREAMED = (
    "Run is RUNNING and was submitted without streaming, so it has no event stream to attach to. "
    "Poll the run endpoint for its result."
)


def test_catching_up_tells_how_many_events_were_missed():
    assert catch_up(RUN, missed=2, count=8) == {
        "event": "catch_up",
        "run_id": RUN,
        "status": "running",
        "missed_events": 2,
        "current_event_count": 8,
        "message": "Catching up on 2 missed events.",
    }


@pytest.mark.parametrize(
    ("kind", "transport", "message"),
    [
        (Kind.AGENT, Transport.HTTP, "Subscribed to agent run. Receiving live events."),
        (Kind.WORKFLOW, Transport.HTTP, "Subscribed to workflow run. Receiving live events."),
        (
            Kind.WORKFLOW,
            Transport.WEBSOCKET,
            "Subscribed to workflow run. You will receive new events as they occur.",
        ),
    ],
)
def test_a_subscription_has_the_sentence_of_its_transport(kind, transport, message):
    assert subscribed(RUN, kind, count=8, transport=transport) == {
        "event": "subscribed",
        "run_id": RUN,
        "status": "running",
        "current_event_count": 8,
        "message": message,
    }


@pytest.mark.parametrize(("after", "requested"), [(8, 8), (0, 0), (-1, None)])
def test_a_replay_tells_what_was_asked_for(after, requested):
    assert replay(RUN, RunStatus.COMPLETED, missed=6, count=15, after=after) == {
        "event": "replay",
        "run_id": RUN,
        "status": "COMPLETED",
        "total_events": 6,
        "total_buffered": 15,
        "last_event_index_requested": requested,
        "message": "Run COMPLETED. Replaying 6 missed events (of 15 total).",
    }


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            RunStatus.RUNNING,
            UNSTREAMED,
        ),
        (
            RunStatus.COMPLETED,
            "Run COMPLETED with no stored events: a run submitted without streaming keeps only its final output.",
        ),
    ],
)
def test_a_run_without_events_says_why(status, message):
    assert no_events(RUN, status) == {
        "event": "replay",
        "run_id": RUN,
        "status": status.value,
        "total_events": 0,
        "message": message,
    }


@pytest.mark.parametrize(
    ("status", "flagged", "holds"),
    [
        (RunStatus.RUNNING, True, True),
        (RunStatus.CANCELLED, False, True),
        (RunStatus.COMPLETED, False, False),
    ],
)
def test_the_answer_to_a_cancel_tells_whether_it_holds(status, flagged, holds):
    answer = {"run_id": RUN, "status": status.value, "cancel_requested": holds}
    assert cancel_answer(RUN, status, flagged=flagged) == answer
