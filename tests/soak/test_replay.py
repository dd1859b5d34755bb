"""The ledger can fail: a log that tells otherwise than the run is noticed, whichever word or event is wrong."""

import asyncio
import gzip
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from boto3.dynamodb.conditions import Key

from tests.local_stack import running_stack
from tests.soak.clients import Client
from tests.soak.ledger import MUST_BE_NONE, Promise, summary
from tests.soak.replay import Frame
from tests.soak.workers import store_variables

Event = tuple[str, str, str | None]
"""Its name, whose it is, its content."""

RUN = "the-run"
MEMBER = "the-member"
TEAM_RUN: dict[str, Any] = {
    "status": "COMPLETED",
    "content": "all is well",
    "member_responses": [{"run_id": MEMBER, "status": "COMPLETED", "content": "a headline"}],
}
TEAM_LOG: tuple[Event, ...] = (
    ("TeamRunStarted", RUN, None),
    ("RunContent", MEMBER, "a "),
    ("RunContent", MEMBER, "headline"),
    ("RunCompleted", MEMBER, "a headline"),
    ("TeamRunContent", RUN, "all "),
    ("TeamRunContent", RUN, "is "),
    ("TeamRunContent", RUN, "well"),
    ("TeamRunCompleted", RUN, "all is well"),
)


def frames(*events: Event) -> list[Frame]:
    return [
        Frame(index, {"event": name, "run_id": run_id, "content": content})
        for index, (name, run_id, content) in enumerate(events)
    ]


def differs(run: dict[str, Any], log: list[Frame], path: str = "/teams/newsroom/runs") -> list[str]:
    promise = Promise(path, RUN, found=run, replayed=log)
    assert promise.wrong == bool(promise.log_differs)
    assert summary([promise])["log differs from the run"] == bool(promise.log_differs)
    return promise.log_differs


def test_a_log_that_tells_what_the_run_says_is_right() -> None:
    assert differs(TEAM_RUN, frames(*TEAM_LOG)) == []


@pytest.mark.parametrize("place", range(len(TEAM_LOG)))
def test_every_event_that_is_missing_is_noticed(place: int) -> None:
    log = frames(*TEAM_LOG)
    assert differs(TEAM_RUN, log[:place] + log[place + 1 :])


DURABLE = "/agents/durable-assistant/runs"


def after_a_death(first: list[str], then: list[str], text: str = "one two three") -> list[str]:
    """What differs in the log of an agent whose first executor said this, and the next one that."""
    said = [("RunContent", RUN, word) for word in first]
    died = frames(("RunStarted", RUN, None), *said)
    rest = frames(*(("RunContent", RUN, word) for word in then), ("RunCompleted", RUN, text))
    log = [*died, *(Frame(len(died) + 10_000 + frame.index, frame.event) for frame in rest)]
    return differs({"status": "COMPLETED", "content": text}, log, DURABLE)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([], ["one ", "two ", "three"]),
        (["one ", "two "], ["one ", "two ", "three"]),
        (["one ", "two "], ["two ", "three"]),
        (["one ", "two "], ["three"]),
    ],
)
def test_a_durable_run_may_tell_again_what_came_after_its_last_checkpoint(first: list[str], then: list[str]) -> None:
    assert after_a_death(first, then) == []


@pytest.mark.parametrize(
    ("first", "then"),
    [(["one "], ["three"]), (["one ", "two "], ["one ", "three"]), (["one ", "four "], ["one ", "two ", "three"])],
)
def test_a_word_that_is_lost_with_an_executor_is_noticed(first: list[str], then: list[str]) -> None:
    assert after_a_death(first, then)


@pytest.mark.parametrize("place", [1, 2, 4, 5, 6])
def test_a_word_that_is_missing_is_noticed_though_the_indexes_are_whole(place: int) -> None:
    assert differs(TEAM_RUN, frames(*TEAM_LOG[:place], *TEAM_LOG[place + 1 :]))


@pytest.mark.parametrize("place", [1, 2, 4, 5, 6])
def test_a_word_that_is_emptied_or_repeated_is_noticed(place: int) -> None:
    name, run_id, word = TEAM_LOG[place]
    for content in ("", f"{word}{word}", "other"):
        assert differs(TEAM_RUN, frames(*TEAM_LOG[:place], (name, run_id, content), *TEAM_LOG[place + 1 :]))


