"""A token that is sent again is not verified again, for a minute."""

from __future__ import annotations

import pytest

from agentos_lambda.identity.errors import Expired, InvalidToken
from agentos_lambda.identity.principal import Principal
from agentos_lambda.identity.tokens.verified import COUNTS_MS, MAX_TOKENS, VerifiedTokens
from tests.clocks import ManualClock
from tests.identity.tokens import claims, signed, verifier


class Counting:
    def __init__(self, clock: ManualClock) -> None:
        self.tokens = verifier(clock, "HS256")
        self.asked = 0

    def verify(self, token: str) -> Principal:
        self.asked += 1
        return self.tokens.verify(token)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def counting(clock: ManualClock) -> Counting:
    return Counting(clock)


def test_a_token_is_verified_once_a_minute(clock, counting):
    tokens, token = VerifiedTokens(counting, clock), signed(claims(clock), "HS256")
    assert {tokens.verify(token).subject for _ in range(5)} == {"alice"}
    clock.advance(COUNTS_MS - 1)
    tokens.verify(token)
    assert counting.asked == 1
    clock.advance(1)
    tokens.verify(token)
    assert counting.asked == 2


def test_each_token_is_itself(clock, counting):
    tokens = VerifiedTokens(counting, clock)
    alice, bob = (signed(claims(clock, sub=name), "HS256") for name in ("alice", "bob"))
    assert [tokens.verify(each).subject for each in (alice, bob, alice)] == ["alice", "bob", "alice"]
    for changed in (alice[:-2], alice + "x", alice.replace(".", "..", 1), "\ud800"):
        with pytest.raises(InvalidToken):
            tokens.verify(changed)


def test_a_remembered_token_expires_when_it_says(clock, counting):
    tokens, token = VerifiedTokens(counting, clock), signed(claims(clock, exp=clock.now() // 1000 + 10), "HS256")
    tokens.verify(token)
    clock.advance(50_000)
    assert tokens.verify(token).subject == "alice"
    tokens.verify(signed(claims(clock), "HS256"))
    clock.advance(20_000)
    with pytest.raises(Expired):
        tokens.verify(token)


def test_a_remembered_token_expires_although_its_minute_is_not_over(clock, counting):
    tokens, token = VerifiedTokens(counting, clock), signed(claims(clock, exp=clock.now() // 1000 - 30), "HS256")
    tokens.verify(token)
    clock.advance(30_000)
    with pytest.raises(Expired):
        tokens.verify(token)
    assert counting.asked == 1


def test_the_memory_is_bounded(clock, counting):
    tokens = VerifiedTokens(counting, clock)
    for number in range(MAX_TOKENS + 10):
        tokens.verify(signed(claims(clock, sub=str(number)), "HS256"))
    assert len(tokens._verified) == MAX_TOKENS
