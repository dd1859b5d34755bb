"""Public keys and secrets that tokens are verified with, and the algorithms that fit them.

RFC 7517 (JWK), RFC 7518 (sizes of keys), RFC 8725 3.1, 3.4 and 3.5.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.exceptions import PyJWTError

log = logging.getLogger(__name__)

RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
SECRET_BYTES: Mapping[str, int] = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The smallest secret of each algorithm (RFC 7518 3.2)."""
CURVES: Mapping[str, str] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
EDWARDS = "EdDSA"
ALGORITHMS = RSA | frozenset(CURVES.values()) | {EDWARDS} | frozenset(SECRET_BYTES)

MIN_RSA_BITS = 2048

MAX_KEYS = 64
"""Of a set: more are not looked at."""


class UnusableKey(ValueError):
    """This is no key that a token may be verified with."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the algorithms that it may be used with."""

    material: Any
    """cryptography's public key; the bytes of a secret."""
    algorithms: frozenset[str]
    kid: str | None = None


def pem_key(text: str) -> Key:
    """A public key in PEM. Line breaks may be written as backslash and n. Raises ``UnusableKey``."""
    try:
        material = load_pem_public_key(text.strip().replace("\\n", "\n").encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey("this is not a public key in PEM") from error
    return Key(material, fitting(material))


def secret_key(secret: str) -> Key:
    """A secret that both sides know. Raises ``UnusableKey`` if it is short, or a key of another kind."""
    if "-----BEGIN " in secret or secret.startswith("ssh-"):
        raise UnusableKey("a public key is not a secret")
    material = secret.encode()
    return Key(material, _fitting_secret(material))


def key_set(document: Any) -> tuple[Key, ...]:
    """The usable keys of a JWK Set; keys for other purposes are left out. Raises ``UnusableKey`` if it is not a set."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise UnusableKey("this is not a JWK Set")
    return tuple(_usable(keys[:MAX_KEYS]))


def select(keys: Iterable[Key], kid: str | None, algorithm: str) -> Sequence[Key]:
    """The keys that may have signed a token with this header: the one that it names, or one without a name."""
    fit = [key for key in keys if algorithm in key.algorithms]
    named = [key for key in fit if kid is not None and key.kid == kid]
    return named or [key for key in fit if kid is None or key.kid is None]


def fitting(material: Any) -> frozenset[str]:
    """The algorithms of a public key. Raises ``UnusableKey`` for a private, weak or unusual one."""
    if isinstance(material, RSAPublicKey) and material.key_size >= MIN_RSA_BITS:
        return RSA
    if isinstance(material, EllipticCurvePublicKey) and material.curve.name in CURVES:
        return frozenset({CURVES[material.curve.name]})
    if isinstance(material, Ed25519PublicKey | Ed448PublicKey):
        return frozenset({EDWARDS})
    raise UnusableKey("this kind or size of key is not used for tokens")


def _usable(keys: Iterable[Any]) -> Iterable[Key]:
    for data in keys:
        try:
            yield _jwk(data)
        except UnusableKey as reason:
            log.info("a key is left out: %s", reason)


def _jwk(data: Any) -> Key:
    if not isinstance(data, dict):
        raise UnusableKey("it is no object")
    operations = data.get("key_ops")
    if data.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        raise UnusableKey("it is not for signatures")
    try:
        # PyJWT finds out by itself what all other kinds are, and of Edwards curves one of two.
        material = PyJWK.from_dict(data, EDWARDS if data.get("kty") == "OKP" else None).key
    except (PyJWTError, ValueError, TypeError, KeyError) as error:
        raise UnusableKey("it is malformed, or of another kind") from error
    fit = _fitting_secret(material) if isinstance(material, bytes) else fitting(material)
    fixed, kid = data.get("alg"), data.get("kid")
    return Key(material, fit & {fixed} if isinstance(fixed, str) else fit, kid if isinstance(kid, str) else None)


def _fitting_secret(material: bytes) -> frozenset[str]:
    fit = frozenset(name for name, size in SECRET_BYTES.items() if len(material) >= size)
    if not fit:
        raise UnusableKey(f"a secret needs {min(SECRET_BYTES.values())} bytes at least")
    return fit
