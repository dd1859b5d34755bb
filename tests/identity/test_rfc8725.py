"""Attacks on tokens. Each test is named after the section of RFC 8725, the best current practice, that is about it."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib

import pytest

from agentos_lambda.identity.claims import ClaimRules
from agentos_lambda.identity.errors import Expired, InvalidToken, Unauthorized, WrongAudience, WrongSubject
from agentos_lambda.identity.tokens.keys import UnusableKey, fitting, key_set, pem_key, secret_key
from agentos_lambda.identity.tokens.verifier import MAX_TOKEN_LENGTH, allowed_algorithms
from tests.clocks import ManualClock
from tests.identity.tokens import (
    AUDIENCE,
    ISSUER,
    SECRET,
    claims,
    fixed_key,
    jwk,
    keys,
    private_key,
    public_pem,
    segment,
    signed,
    verifier,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def forged(header, payload, signature: bytes = b"") -> str:
    return ".".join((segment(header), segment(payload), segment(signature)))


def hmac_token(payload, secret: bytes, header=None) -> str:
    body = f"{segment({'alg': 'HS256', 'typ': 'JWT', **(header or {})})}.{segment(payload)}"
    return f"{body}.{segment(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def test_2_1_a_public_key_is_not_taken_for_a_secret(clock):
    token = hmac_token(claims(clock), public_pem("RS256").encode(), {"kid": "first"})
    for held in ((fixed_key("RS256"),), keys(jwk("RS256"))):
        with pytest.raises(InvalidToken, match="alg value is not allowed"):
            verifier(clock, held=held).verify(token)
    with pytest.raises(UnusableKey, match="public key is not a secret"):
        secret_key(public_pem("RS256"))
    with pytest.raises(UnusableKey, match="cannot be allowed together"):
        allowed_algorithms(["RS256", "HS256"])


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 1, ["RS256"]])
def test_2_1_a_token_without_a_signature_is_refused_however_it_spells_that(clock, algorithm):
    for signature in (b"", b"x"):
        with pytest.raises(InvalidToken):
            verifier(clock).verify(forged({"alg": algorithm, "typ": "JWT"}, claims(clock), signature))


def test_3_1_the_algorithm_is_that_of_the_configuration_even_where_the_key_fits_another(clock):
    with pytest.raises(InvalidToken, match="alg value is not allowed"):
        verifier(clock, "RS256").verify(signed(claims(clock), "PS256"))
    with pytest.raises(InvalidToken, match="alg value is not allowed"):
        verifier(clock, "RS256").verify(signed(claims(clock), "RS512"))


def test_3_1_a_key_is_used_with_its_own_algorithm_only(clock):
    held = keys(jwk("PS256", alg="PS256"), jwk("ES256", "second"))
    checks = verifier(clock, "RS256", "PS256", "ES384", "ES256", held=held)
    assert checks.verify(signed(claims(clock), "PS256")).subject == "alice"
    assert checks.verify(signed(claims(clock), "ES256", name="second")).subject == "alice"
    for algorithm, name in (("RS256", "first"), ("ES384", "second")):
        with pytest.raises(InvalidToken, match="Signature verification failed"):
            checks.verify(signed(claims(clock), algorithm, name=name))


@pytest.mark.parametrize("name", ["none", "RS1", "ES256K", "dir", "rs256", ""])
def test_3_2_no_weak_or_unknown_algorithm_can_be_configured(name):
    with pytest.raises(UnusableKey):
        allowed_algorithms([name])
    with pytest.raises(UnusableKey):
        allowed_algorithms([])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_3_3_every_part_of_the_token_is_under_the_signature(clock, place):
    parts, other = (signed(claims(clock, sub=sub), x=sub).split(".") for sub in ("alice", "bob"))
    parts[place] = other[place]
    with pytest.raises(InvalidToken):
        verifier(clock).verify(".".join(parts))


def test_3_3_an_inner_token_is_no_credential(clock):
    inner = signed(claims(clock))
    nested = signed(inner.encode(), cty="JWT")
    with pytest.raises(InvalidToken, match="Invalid payload"):
        verifier(clock).verify(nested)


@pytest.mark.parametrize(
    "broken",
    [
        {"x": segment(b"\x01" * 32), "y": segment(b"\x02" * 32)},
        {"x": segment(b"\x00" * 32), "y": segment(b"\x00" * 32)},
        {"crv": "P-999"},
        {"x": "!"},
        {"y": None},
    ],
    ids=["not on the curve", "zero", "unknown curve", "not base64", "missing"],
)
def test_3_4_a_point_that_is_not_on_its_curve_is_no_key(broken):
    assert keys({**jwk("ES256"), **broken}) == ()


def test_3_5_short_keys_are_refused():
    with pytest.raises(UnusableKey):
        fitting(private_key("RS256", "short").public_key())
    with pytest.raises(UnusableKey):
        pem_key(public_pem("RS256", "short"))
    with pytest.raises(UnusableKey, match="32 bytes"):
        secret_key("x" * 31)
    assert secret_key("x" * 32).algorithms == {"HS256"}
    assert secret_key("x" * 64).algorithms == {"HS256", "HS384", "HS512"}
    assert keys({"kty": "oct", "kid": "weak", "k": segment(b"x" * 31)}) == ()


def test_3_6_an_encrypted_token_which_may_be_compressed_is_refused(clock):
    body = zlib.compress(b"0" * 1_000_000)
    with pytest.raises(InvalidToken, match="Too many segments"):
        verifier(clock).verify(
            ".".join([segment({"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"}), *[segment(body)] * 4])
        )


def test_3_6_a_token_of_any_size_costs_nothing(clock):
    with pytest.raises(InvalidToken, match="too long"):
        verifier(clock).verify(signed(claims(clock, padding="x" * MAX_TOKEN_LENGTH)))


@pytest.mark.parametrize("payload", [b'{"sub": "\xff"}', '{"sub": "a"}'.encode("utf-16"), b'"\\ud800"', b"[1]", b"1"])
def test_3_7_claims_are_an_object_in_utf_8_and_nothing_else(clock, payload):
    token = signed(payload)
    with pytest.raises(InvalidToken, match="Invalid payload string"):
        verifier(clock).verify(token)


@pytest.mark.parametrize("issuer", ["https://other.example", f"{ISSUER}/", ISSUER.upper(), "", 1, [ISSUER], None])
def test_3_8_a_token_of_another_issuer_is_refused_although_the_key_fits(clock, issuer):
    with pytest.raises(InvalidToken, match="iss"):
        verifier(clock).verify(signed(claims(clock, iss=None) | ({} if issuer is None else {"iss": issuer})))


@pytest.mark.parametrize(
    "subject", ["sa:ci-bot", "default", "__scheduler__", "__oauth__:client", "x" * 257, "a\nb", "a\x00"]
)
def test_3_8_a_subject_that_this_server_gives_out_itself_is_refused(clock, subject):
    with pytest.raises(WrongSubject):
        verifier(clock).verify(signed(claims(clock, sub=subject)))


@pytest.mark.parametrize("subject", [1, ["alice"], {"id": "alice"}, True])
def test_3_8_a_subject_is_a_text(clock, subject):
    token = signed(claims(clock) | {"sub": subject})
    with pytest.raises(InvalidToken):
        verifier(clock).verify(token)


@pytest.mark.parametrize(
    "audience", ["another", ["another", "third"], "", [], AUDIENCE.upper(), 1, {AUDIENCE: 1}, None]
)
def test_3_9_a_token_for_somebody_else_is_refused(clock, audience):
    payload = claims(clock, aud=None) | ({} if audience is None else {"aud": audience})
    with pytest.raises((WrongAudience, InvalidToken)):
        verifier(clock).verify(signed(payload))


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["another", AUDIENCE]])
def test_3_9_one_of_several_audiences_is_enough(clock, audience):
    assert verifier(clock).verify(signed(claims(clock, aud=audience))).subject == "alice"


@pytest.mark.parametrize(
    "headers",
    [
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/key"},
        {"kid": "../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": "second"},
    ],
)
def test_3_10_a_header_leads_to_no_key_of_the_attacker(clock, headers):
    attackers = jwk("RS256", "second")
    for held in ((fixed_key("RS256"),), keys(jwk("RS256"))):
        token = signed(claims(clock), name="second", **{"jwk": attackers, **headers})
        with pytest.raises(InvalidToken, match="Signature verification failed"):
            verifier(clock, held=held).verify(token)


@pytest.mark.parametrize(
    "headers",
    [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"crit": ["\ud800" + "x" * 9_000]}],
)
def test_3_10_extensions_that_are_not_understood_are_refused(clock, headers):
    body = f"{segment({'alg': 'HS256', 'typ': 'JWT', **headers})}.{segment(claims(clock))}"
    token = f"{body}.{segment(hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest())}"
    with pytest.raises(InvalidToken) as refused:
        verifier(clock, "HS256").verify(token)
    assert len(str(refused.value).encode()) < 300


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", "at", ""])
def test_3_11_a_token_for_another_purpose_is_refused(clock, kind):
    with pytest.raises(InvalidToken, match="another purpose"):
        verifier(clock, "HS256").verify(hmac_token(claims(clock), SECRET.encode(), {"typ": kind}))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_3_11_a_token_for_access_is_taken(clock, kind):
    assert verifier(clock, "HS256").verify(hmac_token(claims(clock), SECRET.encode(), {"typ": kind})).subject == "alice"


def test_3_12_an_access_token_and_an_id_token_of_one_issuer_are_told_apart_by_their_audience(clock):
    rules = ClaimRules(ISSUER, frozenset({"client"}), audience_claim="client_id")
    access, identity = claims(clock, aud=None, client_id="client"), claims(clock, aud="client")
    assert verifier(clock, rules=rules).verify(signed(access)).subject == "alice"
    with pytest.raises(InvalidToken, match='missing the "client_id" claim'):
        verifier(clock, rules=rules).verify(signed(identity))


def test_what_is_no_token_is_refused_in_words_and_never_trips(clock):
    for text in ("", ".", "..", "...", "a.b.c", "\ud800.b.c", "é.è.ü", "{}.{}.{}", "=.=.=", "\x00" * 10, "a" * 20_000):
        with pytest.raises(Unauthorized):
            verifier(clock).verify(text)


def test_a_set_of_keys_is_bounded():
    assert len(key_set({"keys": [jwk("ES256")] * 100})) == 64
    for document in (None, [], {}, {"keys": {}}, "keys"):
        with pytest.raises(UnusableKey):
            key_set(document)
    assert key_set({"keys": [None, 1, {}, {"kty": "RSA"}, {"kty": "x"}]}) == ()


@pytest.mark.parametrize("unfit", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"d": "AQAB"}, {"alg": "RSA-OAEP"}])
def test_a_key_for_something_else_verifies_nothing(clock, unfit):
    held = keys(jwk("RS256", **unfit), jwk("RS256", "second"))
    with pytest.raises(InvalidToken):
        verifier(clock, held=held).verify(signed(claims(clock)))


def test_expiry_is_not_stretched_by_another_type(clock):
    for expiry in ("9999999999", True, [9999999999]):
        with pytest.raises(InvalidToken):
            verifier(clock).verify(signed(claims(clock) | {"exp": expiry}))
    with pytest.raises(InvalidToken):
        verifier(clock).verify(signed(claims(clock)).replace(".", ".e30.", 1))
    with pytest.raises(Expired):
        verifier(clock).verify(signed(claims(clock) | {"exp": -(10**30)}))
    for expiry in (1e300, 10**40):
        assert len(str(verifier(clock).verify(signed(claims(clock) | {"exp": expiry})).expires_at)) == 15


def test_of_a_claim_that_comes_twice_the_last_one_counts_as_rfc_7519_section_4_has_it(clock):
    payload = json.dumps(claims(clock)).removesuffix("}") + ', "sub": "bob", "scopes": []}'
    principal = verifier(clock).verify(signed(payload.encode()))
    assert (principal.subject, principal.scopes.texts) == ("bob", ())
