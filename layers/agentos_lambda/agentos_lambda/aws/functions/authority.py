"""How a function lets callers in: by the security key, by tokens, or without either where nothing is deployed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agentos_lambda.aws.functions.accounts import known_accounts
from agentos_lambda.aws.functions.key import key_of
from agentos_lambda.aws.jwt_settings import InvalidSettings, JwtSettings
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.identity.authority import Authority, Tokens
from agentos_lambda.identity.claims import ClaimRules
from agentos_lambda.identity.errors import KeysUnavailable
from agentos_lambda.identity.principal import Principal
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.stores.clients import Clients

if TYPE_CHECKING:
    from agentos_lambda.identity.tokens.keys import Key
    from agentos_lambda.identity.tokens.verifier import TokenKeys

log = logging.getLogger(__name__)


def authority_of(settings: Settings, clients: Clients, accounts: KnownAccounts | None = None) -> Authority:
    """By the stack's secret or a key from the environment, by service accounts, and by tokens if they are configured.

    ``accounts``: where another part of the function asks for them, too.

    Only what is not deployed may do without either: then it is open. Where something is configured wrongly, nobody is
    let in.
    """
    clock, key = SystemClock(), key_of(settings, clients)
    accounts = accounts or known_accounts(settings, clients)
    try:
        jwt = JwtSettings.from_environment({name: value for name, value in os.environ.items() if value})
    except InvalidSettings as reason:
        return Authority(key, clock, tokens=_misconfigured(reason), accounts=accounts, takes_key=False)
    if jwt is None:
        return Authority(key, clock, accounts=accounts)
    return Authority(
        key,
        clock,
        tokens=_tokens(jwt, clock),
        accounts=accounts,
        takes_key=jwt.takes_key,
        isolates_users=jwt.isolates_users,
    )


def _tokens(settings: JwtSettings, clock: Clock) -> Tokens:
    try:
        return _verifier(settings, clock)
    except (ImportError, OSError, ValueError) as reason:
        return _misconfigured(reason)


def _verifier(settings: JwtSettings, clock: Clock) -> Tokens:
    """Raises ``ImportError`` without the layer, ``OSError``, ``ValueError``."""
    from agentos_lambda.identity.tokens.verified import VerifiedTokens  # noqa: PLC0415 - only where they are configured
    from agentos_lambda.identity.tokens.verifier import (  # noqa: PLC0415
        FixedKeys,
        TokenVerifier,
        allowed_algorithms,
    )

    algorithms = allowed_algorithms(settings.algorithms)
    fixed = tuple(_fixed_keys(settings))
    source: TokenKeys = FixedKeys(fixed) if fixed else _issuer_keys(settings, clock)
    if not algorithms & frozenset().union(*(key.algorithms for key in fixed)) and fixed:
        raise InvalidSettings("no key fits an algorithm of JWT_ALGORITHMS")
    rules = ClaimRules(
        settings.issuer,
        settings.audiences,
        settings.audience_claim,
        settings.scopes_claim,
        settings.scope_prefix,
        settings.expiry_required,
        settings.limits_claim,
    )
    return VerifiedTokens(TokenVerifier(source, algorithms, rules, clock), source, clock)


def _fixed_keys(settings: JwtSettings) -> Iterator[Key]:
    from agentos_lambda.identity.tokens.keys import SECRET_BYTES, key_set, pem_key, secret_key  # noqa: PLC0415

    if settings.jwks_file is not None:
        yield from key_set(json.loads(Path(settings.jwks_file).read_text()))
    if settings.verification_key is not None:
        is_secret = set(settings.algorithms) <= set(SECRET_BYTES)
        yield (secret_key if is_secret else pem_key)(settings.verification_key)


def _issuer_keys(settings: JwtSettings, clock: Clock) -> TokenKeys:
    from agentos_lambda.identity.tokens.fetch import fetch_json  # noqa: PLC0415
    from agentos_lambda.identity.tokens.issuer import IssuerKeys  # noqa: PLC0415

    if settings.issuer is None:
        raise InvalidSettings("there is neither a key, nor a file of keys, nor an issuer")
    if not settings.audiences:
        raise InvalidSettings("JWT_AUDIENCE is missing: an issuer's tokens may be for somebody else")
    return IssuerKeys(settings.issuer, fetch_json, clock, keys_url=settings.jwks_url)


def _misconfigured(reason: Exception) -> Tokens:
    log.error("tokens cannot be verified, so nobody is let in: %s", reason)
    return _Misconfigured()


class _Misconfigured:
    """Implements ``Tokens``: lets nobody in."""

    def verify(self, token: str) -> Principal:  # noqa: ARG002
        raise KeysUnavailable("JWT authentication is misconfigured on the server")
