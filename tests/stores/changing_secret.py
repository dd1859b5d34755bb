"""A secret that a test changes, and the environments that read it."""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.runs.clock import Clock
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import Retries
from agentos_lambda.stores.secret import SecretKey


@dataclass
class ChangingSecret:
    """Answers as Secrets Manager's client does."""

    text: str
    reads: int = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        self.reads += 1
        return {"SecretString": self.text}

    def environment(self, clock: Clock) -> SecretKey:
        """What one environment knows of it."""
        return SecretKey("arn", clock, clients=Clients(secretsmanager=self), retries=Retries(clock, tries=1))
