"""A token that is sent again is not verified again, as long as it and the keys count."""

from __future__ import annotations

import pytest

from agentos_lambda.identity.errors import Expired, InvalidToken, KeysUnavailable
from agentos_lambda.identity.principal import Principal
from agentos_lambda.identity.tokens.issuer import FRESHNESS
from agentos_lambda.identity.tokens.verified import MAX_TOKENS, VerifiedTokens
from agentos_lambda.identity.tokens.verifier import FixedKeys
from tests.clocks import ManualClock
from tests.identity.test_issuer import Issuer
from tests.identity.tokens import claims, jwk, signed, verifier

HOUR = 3_600_000


class Counting:
    def __init__(self, tokens) -> None:
        self.tokens = tokens
        self.asked = 0

    def verify(self, token: str) -> Principal:
        self.asked += 1
        return self.tokens.verify(token)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def counting(clock: ManualClock) -> Counting:
    return Counting(verifier(clock, "HS256"))


@pytest.fixture
def remembering(clock, counting) -> VerifiedTokens:
    return VerifiedTokens(counting, FixedKeys(()), clock)


def test_a_token_is_verified_once_by_keys_that_stay(clock, counting, remembering):
    token = signed(claims(clock), "HS256")
    assert {remembering.verify(token).subject for _ in range(5)} == {"alice"}
    clock.advance(HOUR)
    assert remembering.verify(token).subject == "alice"
    assert counting.asked == 1


def test_a_token_is_verified_again_by_keys_that_were_read_again_and_not_by_a_withdrawn_one():
    issuer = Issuer()
    counting = Counting(issuer.verifier)
    tokens, token = VerifiedTokens(counting, issuer.source, issuer.clock), signed(claims(issuer.clock))
    tokens.verify(token)
    issuer.clock.advance(FRESHNESS.fresh_ms - 1)
    tokens.verify(token)
    assert counting.asked == 1
    issuer.clock.advance(1)
    tokens.verify(token)
    assert counting.asked == 2
    issuer.published[:] = [jwk("RS256", "second")]
    issuer.clock.advance(FRESHNESS.fresh_ms)
    with pytest.raises(InvalidToken):
        tokens.verify(token)


def test_a_remembered_token_counts_no_longer_than_the_keys_of_an_issuer_that_is_gone():
    issuer = Issuer()
    tokens = VerifiedTokens(issuer.verifier, issuer.source, issuer.clock)
    token = signed(claims(issuer.clock, exp=issuer.clock.now() // 1000 + 2 * HOUR // 1000))
    tokens.verify(token)
    issuer.up = False
    issuer.clock.advance(FRESHNESS.max_age_ms)
    with pytest.raises(KeysUnavailable):
        tokens.verify(token)


def test_each_token_is_itself(clock, remembering):
    tokens = remembering
    alice, bob = (signed(claims(clock, sub=name), "HS256") for name in ("alice", "bob"))
    assert [tokens.verify(each).subject for each in (alice, bob, alice)] == ["alice", "bob", "alice"]
    for changed in (alice[:-2], alice + "x", alice.replace(".", "..", 1), "\ud800"):
        with pytest.raises(InvalidToken):
            tokens.verify(changed)


def test_a_remembered_token_expires_when_it_says(clock, remembering):
    tokens, token = remembering, signed(claims(clock, exp=clock.now() // 1000 + 10), "HS256")
    tokens.verify(token)
    clock.advance(50_000)
    assert tokens.verify(token).subject == "alice"
    tokens.verify(signed(claims(clock), "HS256"))
    clock.advance(20_000)
    with pytest.raises(Expired):
        tokens.verify(token)


def test_a_remembered_token_expires_although_its_keys_still_count(clock, counting, remembering):
    tokens, token = remembering, signed(claims(clock, exp=clock.now() // 1000 - 30), "HS256")
    tokens.verify(token)
    clock.advance(30_000)
    with pytest.raises(Expired):
        tokens.verify(token)
    assert counting.asked == 1


def test_the_memory_is_bounded(clock, remembering):
    for number in range(MAX_TOKENS + 10):
        remembering.verify(signed(claims(clock, sub=str(number)), "HS256"))
    assert len(remembering._verified) == MAX_TOKENS
