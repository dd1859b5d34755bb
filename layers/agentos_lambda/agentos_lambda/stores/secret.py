"""The security key of a deployed stack, from Secrets Manager."""

from __future__ import annotations

import logging
import threading

from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.errors import StoreUnavailable
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
        self._clock = clock
        self._clients = clients or Clients()
        self._retries = retries or Retries()
        self._key: str | None = None
        self._since_read: Stopwatch | None = None
        self._since_try: Stopwatch | None = None
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The key. Raises ``StoreUnavailable`` if it cannot be read, and was not in the last five minutes."""
        with self._lock:
            if self._known() is None or self._age_ms() >= FRESH_MS:
                self._read()
            return self._required()

    def reread(self) -> str:
        with self._lock:
            self._read()
            return self._required()

    def _required(self) -> str:
        key = self._known()
        if key is None:
            raise StoreUnavailable("the security key cannot be read")
        return key

    def _known(self) -> str | None:
        return self._key if self._age_ms() < MAX_AGE_MS else None

    def _age_ms(self) -> int:
        return self._since_read.elapsed_ms() if self._since_read is not None else MAX_AGE_MS

    def _read(self) -> None:
        interval = UNKNOWN_INTERVAL_MS if self._known() is None else REREAD_INTERVAL_MS
        if self._since_try is not None and self._since_try.elapsed_ms() < interval:
            return
        self._since_try = begun = Stopwatch(self._clock)
        try:
            answer = self._retries.send(lambda: self._clients.secretsmanager.get_secret_value(SecretId=self._arn))
        except RequestFailed:
            log.exception("the security key cannot be read")
        else:
            # An empty secret must not open the API. White space around the key is not part of it.
            self._key = (answer.get("SecretString") or "").strip() or None
            self._since_read = begun
