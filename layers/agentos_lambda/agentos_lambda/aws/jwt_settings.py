"""How tokens are verified, from the environment of a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MODES = ("jwt", "both")
_SWITCHES = {"on": True, "off": False}


class InvalidSettings(ValueError):
    """A variable has a value that means nothing."""


@dataclass(frozen=True)
class JwtSettings:
    """The variables of AgentOS (the first two), and our own."""

    verification_key: str | None = None
    """A public key in PEM, or a secret."""
    jwks_file: str | None = None
    issuer: str | None = None
    """Of OpenID Connect: without the first two, its keys are fetched."""
    jwks_url: str | None = None
    """Where the issuer's keys are, if it does not publish that."""
    audiences: frozenset[str] = frozenset()
    algorithms: tuple[str, ...] = ("RS256",)
    audience_claim: str = "aud"
    scopes_claim: str = "scopes"
    scope_prefix: str = ""
    limits_claim: str = "agentos_limits"
    expiry_required: bool = True
    takes_key: bool = False
    """Whether the security key counts beside tokens."""
    isolates_users: bool = True

    @classmethod
    def from_environment(cls, given: Mapping[str, str]) -> JwtSettings | None:
        """None where no tokens are configured. Empty variables must have been left out. Raises ``InvalidSettings``.

        Whoever has set any variable of tokens counts on them: what is half configured is not open.
        """
        if not any(name.startswith("JWT_") or name == "AUTH_MODE" for name in given):
            return None
        mode = given.get("AUTH_MODE", "jwt")
        if mode not in _MODES:
            raise InvalidSettings(f"AUTH_MODE is one of {', '.join(_MODES)}")
        return cls(
            verification_key=given.get("JWT_VERIFICATION_KEY"),
            jwks_file=given.get("JWT_JWKS_FILE"),
            issuer=given.get("JWT_ISSUER"),
            jwks_url=given.get("JWT_JWKS_URL"),
            audiences=frozenset(_listed(given.get("JWT_AUDIENCE", ""))),
            algorithms=tuple(_listed(given.get("JWT_ALGORITHMS", ""))) or cls.algorithms,
            audience_claim=given.get("JWT_AUDIENCE_CLAIM", cls.audience_claim),
            scopes_claim=given.get("JWT_SCOPES_CLAIM", cls.scopes_claim),
            scope_prefix=given.get("JWT_SCOPE_PREFIX", cls.scope_prefix),
            limits_claim=given.get("JWT_LIMITS_CLAIM", cls.limits_claim),
            expiry_required=_switch(given, "JWT_REQUIRE_EXPIRY"),
            takes_key=mode == "both",
            isolates_users=_switch(given, "USER_ISOLATION"),
        )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _switch(given: Mapping[str, str], name: str) -> bool:
    try:
        return _SWITCHES[given.get(name, "on").lower()]
    except KeyError:
        raise InvalidSettings(f"{name} is on or off") from None
