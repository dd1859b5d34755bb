"""Why a caller is not let in, or may not do something. Both texts are those of AgentOS 3.1.10.

IdentityError
├── Unauthorized       401: the credentials do not count
│   ├── Missing        there are none
│   ├── WrongKey       they are not the security key
│   ├── Expired        the token's time is over
│   ├── WrongAudience  the token is for somebody else
│   ├── WrongSubject   the token names a subject that no token may name
│   ├── WrongAccount   the token is that of no service account, or of one that does not count any more
│   └── InvalidToken   anything else about the token
├── TooManyFailures    429: too many wrong tokens came from there
└── Forbidden          403: the caller is known, and may not do this
KeysUnavailable        503: nobody can be checked just now
AccountsUnavailable    503: the same, for service accounts
"""

from __future__ import annotations

from agentos_lambda.runs.errors import StoreUnavailable


class IdentityError(Exception):
    """Base of refusals. Its text is fit for the caller's eyes."""


class Unauthorized(IdentityError):
    """The credentials do not count."""

    socket_text: str | None = None
    """How it is said on a WebSocket, if otherwise."""


class Missing(Unauthorized):
    """There are no credentials."""


class WrongKey(Unauthorized):
    """The token is not the security key."""

    socket_text = "Invalid token"

    def __init__(self) -> None:
        super().__init__("Invalid authentication token")


class Expired(Unauthorized):
    """The token has expired."""

    socket_text = "Signature has expired"

    def __init__(self) -> None:
        super().__init__("Token has expired")


class WrongAudience(Unauthorized):
    """The token was issued for somebody else."""

    socket_text = "Invalid audience"

    def __init__(self) -> None:
        super().__init__("Invalid token audience - token not valid for this AgentOS instance")


class WrongSubject(Unauthorized):
    """The token's subject is reserved, or cannot be the id of a user."""

    def __init__(self) -> None:
        super().__init__("Invalid token subject")


class WrongAccount(Unauthorized):
    """The token is that of no service account, or of one that has expired or was revoked: nobody learns which."""

    def __init__(self) -> None:
        super().__init__("Invalid or expired service account token")


class InvalidToken(Unauthorized):
    """The token is malformed, or its signature or one of its claims is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid token: {reason}")
        self.socket_text = reason


class TooManyFailures(IdentityError):
    """Too many wrong tokens of service accounts came from there."""

    def __init__(self) -> None:
        super().__init__("Too many failed authentication attempts")


class Forbidden(IdentityError):
    """The principal may not do this."""


class KeysUnavailable(StoreUnavailable):
    """The keys that tokens are verified with cannot be read at the moment."""


class AccountsUnavailable(StoreUnavailable):
    """Service accounts cannot be read just now."""
