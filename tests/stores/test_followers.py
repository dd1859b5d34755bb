"""What every store of followers guarantees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.stores.dynamodb.followers import DynamoDBFollowers
from agentos_lambda.stores.memory import MemoryFollowers
from agentos_lambda.websocket.ports import AlreadyFollows, Follower, FollowerStore, Form
from tests.stores.accounts import Aws
from tests.stores.builders import NOW, running

FIRST = Follower("run-1", "c-1", "token-1", 0, Form.SSE)
HELD = replace(FIRST, form=Form.FLAT, held_until=NOW + 1000)
LATER = replace(FIRST, token="token-2", next_index=7)


@pytest.fixture
def followers(backing: Aws | None) -> FollowerStore:
    if backing is None:
        return MemoryFollowers()
    return DynamoDBFollowers(backing.table("Runs"))


def test_the_followers_of_a_run_are_those_of_no_other(followers):
    second, other = replace(FIRST, connection_id="c-2"), replace(FIRST, run_id="run-2")
    for follower in (FIRST, second, other):
        followers.put(follower, now=NOW)
    assert followers.of_run("run-1") == [FIRST, second]
    assert followers.of_run("run-3") == []


def test_more_followers_than_one_answer_holds_are_all_found(ministack_aws):
    store = DynamoDBFollowers(ministack_aws.table("Runs"))
    tokens = {f"{place:04d}" + "x" * 20_000 for place in range(60)}
    for token in tokens:
        store.put(replace(FIRST, connection_id=token[:4], token=token), now=NOW)
    assert {follower.token for follower in store.of_run("run-1")} == tokens


def test_followers_and_the_record_of_their_run_do_not_mix(ministack_aws):
    store = DynamoDBFollowers(ministack_aws.table("Runs"))
    record = ministack_aws.store().accept(running())
    store.put(FIRST, now=NOW)
    assert store.of_run("run-1") == [FIRST]
    assert ministack_aws.store().get("run-1") == record


def test_a_connection_follows_a_run_once(followers):
    followers.put(FIRST, now=NOW)
    with pytest.raises(AlreadyFollows):
        followers.put(LATER, now=NOW)
    followers.put(FIRST, now=NOW)
    assert followers.of_run("run-1") == [FIRST]


def test_a_hold_protects_until_it_is_over(followers):
    followers.put(HELD, now=NOW)
    with pytest.raises(AlreadyFollows):
        followers.put(LATER, now=NOW + 999)
    followers.put(LATER, now=NOW + 1000)
    assert followers.release(HELD, next_index=9) is None
    assert followers.of_run("run-1") == [LATER]


def test_a_follower_that_an_attempt_has_left_makes_way_once_that_has_ended(followers):
    followers.put(FIRST, now=NOW)
    with pytest.raises(AlreadyFollows):
        followers.put(LATER, now=NOW, left_by=2)
    followers.take(FIRST, attempt=3)
    with pytest.raises(AlreadyFollows):
        followers.put(LATER, now=NOW, left_by=2)
    followers.put(LATER, now=NOW, left_by=3)
    assert followers.of_run("run-1") == [LATER]


def test_a_released_follower_goes_on_where_it_was_told_to(followers):
    followers.put(HELD, now=NOW)
    released = followers.release(HELD, next_index=9)
    assert released == replace(HELD, next_index=9, held_until=None)
    assert followers.of_run("run-1") == [released]
    with pytest.raises(AlreadyFollows):
        followers.put(LATER, now=NOW + 60_000)


def test_a_follower_remembers_who_took_it_on(followers):
    followers.put(FIRST, now=NOW)
    assert followers.take(FIRST, attempt=3)
    assert followers.of_run("run-1") == [replace(FIRST, attempt=3)]
    assert followers.take(FIRST, attempt=4)


def test_an_executor_that_hands_over_late_takes_a_follower_from_nobody_and_never_sends_it_back(followers):
    followers.put(FIRST, now=NOW)
    followers.take(FIRST, attempt=3)
    followers.take(FIRST, attempt=4)
    assert followers.release(FIRST, next_index=5, attempt=3) is None
    assert not followers.take(FIRST, attempt=3)
    assert followers.release(FIRST, next_index=9, attempt=4) == replace(FIRST, next_index=9)
    assert followers.release(FIRST, next_index=5, attempt=4) is None
    assert followers.of_run("run-1") == [replace(FIRST, next_index=9)]


def test_a_handler_that_releases_late_takes_a_follower_from_no_executor(followers):
    followers.put(HELD, now=NOW)
    followers.release(HELD, next_index=5)
    followers.take(HELD, attempt=1)
    assert followers.release(HELD, next_index=5) is None
    assert followers.of_run("run-1") == [replace(HELD, next_index=5, held_until=None, attempt=1)]


def test_one_of_two_removes_a_follower(followers):
    followers.put(FIRST, now=NOW)
    assert [followers.remove(FIRST), followers.remove(FIRST)] == [True, False]
    assert followers.of_run("run-1") == []


def test_nobody_ends_or_takes_a_later_following_by_an_earlier_one(followers):
    followers.put(FIRST, now=NOW)
    followers.remove(FIRST)
    followers.put(LATER, now=NOW)
    assert not followers.remove(FIRST)
    assert not followers.take(FIRST, attempt=1)
    assert followers.of_run("run-1") == [LATER]


def test_a_follower_that_was_taken_or_released_is_still_removed_by_who_put_it(followers):
    followers.put(HELD, now=NOW)
    followers.release(HELD, next_index=1)
    followers.take(HELD, attempt=1)
    assert followers.remove(HELD)


def test_a_closed_connection_is_dropped_whatever_it_followed_by(followers):
    followers.put(HELD, now=NOW)
    followers.drop("run-1", "c-1")
    followers.drop("run-1", "c-1")
    assert followers.of_run("run-1") == []


def test_what_is_left_of_a_follower_expires(ministack_aws):
    DynamoDBFollowers(ministack_aws.table("Runs")).put(FIRST, now=NOW)
    key = {"run_id": {"S": "run-1"}, "item": {"S": "FOLLOWER#c-1"}}
    item = ministack_aws.dynamodb.get_item(TableName="Runs", Key=key)["Item"]
    assert int(item["expires_at"]["N"]) == (NOW + 7_200_000) // 1000


@pytest.mark.parametrize("until", [NOW + 60_000, None])
def test_a_follower_is_told_for_longer_when_its_client_has_shown_a_new_token(followers, until):
    followers.put(replace(FIRST, until=NOW + 1_000), now=NOW)
    followers.extend("run-1", "c-1", until=until)
    assert followers.of_run("run-1") == [replace(FIRST, until=until)]


def test_nothing_brings_back_a_follower_that_is_gone(followers):
    followers.extend("run-1", "c-1", until=NOW)
    assert followers.of_run("run-1") == []
