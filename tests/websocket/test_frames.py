"""Events on the wire: merged, in two forms, and never too large."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.websocket.delivery.frames import MAX_BYTES, Framing
from agentos_lambda.websocket.ports import Form
from tests.websocket.world import parsed

RECORD = RunRecord("run-1", Kind.WORKFLOW, "letter", "session-1", None, RunStatus.RUNNING, 0, "token")
WHOLE = "/workflows/letter/runs/run-1"


def delta(index, content="text ", **fields):
    event = {"event": "RunContent", "run_id": "r", "created_at": 100 + index, "content": content, **fields}
    return IndexedEvent(index, event)


def step(index):
    return IndexedEvent(index, {"event": "StepStarted", "run_id": "run-1"})


def frames(events, form=Form.FLAT):
    return [frame.text for frame in Framing(RECORD, form).all(events)]


def sizes(texts):
    return [len(text.encode()) for text in texts]


def test_consecutive_text_becomes_one_message_with_the_last_index():
    (text,) = frames([delta(4, "a"), delta(5, "b"), delta(6, "ü")])
    message = parsed(text)
    assert (message["content"], message["event_index"], message["created_at"]) == ("abü", 6, 104)


def test_text_is_not_merged_across_another_event():
    texts = [parsed(text) for text in frames([delta(0, "a"), delta(1, "b"), step(2), delta(3, "c"), delta(5, "d")])]
    assert [(message.get("content"), message["event_index"]) for message in texts] == [("ab", 1), (None, 2), ("cd", 5)]


@pytest.mark.parametrize(
    "other",
    [
        {"run_id": "another"},
        {"step_index": 1},
        {"event": "TeamRunContent"},
        {"content": {"an": "object"}},
        {"content_type": "json"},
    ],
)
def test_texts_that_differ_in_anything_else_are_not_merged(other):
    assert len(frames([delta(0), delta(1, **other)])) == 2
    assert len(frames([delta(0, **other), delta(1)])) == 2


def test_reasoning_is_merged_like_text():
    (text,) = frames([delta(0, "", reasoning_content="think "), delta(1, "", reasoning_content="more")])
    assert parsed(text)["reasoning_content"] == "think more"


def test_a_missing_text_stays_missing():
    (text,) = frames([delta(0, "a", reasoning_content=None), delta(1, "b", reasoning_content=None)])
    assert parsed(text)["reasoning_content"] is None


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=3000)), min_size=1, max_size=60))
def test_merging_loses_repeats_and_reorders_nothing_and_stays_small(contents):
    events = [delta(index, text) if is_text else step(index) for index, (is_text, text) in enumerate(contents)]
    texts = [frame.text for frame in Framing(RECORD, Form.SSE).all(events)]
    messages = [parsed(text) for text in texts]
    assert "".join(message.get("content", "") for message in messages) == "".join(
        text for is_text, text in contents if is_text
    )
    indexes = [message["event_index"] for message in messages]
    assert indexes == sorted(set(indexes))
    assert indexes[-1] == len(contents) - 1
    assert sum(message["event"] == "StepStarted" for message in messages) == sum(not is_text for is_text, _ in contents)
    assert max(sizes(texts)) <= MAX_BYTES
    assert not any("truncated" in message for message in messages)


def test_live_events_look_like_server_sent_ones():
    (text,) = frames([step(3)], Form.SSE)
    assert text == 'event: StepStarted\ndata: {"event":"StepStarted","run_id":"run-1","event_index":3}\n\n'


def completed(answer, **fields):
    event = {
        "event": "WorkflowCompleted",
        "run_id": "run-1",
        "workflow_id": "letter",
        "content": answer,
        "step_results": [{"content": answer}],
        "step_executor_runs": [{"content": answer}],
        **fields,
    }
    return IndexedEvent(9, event)


def test_duplicates_go_first_so_that_an_answer_stays_whole_if_it_can():
    (text,) = frames([completed("x" * 20_000)], Form.SSE)
    message = parsed(text)
    assert message["content"] == "x" * 20_000
    assert "step_executor_runs" not in message
    assert (message["truncated"], message["whole"]) == (True, WHOLE)
    assert len(text.encode()) <= MAX_BYTES


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("letter", ["x", "ü", "\n", "\x00", '"', "\\", "🙂", "\u2028"])
def test_a_large_answer_is_cut_between_characters_and_says_where_the_whole_is(letter, form):
    (text,) = frames([completed(letter * 300_000)], form)
    message = parsed(text)
    assert message["content"] == letter * len(message["content"])
    assert (message["truncated"], message["whole"], message["event_index"]) == (True, WHOLE, 9)
    assert 0.95 * MAX_BYTES < len(text.encode()) <= MAX_BYTES


def test_an_event_of_many_large_fields_keeps_what_identifies_it():
    large = {f"field-{place}": ["y" * 1000] * 20 for place in range(40)}
    (text,) = frames([completed("answer", **large)])
    message = parsed(text)
    assert len(text.encode()) <= MAX_BYTES
    assert {"event", "event_index", "run_id", "workflow_id"} <= message.keys()
    assert (message["content"], message["truncated"]) == ("answer", True)


def test_a_small_event_is_as_the_engine_gave_it():
    (text,) = frames([completed("short")])
    assert json.loads(text) == {**completed("short").event, "event_index": 9}
