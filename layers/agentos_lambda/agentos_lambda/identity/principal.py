"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentos_lambda.identity.scopes import EVERYTHING, Scopes
from agentos_lambda.runs.limits import Limits


class PrincipalKind(StrEnum):
    """How a caller has shown who it is."""

    NOBODY = "nobody"
    """It did not have to: the API is open."""
    KEY = "key"
    """By the security key, which is one trust domain."""
    USER = "user"
    """By a token of an issuer."""
    ACCOUNT = "account"
    """By the token of a service account."""


_WITH_SUBJECT = frozenset({PrincipalKind.USER, PrincipalKind.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, as far as it has shown who it is."""

    kind: PrincipalKind
    subject: str | None = None
    """The user whom a token names, or the service account; None if it names nobody."""
    scopes: Scopes = EVERYTHING
    isolated: bool = False
    """It sees only what is its own, whatever user its requests name."""
    expires_at: int | None = None
    """When its token expires, in milliseconds since the epoch; None if never."""
    audited: bool = False
    """What it does is written to the audit trail: there are several principals."""
    account_id: str | None = None
    """Of its service account."""
    limits: Limits | None = None
    """How much it may run; None: as much as it likes."""

    @property
    def account(self) -> str | None:
        """Who answers for what it uses, also where it acts for somebody else; None: whom its requests name."""
        return self.subject if self.kind in _WITH_SUBJECT else None

    def acts_for(self, claimed: str | None) -> str | None:
        """The user of a run that it starts, if its request names the user ``claimed``.

        A token's subject wins, as in AgentOS 3.1. Only an admin may act for somebody else.
        """
        if self.kind not in _WITH_SUBJECT:
            return claimed
        return claimed or self.subject if self.scopes.admin else self.subject

    def reads_for(self, claimed: str | None) -> str | None:
        """The user whose things it reads, if its request names the user ``claimed``; None for everybody's."""
        return self.subject if self.isolated else claimed

    def name(self, claimed: str | None = None) -> str:
        """Distinguishes it from every other principal: what it repeats is repeated by nobody else."""
        subject = self.subject if self.kind in _WITH_SUBJECT else claimed
        return self.kind if subject is None else f"{self.kind}:{subject}"


NOBODY = Principal(PrincipalKind.NOBODY)
KEY_HOLDER = Principal(PrincipalKind.KEY)
