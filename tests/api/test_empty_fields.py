"""A field that is empty, or null, is one that was left out."""

import json

import pytest

from tests.api.test_runs import KINDS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("name", ["session_id", "user_id", "run_id"])
async def test_an_id_may_be_empty_or_null(api, path, name):
    for sent in ({"json": {"message": "hi", name: None}}, {"data": {"message": "hi", name: ""}}):
        answer = await api.client.post(f"{path}/runs", **sent)
        assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")


@pytest.mark.parametrize("path", KINDS)
async def test_the_input_is_used_where_the_message_is_empty_or_null(api, path):
    for sent in ({"json": {"message": None, "input": "hi"}}, {"data": {"message": "", "input": "hi"}}):
        answer = await api.client.post(f"{path}/runs", **sent)
        assert (answer.status_code, answer.json().get("status")) == (200, "COMPLETED")
        assert api.engine_inputs[-1].message == "hi"


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize(
    "sent", [{}, {"data": {"last_event_index": ""}}, {"json": {"last_event_index": None, "session_id": None}}]
)
async def test_a_run_is_resumed_from_its_first_event_where_no_other_is_named(api, path, sent):
    run = (await api.client.post(f"{path}/runs", json={"message": "hi", "run_id": "r", "stream": True})).text
    assert "event_index" in run
    resumed = await api.client.post(f"{path}/runs/r/resume", **sent)
    assert resumed.status_code == 200
    assert "\nid: 0\n" in resumed.text


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("wrong", ["-2", "x", "1e3"])
async def test_an_index_that_is_none_is_refused(api, path, wrong):
    await api.client.post(f"{path}/runs", json={"message": "hi", "run_id": "r", "stream": True})
    answer = await api.client.post(f"{path}/runs/r/resume", data={"last_event_index": wrong})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "last_event_index")


@pytest.mark.parametrize("path", KINDS)
async def test_an_index_that_no_event_has_changes_no_count(api, path):
    await api.client.post(f"{path}/runs", json={"message": "hi", "run_id": "r", "stream": True})
    replays = [
        await api.client.post(f"{path}/runs/r/resume", data={"last_event_index": index}) for index in ("", "9999")
    ]
    counts = [json.loads(answer.text.split("data: ")[1].partition("\n")[0])["total_buffered"] for answer in replays]
    assert counts[0] == counts[1] > 0
