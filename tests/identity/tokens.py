"""An issuer of the tests' own: keys of every kind, and tokens that it signs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agentos_lambda.identity.claims import ClaimRules
from agentos_lambda.identity.tokens.keys import Key, key_set, pem_key, secret_key
from agentos_lambda.identity.tokens.verifier import FixedKeys, TokenVerifier, allowed_algorithms
from tests.clocks import ManualClock

ISSUER = "https://issuer.example"
AUDIENCE = "agentos"
SECRET = "a secret of at least sixty-four bytes, as the longest hash of HMAC wants it to be"
RULES = ClaimRules(ISSUER, frozenset({AUDIENCE}))
_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@cache
def private_key(algorithm: str, name: str = "first") -> Any:
    """The issuer's key for this algorithm: an object of cryptography, or a secret. ``name`` tells several apart."""
    if algorithm.startswith("HS"):
        return SECRET
    if algorithm.startswith("ES"):
        return ec.generate_private_key(_CURVES[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate() if name != "ed448" else ed448.Ed448PrivateKey.generate()
    return _rsa(name)


@cache
def _rsa(name: str) -> Any:
    return rsa.generate_private_key(65537, 1024 if name == "short" else 2048)


def public_pem(algorithm: str, name: str = "first") -> str:
    public = private_key(algorithm, name).public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def jwk(algorithm: str, name: str = "first", **fields: Any) -> dict[str, Any]:
    """The public key as the issuer publishes it, named ``name``."""
    family = jwt.get_algorithm_by_name(algorithm)
    material = private_key(algorithm, name)
    public = material.encode() if isinstance(material, str) else material.public_key()
    published = json.loads(family.to_jwk(public))
    published.pop("key_ops", None)
    return {**published, "kid": name, "use": "sig", **fields}


def keys(*published: Mapping[str, Any]) -> tuple[Key, ...]:
    return key_set({"keys": list(published)})


def claims(clock: ManualClock, **changed: Any) -> dict[str, Any]:
    """The claims of a good token, without those that are None."""
    now = clock.now() // 1000
    given = {"sub": "alice", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600, "scopes": ["agents:run"]}
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def signed(payload: Any, algorithm: str = "RS256", *, name: str = "first", **headers: Any) -> str:
    """A token: whatever the payload is, bytes as they are."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    key = private_key(algorithm, name)
    return jwt.PyJWS().encode(raw, key, algorithm, headers={"kid": name, "typ": "JWT", **headers})


def fixed_key(algorithm: str, name: str = "first") -> Key:
    return secret_key(SECRET) if algorithm.startswith("HS") else pem_key(public_pem(algorithm, name))


def verifier(
    clock: ManualClock, *algorithms: str, held: tuple[Key, ...] | None = None, rules: ClaimRules = RULES
) -> TokenVerifier:
    """One that holds a fixed key of the issuer, for the first of these algorithms."""
    names = algorithms or ("RS256",)
    return TokenVerifier(FixedKeys(held or (fixed_key(names[0]),)), allowed_algorithms(names), rules, clock)


def segment(value: Any) -> str:
    """One part of a token: bytes as they are, text as it is, anything else as JSON."""
    raw = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
