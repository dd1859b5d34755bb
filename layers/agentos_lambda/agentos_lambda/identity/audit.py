"""The audit trail: lines in the log that say who did what, and who was refused. Never a token, never a message.

Lambda's log adds the id of the request. There is nothing to tell where all callers are one: without tokens nothing is
written.
"""

from __future__ import annotations

import logging

from agentos_lambda.identity.principal import Principal

log = logging.getLogger(__name__)


def done(principal: Principal | None, what: str, **about: object) -> None:
    """The principal has done this: an operation or an action. ``about``: ids, or None for what is not known."""
    if principal is not None and principal.audited:
        log.info("audit: %s", what, extra=_fields(principal.name(), about))


def refused(principal: Principal | None, what: str, reason: str, **about: object) -> None:
    """The principal was not allowed to do this; None if it could not even show who it is."""
    if principal is None or principal.audited:
        name = principal.name() if principal is not None else None
        log.warning("audit: refused %s", what, extra=_fields(name, {"reason": reason, **about}))


def _fields(principal: str | None, about: dict[str, object]) -> dict[str, object]:
    return {"principal": principal, **{name: value for name, value in about.items() if value is not None}}