@pytest.mark.parametrize("status", ["ERROR", "CANCELLED"])
def test_an_end_of_another_status_is_noticed(status: str) -> None:
    assert f"the log ends as COMPLETED, the run is {status}" in differs(
        {**TEAM_RUN, "status": status}, frames(*TEAM_LOG)
    )


def test_an_end_with_another_text_and_events_after_the_end_are_noticed() -> None:
    assert differs(TEAM_RUN, frames(*TEAM_LOG[:-1], ("TeamRunCompleted", RUN, "all is")))
    assert differs(TEAM_RUN, frames(*TEAM_LOG, ("TeamRunContent", RUN, "")))


def test_the_words_of_a_cancelled_run_may_lack_the_one_that_was_under_way() -> None:
    def log(*words: str) -> list[Frame]:
        text = "all is not well"
        ends = (("RunCancelled", RUN, text), ("RunCompleted", RUN, text))
        return frames(("RunStarted", RUN, None), *(("RunContent", RUN, word) for word in words), *ends)

    run = {"status": "CANCELLED", "content": "all is not well"}
    for words in (["all ", "is ", "not ", "well"], ["all ", "is ", "not "]):
        assert differs(run, log(*words), "/agents/assistant/runs") == []
    for words in (["all ", "is "], ["all ", "not ", "well"], []):
        assert differs(run, log(*words), "/agents/assistant/runs")


def test_a_cancel_that_was_acknowledged_may_end_as_error_only_if_the_component_fails() -> None:
    def overwritten(status: str, *, fails: bool) -> bool:
        found = {"status": status, "content": ""}
        return Promise("/agents/a/runs", RUN, cancel_acknowledged=True, told_to_fail=fails, found=found).overwritten

    assert [overwritten(status, fails=False) for status in ("CANCELLED", "ERROR", "COMPLETED")] == [False, True, True]
    assert [overwritten(status, fails=True) for status in ("CANCELLED", "ERROR", "COMPLETED")] == [False, False, True]


def test_an_answer_that_is_not_the_text_of_the_run_is_noticed() -> None:
    promise = Promise("/agents/a/runs", RUN, logged=False, answer="all is", found={**TEAM_RUN})
    assert promise.overwritten


@pytest.mark.sample
def test_a_word_that_is_taken_out_of_a_real_log_is_noticed_though_nobody_watched_the_run(tmp_path: Path) -> None:
    with running_stack(tmp_path / "state") as stack:

        async def ledger(*, take_out: bool) -> dict[str, int]:
            async with httpx.AsyncClient(base_url=stack.url, timeout=60) as http:
                client = Client(http, random.Random(1))  # noqa: S311 - no secret
                form = {"message": "one two three", "background": "true", "stream": "false"}
                run_id = (await http.post("/agents/assistant/runs", data=form)).json()["run_id"]
                promise = Promise("/agents/assistant/runs", run_id)
                await client.wait_for(promise)
                if take_out:
                    _take_out(store_variables(stack), run_id, "two")
                await client.look_back(promise)
                return summary([promise])

        whole = asyncio.run(ledger(take_out=False))
        assert {name: whole[name] for name in MUST_BE_NONE} == dict.fromkeys(MUST_BE_NONE, 0)
        assert asyncio.run(ledger(take_out=True))["log differs from the run"] == 1


def _take_out(variables: Mapping[str, str], run_id: str, word: str) -> None:
    """Empty the one event of the stored log that is this word."""
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=variables["AWS_REGION"]
    )
    database = session.resource("dynamodb", endpoint_url=variables["AWS_ENDPOINT_URL"])
    table = database.Table(variables["EVENTS_TABLE"])
    taken = 0
    packs: list[dict[str, Any]] = table.query(KeyConditionExpression=Key("run_id").eq(run_id))["Items"]
    for pack in packs:
        events = json.loads(gzip.decompress(pack["events"].value))
        for event in events:
            if event["event"] == "RunContent" and event["content"].strip() == word:
                event["content"] = ""
                taken += 1
        table.put_item(Item={**pack, "events": gzip.compress(json.dumps(events).encode())})
    database.meta.client.close()
    assert taken == 1
