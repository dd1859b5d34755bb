"""Lists of a session's runs: a page always fits into an answer, and no session has to be in memory."""

import json

import pytest

from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.api.routes.run_lists import DEFAULT_LIMIT, MAX_LIMIT, run_list
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunOutput, StoredRun
from tests.api.test_runs import KINDS

pytestmark = pytest.mark.anyio

LAMBDAS_LIMIT = 6 * 1024 * 1024


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [item["run_id"] for item in answer.json()]


@pytest.mark.parametrize("path", KINDS)
async def test_runs_come_page_by_page_oldest_first(api, path):
    for place in range(5):
        api.world.clock.advance(1)
        await api.client.post(f"{path}/runs", json={"message": "hi", "session_id": "s", "run_id": f"r{place}"})

    async def page(**query):
        return ids(await api.client.get(f"{path}/runs", params={"session_id": "s", **query}))

    assert await page() == ["r0", "r1", "r2", "r3", "r4"]
    assert await page(limit=2) == ["r0", "r1"]
    assert await page(limit=2, page=2) == ["r2", "r3"]
    assert await page(limit=2, page=3) == ["r4"]
    assert await page(limit=2, page=4) == await page(page=1_000_000) == []
    assert await page(status="ERROR", page=1) == []
    assert await page(status="") == await page()


async def test_without_a_limit_there_is_a_default(api):
    for place in range(DEFAULT_LIMIT + 1):
        api.world.clock.advance(1)
        await api.world.run(session_id="s", run_id=f"r{place}")
    assert len(ids(await api.client.get("/agents/assistant/runs?session_id=s"))) == DEFAULT_LIMIT
    assert len(ids(await api.client.get(f"/agents/assistant/runs?session_id=s&limit={MAX_LIMIT}"))) == DEFAULT_LIMIT + 1


@pytest.mark.parametrize(
    "query", ["limit=0", f"limit={MAX_LIMIT + 1}", "limit=x", "page=0", "page=-1", "page=", "page=1e99"]
)
async def test_a_page_that_is_none_is_a_422(api, query):
    await api.world.run(session_id="s")
    answer = await api.client.get(f"/agents/assistant/runs?session_id=s&{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, query.partition("=")[0])


async def test_a_page_behind_the_last_of_another_components_session_is_empty_and_not_unknown(api):
    await api.world.run(session_id="s")
    await api.client.post("/teams/research-team/runs", json={"message": "hi", "session_id": "s"})
    assert ids(await api.client.get("/teams/research-team/runs?session_id=s&page=2")) == []
    answer = await api.client.get("/workflows/story-workflow/runs?session_id=s&page=2")
    assert answer.status_code == 404


def stored(place, *, content, kind=Kind.AGENT, **run):
    output = RunOutput({"run_id": f"r{place}", "content": content, "input": {"input_content": content}, **run})
    return StoredRun(f"r{place}", kind, "a", RunStatus.COMPLETED, place, output)


@pytest.mark.parametrize(
    ("kind", "letter"), [(Kind.AGENT, "x"), (Kind.TEAM, '"'), (Kind.WORKFLOW, "\0"), (Kind.AGENT, "\U0001f600")]
)
def test_a_page_of_large_runs_fits_into_a_buffered_answer(kind, letter):
    items = run_list((stored(place, content=letter * 40_000, kind=kind) for place in range(MAX_LIMIT)), limit=MAX_LIMIT)

    body = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    assert len(json.dumps({"body": body}, ensure_ascii=False).encode()) < LAMBDAS_LIMIT
    whole = [item for item in items if "truncated" not in item]
    assert len(items) == MAX_LIMIT > len(whole) > 0
    for item in items:
        if item not in whole:
            assert item["whole"] == f"/{kind.plural}/a/runs/{item['run_id']}"
            assert item["content"] == item["run_input"] == letter * 500 + "\u2026"
            assert item.keys() - {"truncated", "whole"} == whole[0].keys()


def test_one_run_that_is_larger_than_an_answer_is_cut_and_the_others_are_whole():
    items = run_list(
        [stored(1, content="x"), stored(2, content={"a": ["x" * 9_000_000]}), stored(3, content="y")], limit=9
    )

    assert [item.get("truncated") for item in items] == [None, True, None]
    assert items[1]["content"].startswith('{"a": ["xxx')


def test_of_what_runs_have_left_one_run_at_a_time_is_taken():
    alive = []

    def runs():
        for place in range(1000):
            alive.append(place)
            yield stored(place, content="x")

    assert len(run_list(runs(), limit=3)) == 3
    assert alive == [0, 1, 2]


def test_the_input_of_a_member_that_sees_the_history_is_a_message():
    messages = [{"role": "user", "content": "hi", "from_history": True}, {"role": "assistant", "content": "hello"}]
    run = {"input": {"input_content": messages}}
    stored = StoredRun("r", Kind.AGENT, "assistant", RunStatus.COMPLETED, 1, RunOutput(run))
    assert run_item(stored)["run_input"] == "hi"
