"""Several starts of functions, and the tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.cold_start.first_answer import Measured, Request, first_answer
from scripts.cold_start.share import share_of

GB_SECOND = 0.0000133334
"""Dollars, as docs/costs.md has them."""


@dataclass(frozen=True)
class Start:
    """A start that is measured: of a function with ``memory`` MiB, for a request."""

    python: str
    request: Request
    memory: int
    environment: Mapping[str, str]

    async def measured(self, *, at_share: bool) -> Measured:
        """One of them. Raises ``RuntimeError`` if it is not answered."""
        share = share_of(self.memory) if at_share else None
        return await first_answer((self.python, "-S"), self.environment, self.request, share=share)


@dataclass(frozen=True)
class Starts:
    """Several starts of a function with ``memory`` MiB: medians."""

    measured: Sequence[Measured]
    memory: int

    @property
    def init(self) -> float:
        """CPU seconds of INIT, for which Lambda gives a whole CPU."""
        return statistics.median(each.init_cpu_seconds for each in self.measured)

    @property
    def answer(self) -> float:
        """CPU seconds from there to the first byte of the answer."""
        return statistics.median(each.cpu_seconds - each.init_cpu_seconds for each in self.measured)

    @property
    def seconds(self) -> float:
        """What a start takes, besides waiting."""
        return self.init + self.answer / share_of(self.memory)

    @property
    def seconds_at_share(self) -> float:
        """The same where INIT has no more than the function's share either, as with provisioned concurrency."""
        return (self.init + self.answer) / share_of(self.memory)

    @property
    def seconds_once_started(self) -> float:
        """What a request takes in an environment that has started before it came, as with provisioned concurrency."""
        return self.answer / share_of(self.memory)

    @property
    def dollars(self) -> float:
        """For a million of them, at most: Lambda bills INIT, too."""
        return self.seconds_at_share * self.memory / 1024 * GB_SECOND * 1_000_000

    @property
    def clock(self) -> float:
        """Seconds on a clock: those of ``seconds`` and of waiting, where processes are held to their share."""
        return statistics.median(each.seconds for each in self.measured)

    def cells(self) -> tuple[str, ...]:
        """As the columns of ``START_COLUMNS``."""
        peak = max(each.peak_mib for each in self.measured)
        return (
            f"{self.init:.2f} s",
            f"{self.answer:.2f} s",
            f"{peak:.0f} MB",
            f"{self.seconds:.1f} s",
            f"{self.seconds_at_share:.1f} s",
            f"{self.dollars:.0f}",
        )


START_COLUMNS = (
    *("CPU of INIT", "of the answer", "most memory used"),
    *("a start", "at its share throughout", "$ for a million"),
)


def row(*cells: str) -> None:
    """Print a row of a table, as docs/performance.md has it."""
    print(f"| {' | '.join(cells)} |", flush=True)


def head(*columns: str) -> None:
    """Print the first two rows of a table."""
    row(*columns)
    print(f"|{'---|' * len(columns)}")


async def starts(each: Sequence[Start], times: int, *, at_share: bool) -> list[Starts]:
    """Measure each so often, in turns, after once that fills caches."""
    for start in each:
        await start.measured(at_share=False)
    rounds = [[await start.measured(at_share=at_share) for start in each] for _ in range(times)]
    return [Starts(measured, start.memory) for start, measured in zip(each, zip(*rounds, strict=True), strict=True)]
