"""A frame is read line by line: each of its lines is one, whatever is in the event."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentos_lambda.api.sse import control_frame, frame
from agentos_lambda.protocol.frames import json_line
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.websocket.delivery.frames import MAX_BYTES, Framing
from agentos_lambda.websocket.ports import Form

BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))
RECORD = RunRecord("r", Kind.WORKFLOW, "w", "s", None, RunStatus.COMPLETED, 0, "t")

texts = st.text(st.sampled_from(BREAKS + 'a"\\ä'), min_size=1, max_size=12)
values = st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


def over_http(indexed):
    return frame(indexed)


def over_websocket(indexed):
    (only,) = Framing(RECORD, Form.SSE).all([indexed])
    return only.text


def of_control(indexed):
    return control_frame(indexed.event)


def data_of(text):
    """What a client that splits lines as Python does reads."""
    lines = text.splitlines()
    assert all(line.startswith(("event: ", "id: ", "data: ")) for line in lines if line)
    (data,) = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return json.loads(data)


def test_every_line_break_that_python_knows_is_tried():
    assert {chr(code) for code in range(0x110000) if len(f"a{chr(code)}b".splitlines()) > 1} == set(BREAKS)


@unhurried
@given(values)
def test_a_value_is_one_line_and_the_same_value(value):
    line = json_line(value)

    assert line.splitlines() == [line]
    assert json.loads(line) == value


@pytest.mark.parametrize("framed", [over_http, over_websocket, of_control])
@unhurried
@given(text=texts)
def test_a_frame_is_read_by_lines(framed, text):
    event = {"event": "RunCompleted", "run_id": "r", "content": text, text: {"within": [text]}}

    assert data_of(framed(IndexedEvent(3, event))).items() >= event.items()


@pytest.mark.parametrize("framed", [over_http, over_websocket, of_control])
@pytest.mark.parametrize("line_break", BREAKS)
def test_a_name_that_a_component_gave_its_event_is_on_one_line(framed, line_break):
    name = f"Mine{line_break}data: x"

    assert data_of(framed(IndexedEvent(3, {"event": name, "run_id": "r"})))["event"] == name


@pytest.mark.parametrize("size", [MAX_BYTES // 6 - 50, MAX_BYTES // 3, MAX_BYTES])
def test_a_text_of_line_breaks_alone_is_trimmed_to_a_message(size):
    text = over_websocket(IndexedEvent(3, {"event": "WorkflowCompleted", "run_id": "r", "content": "\u2028" * size}))

    assert len(text.encode()) <= MAX_BYTES
    assert data_of(text)["content"].strip("\u2028") == ""


async def sent(text):
    yield text.encode()


@pytest.mark.anyio
@pytest.mark.parametrize("line_break", BREAKS)
async def test_the_client_of_agentos_reads_every_frame(line_break):
    """Its line reader: httpx's."""
    events = [IndexedEvent(place, {"event": "RunContent", "content": f"a{line_break}b"}) for place in range(2)]
    answer = httpx.Response(200, content=sent("".join(map(frame, events))))

    data = [json.loads(line.removeprefix("data: ")) async for line in answer.aiter_lines() if line.startswith("data: ")]

    assert [each["content"] for each in data] == [f"a{line_break}b"] * 2
