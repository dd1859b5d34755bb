"""The variables that components want from their environment, such as a provider's key: kept in a secret of the stack.

The secret's text is a JSON object of names and values. ``make secret`` makes the secret and writes it: a stack whose
components want no variables has none.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Mapping, MutableMapping

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import ComponentUnusable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import RequestFailed, Retries

log = logging.getLogger(__name__)

FRESH_MS = 300_000
"""The secret is read again after this time. If it has changed, the process is to be replaced."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED_PREFIXES = ("AGENTOS_", "AWS_", "JWT_", "LAMBDA_", "LD_", "PYTHON", "WEBSOCKET_")
"""``JWT_``: the first variable of that name has the API ask every caller for a token (``jwt_settings``)."""
_RESERVED = frozenset(
    {
        *("HOME", "LANG", "PATH", "TZ"),
        *("ACCOUNTS_TABLE", "AUTH_MODE", "BUCKET", "COMPONENTS_SECRET", "CONNECTIONS_TABLE", "CORS_ORIGINS"),
        *("EVENTS_TABLE", "EVENTS_TTL_SECONDS", "LIMITS_TABLE", "LOAD_COMPONENTS", "LOG_LEVEL", "LONGEST_RUN_SECONDS"),
        *("MAX_SLICES", "MEDIA_PRIVATE_HOSTS", "MEMORIES_TABLE", "OS_SECURITY_KEY", "QUEUE_LIMIT", "RUNS_QUEUE_URL"),
        *("RUNS_RETENTION_DAYS", "RUNS_TABLE", "SECURITY_KEY_SECRET", "SESSIONS_RETENTION_DAYS", "SESSIONS_TABLE"),
        *("SLICE_SECONDS", "STACK_NAME", "USER_ISOLATION"),
    }
)
_APPLIED = "AGENTOS_COMPONENT_VARIABLES"
"""Names what was set: a process that starts over inherits it, and the secret may have lost a name since."""


def refusal(name: str) -> str | None:
    """Why a variable may not have this name, or None if it may.

    Lambda's: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    if not _NAME.fullmatch(name):
        return "a name has letters, digits and underscores, and begins with a letter"
    upper = name.upper()
    if upper in _RESERVED or upper.startswith(_RESERVED_PREFIXES):
        return "the name belongs to Lambda or to this project"
    return None


def variables_of(text: str | None) -> dict[str, str]:
    """The variables in the text of a secret. Raises ``ValueError`` if it is not an object of texts."""
    if not (text or "").strip():
        return {}
    found = json.loads(text or "")
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("it is not a JSON object of texts")
    return found


def _is_missing(error: BaseException) -> bool:
    """Whether there is no secret. Secrets Manager may deny access to one whose ARN it cannot complete; where KMS denies
    it, there is one. One that somebody has deleted keeps its name for up to 30 days."""
    told = getattr(error, "response", {}).get("Error", {})
    code, message = told.get("Code"), told.get("Message", "")
    if code == "InvalidRequestException":
        return "delet" in message
    return code == "ResourceNotFoundException" or (code == "AccessDeniedException" and "KMS" not in message)


class ComponentVariables:
    """Sets the variables of a secret in this process, and knows when they have changed. Thread-safe."""

    def __init__(
        self,
        arn: str,
        clock: Clock,
        *,
        environment: MutableMapping[str, str] = os.environ,
        clients: Clients | None = None,
        retries: Retries | None = None,
    ) -> None:
        """Without ``clients``, they are made from the environment."""
        self._arn = arn
        self._clock = clock
        self._environment = environment
        self._clients = clients or Clients()
        self._retries = retries or Retries()
        self._applied: Mapping[str, str] | None = None
        self._read_at = 0
        self._lock = threading.Lock()

    def apply(self) -> None:
        """Set the variables, before the components are imported. Raises ``ComponentUnusable`` if they are not known."""
        with self._lock:
            self._applied = variables = self._read()
            for name in filter(None, self._environment.get(_APPLIED, "").split(",")):
                self._environment.pop(name, None)
            allowed = {name: value for name, value in variables.items() if refusal(name) is None}
            for name in sorted(variables.keys() - allowed.keys()):
                log.warning("the variable %s of the components is not set: %s", name, refusal(name))
            self._environment.update(allowed)
            self._environment[_APPLIED] = ",".join(allowed)

    def may_have_changed(self) -> bool:
        """Whether ``changed`` would ask for the secret. Asks for nothing."""
        return self._applied is not None and self._clock.now() - self._read_at >= FRESH_MS

    def changed(self) -> bool:
        """Whether the secret has other variables than were set. Asks for it at most once in ``FRESH_MS``."""
        with self._lock:
            if not self.may_have_changed():
                return False
            try:
                return self._read() != self._applied
            except ComponentUnusable:
                return False  # what was set may still be right

    def _read(self) -> dict[str, str]:
        self._read_at = self._clock.now()
        try:
            answer = self._retries.send(lambda: self._clients.secretsmanager.get_secret_value(SecretId=self._arn))
            return variables_of(answer.get("SecretString"))
        except RequestFailed as failed:
            if _is_missing(failed.error):
                log.info("the components have no variables: %s", failed.error)
                return {}
            log.exception("the variables of the components cannot be read")
            raise ComponentUnusable("The variables of the components cannot be read. Try again later.") from failed
        except ValueError as error:
            log.error("the secret of the components' variables cannot be used")  # noqa: TRY400 - it would quote values
            raise ComponentUnusable(
                "The secret of the components' variables is not a JSON object of texts. `make secret` writes it."
            ) from error
