"""What runs use: counted where it is used, and kept in their records, so that counting costs no request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

NOBODY = "\x00"
"""The account of runs that nobody has to answer for: no user's id has such a character."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run has used, in all its attempts that count."""

    input_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    """For which it executed: not the time that it waited."""

    def plus(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.milliseconds + other.milliseconds,
        )


NOTHING = Usage()


def day_of(time: int) -> str:
    """The day of a time in milliseconds since the epoch, such as ``2026-11-26``, in UTC."""
    return datetime.fromtimestamp(time / 1000, UTC).date().isoformat()
