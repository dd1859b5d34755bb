"""What the claims of a verified token say. RFC 7519, RFC 8725; sentences of AgentOS 3.1.10, which are PyJWT's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentos_lambda.identity.errors import Expired, InvalidToken, WrongAudience, WrongSubject
from agentos_lambda.identity.principal import Principal, PrincipalKind
from agentos_lambda.identity.scopes import Scopes
from agentos_lambda.protocol.ids import is_user_id
from agentos_lambda.runs.limits import Limits, limits_of
from agentos_lambda.runs.memories import DEFAULT_USER

SKEW_SECONDS = 60
"""How far the issuer's clock and ours may be apart."""

_RESERVED = ("sa:", "__oauth__:", "__scheduler__")
"""How the subjects begin that AgentOS itself gives out."""

_LATEST = 253_402_300_799
"""The end of the year 9999, in seconds since the epoch: a later expiry counts as this one, which every store holds."""


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a token has to claim, and how its claims are read."""

    issuer: str | None = None
    audiences: frozenset[str] = frozenset()
    """One of them has to be among the token's; empty: any audience will do."""
    audience_claim: str = "aud"
    scopes_claim: str = "scopes"
    scope_prefix: str = ""
    """What stands before each scope, as an issuer may put the name of an API there. Other scopes do not count."""
    expiry_required: bool = True
    limits_claim: str = "agentos_limits"

    def principal(self, claims: Mapping[str, Any], *, now: int) -> Principal:
        """The user whom the claims are about. ``now``: milliseconds since the epoch. Raises ``Unauthorized``."""
        expires_at = self._expiry(claims, now // 1000)
        self._check_audience(claims.get(self.audience_claim))
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise InvalidToken("Invalid issuer" if "iss" in claims else 'Token is missing the "iss" claim')
        return Principal(
            PrincipalKind.USER,
            _subject(claims),
            self._scopes(claims),
            expires_at=expires_at,
            limits=_limits(claims.get(self.limits_claim)),
        )

    def _expiry(self, claims: Mapping[str, Any], now: int) -> int | None:
        """In milliseconds since the epoch. Raises ``Expired``, ``InvalidToken``."""
        for name in ("iat", "nbf"):
            begins = _seconds(claims, name)
            if begins is not None and begins > now + SKEW_SECONDS:
                raise InvalidToken(f"The token is not yet valid ({name})")
        expiry = _seconds(claims, "exp")
        if expiry is None:
            if self.expiry_required:
                raise InvalidToken('Token is missing the "exp" claim')
            return None
        if expiry <= now - SKEW_SECONDS:
            raise Expired
        return min(expiry, _LATEST) * 1000

    def _check_audience(self, claimed: Any) -> None:
        if not self.audiences:
            return
        if claimed is None:
            raise InvalidToken(f'Token is missing the "{self.audience_claim}" claim')
        given = claimed if isinstance(claimed, list) else [claimed]
        if not any(isinstance(each, str) and each in self.audiences for each in given):
            raise WrongAudience

    def _scopes(self, claims: Mapping[str, Any]) -> Scopes:
        claimed = claims.get(self.scopes_claim, [])
        texts = claimed.split() if isinstance(claimed, str) else claimed
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            return Scopes(())
        prefix = self.scope_prefix
        return Scopes(tuple(text.removeprefix(prefix) for text in texts if text.startswith(prefix)))


def _subject(claims: Mapping[str, Any]) -> str | None:
    subject = claims.get("sub")
    if subject is None or subject == "":
        return None
    if not isinstance(subject, str):
        raise InvalidToken("Subject must be a string")
    # What nobody owns is stored under the name of the default user.
    if subject.startswith(_RESERVED) or subject == DEFAULT_USER or not is_user_id(subject):
        raise WrongSubject
    return subject


def _limits(claimed: Any) -> Limits | None:
    """What is no limit is refused: the user would have none."""
    if claimed is None:
        return None
    try:
        return limits_of(claimed)
    except ValueError as error:
        raise InvalidToken(f"The limits are {error}") from error


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"The {name} claim must be a number")
    return int(value)
