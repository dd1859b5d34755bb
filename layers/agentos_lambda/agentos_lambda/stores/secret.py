"""The security key of a deployed stack, from Secrets Manager."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

FRESH_FOR = 120_000
"""Milliseconds after which the secret is read again: a rotated key counts within two minutes, without a deployment."""


def _client() -> Any:
    import boto3  # noqa: PLC0415 - takes long, and open routes need no key
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
    return boto3.client("secretsmanager", config=config)


class SecretKey:
    """A key source that reads a secret, and again when it is no longer fresh. Thread-safe."""

    def __init__(self, arn: str, clock: Clock, *, client: Callable[[], Any] = _client) -> None:
        """``client`` makes a Secrets Manager client at the first read."""
        self._arn = arn
        self._clock = clock
        self._make_client = client
        self._client: Any = None
        self._key: str | None = None
        self._read_at = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The key. Raises ``StoreUnavailable`` while it has never been read; later the last one known stays valid."""
        with self._lock:
            now = self._clock.now()
            if self._key is None or now - self._read_at >= FRESH_FOR:
                self._read()
                self._read_at = now
            if self._key is None:
                raise StoreUnavailable("the security key can not be read")
            return self._key

    def _read(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self._client = self._client or self._make_client()
            answer = self._client.get_secret_value(SecretId=self._arn)
        except (BotoCoreError, ClientError):
            log.exception("the security key can not be read")
        else:
            # An empty secret must not open the API. White space around it is no part of it.
            self._key = (answer.get("SecretString") or "").strip() or None
