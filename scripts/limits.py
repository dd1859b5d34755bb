"""What the account's limit of concurrent executions means for a deployment: asked of AWS before it begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

UNRESERVED = 100
"""Lambda keeps at least this much of an account's concurrency unreserved.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""

_LONG = 4
"""Agents, teams, workflows and follow: each gets ``RunConcurrency``."""
_SHORT = 2
"""Control and WebSocket: each gets ``ControlConcurrency``."""
_SWEEPER = 2
"""For the sweeper."""


class TooMuchReserved(Exception):
    """The deployment reserves more than the account has. CloudFormation would fail, and roll back."""


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The values of a deployment's parameters."""

    run: int
    """0: nothing is reserved."""
    control: int
    worker: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Concurrency:
        """From the parameters by name."""
        return cls(*(int(values[f"{name}Concurrency"]) for name in ("Run", "Control", "Worker")))

    @property
    def reserved(self) -> int:
        """How much the stack reserves."""
        return _LONG * self.run + _SHORT * self.control + _SWEEPER if self.run else 0


def limit_of(session: Any) -> int:
    """How many executions the account may have at once. Raises ``BotoCoreError``, ``ClientError``."""
    limit: int = session.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    return limit


def what_follows(limit: int, asked: Concurrency) -> Iterator[str]:
    """Sentences for whoever deploys. Raises ``TooMuchReserved``."""
    yield f"The account runs at most {limit} functions at once."
    left = limit - asked.reserved
    if not asked.run:
        yield "RunConcurrency is 0, so all functions share them: runs that use them up keep reads and cancels waiting."
    elif left < UNRESERVED:
        most = max(0, limit - UNRESERVED - _SHORT * asked.control - _SWEEPER) // _LONG
        raise TooMuchReserved(
            f"RunConcurrency={asked.run} and ControlConcurrency={asked.control} reserve {asked.reserved} of the "
            f"{limit} concurrent executions of the account, and Lambda keeps {UNRESERVED} unreserved: RunConcurrency "
            f"may be {most} here."
        )
    else:
        yield (
            f"Of these, {asked.run} each are for agents, teams, workflows and followers, and {asked.control} each for "
            f"control and WebSocket. {left} are left for background runs, the config function and other stacks."
        )
    if asked.worker >= left:
        yield (
            f"WorkerConcurrency={asked.worker}: background runs can use up these {left}. Lower it, or ask AWS for a "
            "higher limit."
        )
