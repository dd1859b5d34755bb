"""What the server tells the app of a request in the ASGI scope."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import Scope

from agentos_lambda.identity.principal import NOBODY, Principal
from agentos_lambda.runs.access import Caller

DEADLINE_KEY = "agentos.deadline_ms"
"""A key of ours: when a run has to end, in milliseconds since the epoch. Not set where it may take any time."""

ANSWER_BY_KEY = "agentos.answer_by_ms"
"""A key of ours: when the whole answer has to be there, else it is lost. Not set where answers stream."""

TEXT_ONLY_KEY = "agentos.text_only"
"""A key of ours: set where an answer that is not text would reach the client as base64."""

PRINCIPAL_KEY = "agentos.principal"
"""A key of ours: who is asking. Not set on open paths."""


STILL_COUNTS_KEY = "agentos.still_counts"
"""A key of ours: finds out whether the credentials still count, which may block. Only set where they may be revoked."""


def prefix(scope: Scope) -> str:
    """What stands before the app in the URL, such as ``/v1``: a deployed API's stage (ASGI's ``root_path``)."""
    before: str = scope.get("root_path", "")
    return before


def route_path(scope: Scope) -> str:
    """The path without its prefix, as the app's own routes name it."""
    path: str = scope["path"]
    before = prefix(scope)
    return path.removeprefix(before) if path.startswith(f"{before}/") else path


def takes_bytes(scope: Scope) -> bool:
    """Whether an answer may be other than text.

    API Gateway decodes a whole answer in base64 only if the first type that the request accepts is a binary one, and
    browsers name ``text/html`` first.
    """
    return not scope.get(TEXT_ONLY_KEY, False)


def answer_by(scope: Scope) -> int | None:
    """When the whole answer to this request has to be there, in milliseconds since the epoch."""
    answer_by_ms: int | None = scope.get(ANSWER_BY_KEY)
    return answer_by_ms


def deadline_of(scope: Scope) -> int | None:
    """When a run in this request has to end."""
    deadline_ms: int | None = scope.get(DEADLINE_KEY)
    return deadline_ms


def principal_of(scope: Scope) -> Principal:
    """Who is asking."""
    principal: Principal = scope.get(PRINCIPAL_KEY, NOBODY)
    return principal


def still_counts_of(scope: Scope) -> Callable[[], bool] | None:
    """What finds out whether an answer that takes long may go on; None if it may in any case."""
    still_counts: Callable[[], bool] | None = scope.get(STILL_COUNTS_KEY)
    return still_counts


def caller_of(request: Request, user_id: str | None = None) -> Caller:
    """On whose behalf a request reads that names this user: an isolated principal's own, whatever it names."""
    principal = principal_of(request.scope)
    return Caller(principal.reads_for(user_id), isolated=principal.isolated)
