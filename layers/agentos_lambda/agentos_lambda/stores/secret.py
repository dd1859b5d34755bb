"""The security key of a deployed stack, from Secrets Manager."""

from __future__ import annotations

import logging

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.remembered import Freshness, Remembered
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import RequestFailed, Retries

log = logging.getLogger(__name__)

FRESH_MS = 240_000
"""The secret is read again after this time. If that fails, there is a minute left to try again."""

MAX_AGE_MS = 300_000
"""A key that was read longer ago lets nobody in: an old key is refused everywhere after this time."""

REREAD_INTERVAL_MS = 30_000
"""While a key is known, the secret is read at most this often, whatever callers present and whether it answers."""

UNKNOWN_INTERVAL_MS = 5_000
"""The same while no key is known, and every caller is refused."""


class SecretKey:
    """A key source that reads a secret and remembers it for a while. Implements ``RereadableKey``. Thread-safe."""

    def __init__(
        self, arn: str, clock: Clock, *, clients: Clients | None = None, retries: Retries | None = None
    ) -> None:
        """Without ``clients``, they are made from the environment."""
        self._arn = arn
        self._clients = clients or Clients()
        self._retries = retries or Retries()
        freshness = Freshness(FRESH_MS, MAX_AGE_MS, REREAD_INTERVAL_MS, UNKNOWN_INTERVAL_MS)
        self._key = Remembered(self._read, clock, freshness)

    def __call__(self) -> str:
        """The key. Raises ``StoreUnavailable`` if it cannot be read, and was not in the last five minutes."""
        return _required(self._key.value())

    def remembered(self) -> str | None:
        return self._key.fresh()

    def reread(self) -> str:
        return _required(self._key.reread())

    def _read(self) -> str | None:
        try:
            answer = self._retries.send(lambda: self._clients.secretsmanager.get_secret_value(SecretId=self._arn))
        except RequestFailed as failure:
            log.exception("the security key cannot be read")
            raise StoreUnavailable("the security key cannot be read") from failure
        # An empty secret must not open the API. White space around the key is not part of it.
        return (answer.get("SecretString") or "").strip() or None


def _required(key: str | None) -> str:
    if key is None:
        raise StoreUnavailable("the security key cannot be read")
    return key
