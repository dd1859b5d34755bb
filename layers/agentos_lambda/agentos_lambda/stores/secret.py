"""The security key of a deployed stack, from Secrets Manager."""

from __future__ import annotations

import logging
import threading

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import RequestFailed, Retries

log = logging.getLogger(__name__)

FRESH_MS = 120_000
"""The secret is read again after this time: a rotated key is valid within two minutes, without a deployment."""


class SecretKey:
    """A key source that reads a secret, and reads it again when it is no longer fresh. Thread-safe."""

    def __init__(
        self, arn: str, clock: Clock, *, clients: Clients | None = None, retries: Retries | None = None
    ) -> None:
        """Without ``clients``, they are made from the environment."""
        self._arn = arn
        self._clock = clock
        self._clients = clients or Clients()
        self._retries = retries or Retries()
        self._key: str | None = None
        self._read_at = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The key, or the last one known if it cannot be read. Raises ``StoreUnavailable`` if none is known."""
        with self._lock:
            now = self._clock.now()
            if self._key is None or now - self._read_at >= FRESH_MS:
                self._read()
                self._read_at = now
            if self._key is None:
                raise StoreUnavailable("the security key cannot be read")
            return self._key

    def _read(self) -> None:
        try:
            answer = self._retries.send(lambda: self._clients.secretsmanager.get_secret_value(SecretId=self._arn))
        except RequestFailed:
            log.exception("the security key cannot be read")
        else:
            # An empty secret must not open the API. White space around the key is not part of it.
            self._key = (answer.get("SecretString") or "").strip() or None
