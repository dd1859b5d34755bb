"""Good tokens, of every algorithm, and what their claims say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.identity.claims import SKEW_SECONDS, ClaimRules
from agentos_lambda.identity.errors import Expired, InvalidToken
from agentos_lambda.identity.principal import PrincipalKind
from agentos_lambda.identity.tokens.keys import UnusableKey, pem_key
from tests.clocks import ManualClock
from tests.identity.tokens import RULES, claims, fixed_key, jwk, keys, public_pem, signed, verifier

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SECRETS = ("HS256", "HS384", "HS512")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, *SECRETS])
def test_a_token_names_its_user_whatever_it_is_signed_with(clock, algorithm):
    for held in ((fixed_key(algorithm),), keys(jwk(algorithm))):
        user = verifier(clock, algorithm, held=held).verify(signed(claims(clock), algorithm))
        assert (user.kind, user.subject, user.scopes.texts) == (PrincipalKind.USER, "alice", ("agents:run",))
        assert user.expires_at == clock.now() // 1000 * 1000 + 3_600_000


def test_both_kinds_of_edwards_keys_are_taken(clock):
    token = signed(claims(clock), "EdDSA", name="ed448")
    assert verifier(clock, "EdDSA", held=keys(jwk("EdDSA", "ed448"))).verify(token).subject == "alice"


def test_a_key_in_one_line_is_taken(clock):
    held = pem_key(public_pem("RS256").replace("\n", "\\n"))
    assert verifier(clock, held=(held,)).verify(signed(claims(clock))).subject == "alice"
    with pytest.raises(UnusableKey):
        pem_key("-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----")


def test_the_token_names_one_of_several_keys_and_one_without_a_name_fits_any(clock):
    held = keys(jwk("RS256"), jwk("RS256", "second"), jwk("ES256", "third"))
    checks = verifier(clock, "RS256", "ES256", held=held)
    for name, algorithm in (("first", "RS256"), ("second", "RS256"), ("third", "ES256")):
        assert checks.verify(signed(claims(clock), algorithm, name=name)).subject == "alice"
    unnamed = signed(claims(clock), name="second").split(".")[1:]
    assert unnamed
    no_name = verifier(clock, held=keys({**jwk("RS256"), "kid": None}))
    assert no_name.verify(signed(claims(clock))).subject == "alice"


@pytest.mark.parametrize("early", ["nbf", "iat"])
def test_clocks_may_be_a_minute_apart(clock, early):
    now, checks = clock.now() // 1000, verifier(clock)
    assert checks.verify(signed(claims(clock, **{early: now + SKEW_SECONDS}))).subject == "alice"
    with pytest.raises(InvalidToken, match=f"not yet valid \\({early}\\)"):
        checks.verify(signed(claims(clock, **{early: now + SKEW_SECONDS + 1})))
    assert checks.verify(signed(claims(clock, exp=now - SKEW_SECONDS + 1))).subject == "alice"
    with pytest.raises(Expired, match="Token has expired"):
        checks.verify(signed(claims(clock, exp=now - SKEW_SECONDS)))


def test_a_token_without_an_expiry_is_taken_only_where_that_is_asked_for(clock):
    token = signed(claims(clock, exp=None))
    with pytest.raises(InvalidToken, match='missing the "exp" claim'):
        verifier(clock).verify(token)
    assert verifier(clock, rules=replace(RULES, expiry_required=False)).verify(token).expires_at is None


@pytest.mark.parametrize("subject", [None, ""])
def test_a_token_may_name_nobody(clock, subject):
    assert verifier(clock).verify(signed(claims(clock) | {"sub": subject})).subject is None


@pytest.mark.parametrize("subject", ["auth0|5f7c", "google-oauth2|1", "a@b.example", "Zoë Ünal", "山田"])
def test_subjects_are_the_issuers_own(clock, subject):
    assert verifier(clock).verify(signed(claims(clock, sub=subject))).subject == subject


@pytest.mark.parametrize(
    ("claimed", "granted"),
    [
        (["agents:run", "teams:read"], ("agents:run", "teams:read")),
        ("agents:run teams:read", ("agents:run", "teams:read")),
        ("agents:run", ("agents:run",)),
        ([], ()),
        (None, ()),
        ({"agents:run": True}, ()),
        (["agents:run", 1, None], ()),
    ],
)
def test_scopes_are_a_list_or_a_text_with_spaces(clock, claimed, granted):
    user = verifier(clock).verify(signed(claims(clock) | {"scopes": claimed}))
    assert user.scopes.texts == granted


def test_scopes_may_stand_in_another_claim_after_the_name_of_an_api(clock):
    rules = replace(RULES, scopes_claim="scope", scope_prefix="agentos/")
    token = signed(claims(clock, scope="agentos/agents:run billing/teams:run openid"))
    assert verifier(clock, rules=rules).verify(token).scopes.texts == ("agents:run",)


def test_without_an_audience_and_an_issuer_the_key_alone_decides(clock):
    user = verifier(clock, rules=ClaimRules()).verify(signed(claims(clock, aud="another", iss="another")))
    assert user.subject == "alice"
