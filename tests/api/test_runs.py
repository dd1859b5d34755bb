"""The routes of runs, alike for the three kinds."""

import asyncio
import json

import pytest

from agentos_lambda.api import sse
from agentos_lambda.api.scope import DEADLINE_KEY
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryStore
from tests.api.world import NAMES, Api
from tests.runs.world import World

pytestmark = pytest.mark.anyio

KINDS = [pytest.param(f"/{kind.plural}/{NAMES[kind]}", id=kind) for kind in Kind]


def frames(text: str) -> list[dict]:
    """The frames of a stream as {event, id, data}; comments are left out."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("encoding", ["json", "data", "multipart"])
async def test_a_run_is_answered_whole_by_json_and_by_form(api, path, encoding):
    body = {"message": "hi", "stream": "false", "session_id": "s", "user_id": "alice"}
    sent = (
        {"files": {name: (None, value) for name, value in body.items()}}
        if encoding == "multipart"
        else {encoding: body}
    )
    answer = await api.client.post(f"{path}/runs", **sent)
    assert answer.status_code == 200
    run = answer.json()
    assert (run["content"], run["status"], run["input"]) == ("Hello world", "COMPLETED", "hi")
    record = api.world.store.get(run["run_id"])
    assert (record.status, record.session_id, record.user_id) == (RunStatus.COMPLETED, "s", "alice")


@pytest.mark.parametrize("path", KINDS)
async def test_streaming_is_off_unless_it_is_asked_for(api, path):
    answer = await api.client.post(f"{path}/runs", data={"message": "hi", "stream": ""})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", KINDS)
async def test_a_stream_has_a_frame_for_each_event_and_ends_with_the_terminal_one(api, path):
    answer = await api.client.post(f"{path}/runs", json={"message": "hi", "stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    got = frames(answer.text)
    for place, frame in enumerate(got):
        data = json.loads(frame["data"])
        assert (data["event"], data["event_index"], frame["id"]) == (frame["event"], place, str(place))
    assert got[-1]["event"].endswith("Completed")
    assert " " not in got[0]["data"]


async def test_the_reference_workflow_example_runs_as_printed(api):
    body = {"input": {}, "user_id": "u", "session_id": "s"}
    answer = await api.client.post("/workflows/story-workflow/runs", json=body)
    assert (answer.status_code, answer.json()["input"]) == (200, {})


async def test_json_fields_of_a_form_reach_the_component(api):
    fields = {
        "message": "hi",
        "session_state": '{"a": 1}',
        "dependencies": '{"b": 2}',
        "metadata": '{"c": 3}',
        "knowledge_filters": '[{"d": 4}]',
        "output_schema": '{"type": "object"}',
        "unknown": "ignored",
    }
    assert (await api.client.post("/agents/assistant/runs", data=fields)).status_code == 200
    given = api.engine_inputs[0]
    assert (given.session_state, given.dependencies, given.metadata) == ({"a": 1}, {"b": 2}, {"c": 3})
    assert (given.knowledge_filters, given.output_schema) == ([{"d": 4}], {"type": "object"})


async def test_additional_data_and_flags_reach_the_component_from_json_and_from_a_form(api):
    texts = {"additional_data": '{"a": 1}', "add_history_to_context": "true", "add_dependencies_to_context": "False"}
    values = {"additional_data": {"a": 1}, "add_history_to_context": True, "add_dependencies_to_context": False}
    for sent in ({"data": texts}, {"json": values}):
        (fields,) = sent.values()
        fields["message"] = "hi"
        assert (await api.client.post("/workflows/story-workflow/runs", **sent)).status_code == 200
        given = api.engine_inputs[-1]
        assert (given.additional_data, given.add_history_to_context) == ({"a": 1}, True)
        assert (given.add_dependencies_to_context, given.add_session_state_to_context) == (False, None)


async def test_fields_that_only_the_component_knows_are_handed_on(api):
    values = {"tenant": "acme", "strict": True, "nothing": None, "text": "true", "object": {"a": [1]}}
    texts = {"tenant": "acme", "strict": "True", "nothing": "none", "text": "truely", "object": '{"a": [1]}'}
    others = {"message": "hi", "input": "no", "version": "1", "factory_input": "{}", "stream_events": "false"}
    for sent, expected in (
        ({"json": {**values, **others}}, values),
        ({"data": {**texts, **others}}, {**texts, "strict": True, "nothing": None}),
    ):
        assert (await api.client.post("/agents/assistant/runs", **sent)).status_code == 200
        assert api.engine_inputs[-1].message == "hi"
        assert api.engine_inputs[-1].further == expected
    await api.client.post("/agents/assistant/runs", json={"message": "hi"})
    assert api.engine_inputs[-1].further is None


async def test_a_run_in_the_background_gets_the_same(api):
    fields = {"message": "hi", "additional_data": {"a": 1}, "add_history_to_context": True, "tenant": "acme"}
    body = {**fields, "background": True, "session_id": "s"}
    assert (await api.client.post("/agents/assistant/runs", json=body)).status_code == 202
    await api.world.work()
    given = api.engine_inputs[-1]
    assert (given.additional_data, given.add_history_to_context, given.further) == ({"a": 1}, True, {"tenant": "acme"})


async def test_a_run_can_be_read_while_it_runs_and_after(api):
    execution = await api.world.held(session_id="s")
    path = f"/agents/assistant/runs/{execution.record.run_id}"
    assert (await api.client.get(path)).json()["status"] == "RUNNING"
    api.world.engine.runs[0].release()
    await execution.result()
    shown = (await api.client.get(path, params={"session_id": "s"})).json()
    assert (shown["status"], shown["content"]) == ("COMPLETED", "Hello world")


async def test_runs_are_listed_flat_with_every_field_and_iso_dates(api):
    created = (await api.client.post("/agents/assistant/runs", json={"message": "hi", "session_id": "s"})).json()
    listed = (await api.client.get("/agents/assistant/runs", params={"session_id": "s"})).json()
    assert [run["run_id"] for run in listed] == [created["run_id"]]
    assert listed[0]["run_input"] == "hi"
    assert listed[0]["created_at"].endswith("Z")
    assert listed[0]["parent_run_id"] == ""
    query = {"session_id": "s", "status": "ERROR"}
    assert (await api.client.get("/agents/assistant/runs", params=query)).json() == []


async def test_a_failed_run_is_an_answer_with_status_error(api):
    api.world.engine.script.update(status=RunStatus.ERROR, error="model exploded")
    answer = await api.client.post("/agents/assistant/runs", json={"message": "hi"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")


async def test_cancelling_a_running_run_is_requested_and_of_an_ended_one_is_not(api):
    execution = await api.world.held()
    run_id = execution.record.run_id
    path = f"/agents/assistant/runs/{run_id}/cancel"
    requested = (await api.client.post(path)).json()
    assert requested == {"run_id": run_id, "status": "RUNNING", "cancel_requested": True}
    api.world.engine.runs[0].release()
    assert (await execution.result()).record.status is RunStatus.CANCELLED
    api.world.engine.script["hold"] = False
    completed = (await api.client.post("/agents/assistant/runs", json={"message": "hi"})).json()["run_id"]
    answer = await api.client.post(f"/agents/assistant/runs/{completed}/cancel")
    assert answer.json() == {"run_id": completed, "status": "COMPLETED", "cancel_requested": False}


class DownStore(MemoryStore):
    down = unreadable = False

    def _check(self):
        if self.down:
            raise StoreUnavailable("table runs-abc of account 42 does not answer")

    def get(self, run_id):
        self._check()
        return super().get(run_id)

    def accept(self, record, *, work=None):
        self._check()
        return super().accept(record, work=work)

    def read(self, record, *, after):
        """Up to the event with the index 1; what comes then cannot be read."""
        if self.unreadable or after > 0:
            raise StoreUnavailable("table events-abc of account 42 does not answer")
        return [event for event in super().read(record, after=after) if event.index < 2]


SO_FAR = (["catch_up", "RunStarted", "RunContent", "subscribed"], [])


@pytest.mark.parametrize("unreadable", [False, True])
async def test_a_stream_from_a_log_that_cannot_be_read_any_more_is_one_to_be_resumed(unreadable):
    api = Api(World(store=DownStore()))
    run = await api.world.held(stream=True)
    api.world.supervisors[-1].flush()
    api.world.store.unreadable = unreadable
    answer = await api.client.post(f"/agents/assistant/runs/{run.record.run_id}/resume")
    told = answer.text.removesuffix(sse.GOES_ON)
    assert told != answer.text
    assert [frame["event"] for frame in frames(told)] == SO_FAR[unreadable]
    api.world.engine.runs[0].release()
    await run.result()


async def test_a_store_that_is_down_is_a_503_and_a_failed_cancel_says_so():
    api = Api(World(store=DownStore()))
    api.world.store.down = True
    started = await api.client.post("/agents/assistant/runs", json={"message": "hi"})
    assert started.status_code == 503
    assert started.json() == {"detail": "The service is temporarily unavailable", "error_code": "SERVICE_UNAVAILABLE"}
    cancelled = await api.client.post("/agents/assistant/runs/r/cancel")
    assert (cancelled.status_code, cancelled.json()["error_code"]) == (500, "CANCEL_FAILED")
    assert (await api.client.get("/health")).status_code == 200


async def test_what_nobody_expected_ends_a_stream_with_an_error_event_that_tells_nothing(api):
    api.world.engine.script["raises"] = ZeroDivisionError("secret")
    answer = await api.client.post("/agents/assistant/runs", json={"message": "hi", "stream": True})
    last = frames(answer.text)[-1]
    assert (last["event"], json.loads(last["data"])["content"]) == ("RunError", "Internal server error")
    assert "secret" not in answer.text


async def test_what_nobody_expected_is_a_500_that_tells_nothing(api):
    api.world.engine.script["raises"] = ZeroDivisionError("secret")
    answer = await api.client.post("/agents/assistant/runs", json={"message": "hi"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Internal server error", "error_code": "INTERNAL_ERROR"}


class SlowClient:
    """Takes one message after the other, each when the event loop has gone round."""

    def __init__(self):
        self.body = b""
        self.commented = asyncio.Event()
        self._is_taking = False

    async def send(self, message):
        assert not self._is_taking
        self._is_taking = True
        await asyncio.sleep(0)
        self._is_taking = False
        self.body += message.get("body", b"")
        if message.get("body") == sse.KEEP_ALIVE:
            self.commented.set()


async def test_silence_is_filled_with_comments(api, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.001)
    client, execution = SlowClient(), await api.world.held(stream=True)
    stream = sse.EventStream(sse.stream_execution(execution, "Assistant", api.world.clock))
    streaming = asyncio.create_task(stream.stream_response(client.send))
    async with asyncio.timeout(10):
        await client.commented.wait()
        api.world.engine.runs[0].release()
        await streaming
    *told, last = client.body.replace(sse.KEEP_ALIVE, b"").decode().removesuffix("\n\n").split("\n\n")
    assert all(frame.startswith("event: Run") for frame in told)
    assert last.startswith("event: RunCompleted\n")


async def test_a_stream_whose_comment_cannot_be_sent_is_over(api, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.001)

    async def send(message):
        if message.get("body") == sse.KEEP_ALIVE:
            raise BrokenPipeError

    execution = await api.world.held(stream=True)
    stream = sse.EventStream(sse.stream_execution(execution, "Assistant", api.world.clock))
    async with asyncio.timeout(10):
        with pytest.RaisesGroup(BrokenPipeError):
            await stream.stream_response(send)
    api.world.engine.runs[0].release()
    await execution.result()


async def test_a_run_is_told_to_end_before_its_function_is_timed_out(api):
    async def app(scope, receive, send):
        await api.app({**scope, DEADLINE_KEY: api.world.clock.now()}, receive, send)

    api.world.engine.script["hold"] = True
    api.client._transport.app = app
    answer = await api.client.post("/agents/assistant/runs", json={"message": "hi"})
    run = answer.json()
    assert (run["status"], run["content"]) == ("ERROR", "Hello world")
    assert api.world.store.get(run["run_id"]).error == "deadline exceeded"


async def test_who_waits_for_a_repeated_run_past_the_deadline_is_answered_as_if_it_were_in_the_background(api):
    async def app(scope, receive, send):
        await api.app({**scope, DEADLINE_KEY: api.world.clock.now()}, receive, send)

    headers, body = {"Idempotency-Key": "k"}, {"message": "hi"}
    execution = await api.world.held(idempotency_key="k", principal="nobody", session_id="s")
    api.client._transport.app = app
    answer = await api.client.post("/agents/assistant/runs", json={**body, "session_id": "s"}, headers=headers)
    assert (answer.status_code, answer.json()["run_id"]) == (202, execution.record.run_id)
    assert answer.json()["status"] == "RUNNING"
    api.world.engine.runs[0].release()
    await execution.result()
