"""The goals, and whether results meet them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from scripts.bench.floors import floor
from scripts.bench.results import OURS, Results, middle

NOISE = 0.1
"""How much over its goal a time may be, as a part of it, without counting as missed. A count has no noise."""
FALLS_SHORT, MET, WITHIN = "FALLS SHORT", "met", "within the noise"


@dataclass(frozen=True)
class Goal:
    """At most ``most``, or ``most`` of what another takes if there is ``beside``."""

    measure: str
    most: float
    beside: str | None = "naive"
    exact: bool = False
    """It is counted, not timed."""
    than: str = ""
    """What it is compared with, if that is another measure."""

    def samples(self, results: Results) -> list[float]:
        """Of ours, or the ratios to the other's; empty if it was not measured."""
        ours = results.get(f"ours: {self.measure}") or ()
        if self.beside is None:
            return [*ours]
        other = results.get(f"{self.beside}: {self.than or self.measure}") or ()
        return [own / its for own, its in zip(ours, other, strict=False)]  # taken in turns

    def limit(self, results: Results) -> float:
        """What is judged by: ``most``, or what libraries alone take and a tenth, if that is more."""
        least = floor(self.measure, results)
        other = middle(results, f"{self.beside}: {self.than or self.measure}") if self.beside else None
        return max(self.most, least / (other or 1))

    def of(self) -> str:
        """What the ratio is to; "" if it is none."""
        return self.than or (f"of {self.beside}'s" if self.beside else "")

    def shown(self, value: float) -> str:
        """A sample as people read it."""
        if self.beside is None:
            return f"{value:.3g}" if value < 1000 else f"{value:.0f}"  # noqa: PLR2004
        return f"1/{1 / value:.1f}" if value < 1 else f"{value:.2f}"

    def verdict(self, results: Results) -> str:
        """One of the three; "" if it was not measured."""
        if not (samples := self.samples(results)):
            return ""
        median = statistics.median(samples)
        limit = self.limit(results)
        if median <= limit:
            return MET
        # Noise misses none: every sample has to be beyond it.
        return FALLS_SHORT if self.exact or min(samples) > limit * (1 + NOISE) else WITHIN

    def row(self, results: Results) -> tuple[str, str, str, str]:
        """Measured, its spread, the goal, and the verdict."""
        samples = self.samples(results)
        spread = f"{self.shown(min(samples))} to {self.shown(max(samples))}"
        limit = self.limit(results)
        told = self.shown(limit) + (" (floor)" if limit > self.most else "")
        return self.shown(statistics.median(samples)), spread, told, self.verdict(results)


_KINDS, _LENGTHS = ("agent", "team", "workflow"), (1, 10, 100, 1000)
_SERVED = ("/config", "whole run", "run in a session of 100", "100 words streamed")

GOALS = (
    Goal("cold config, M instructions", 1 / 14.5, exact=True),
    Goal("cold list, M instructions", 1 / 9, exact=True),
    Goal("cold get, M instructions", 1 / 9, exact=True),
    Goal("cold cancel, M instructions", 1 / 9, exact=True),
    Goal("cold agent run, M instructions", 1 / 5.2, exact=True),
    Goal("warm config, CPU ms", 1 / 4),
    Goal("warm agent run, CPU ms", 1 / 4),
    *(
        Goal(f"DynamoDB requests, {kind} whole, session of {length}", 3, None, exact=True)
        for kind in _KINDS
        for length in _LENGTHS
    ),
    *(
        Goal(
            f"DynamoDB bytes, {kind} whole, session of 1000",
            1.05,
            OURS,
            than=f"DynamoDB bytes, {kind} whole, session of 10",
        )
        for kind in _KINDS
    ),
    Goal("first byte after the engine's first event, ms", 10, None),
    *(Goal(f"served {name}, p50 ms", 1, "AgentOS, DynamoDB") for name in _SERVED),
    Goal("served 100 words streamed, first byte ms", 1, "AgentOS, DynamoDB"),
    Goal("served whole run, own time ms", 6, None),
    Goal("ConfigFunction, MiB", 14, None, exact=True),
    Goal("ControlFunction, MiB", 14, None, exact=True),
    Goal("AgentsFunction, MiB", 75, None, exact=True),
    Goal("cold config, peak MiB", 55, None),
    Goal("cold get, peak MiB", 80, None),
    Goal("cold agent run, peak MiB", 105, None),
)
"""Cold ratios are against the naive bundle as ``sam build`` packages it, without byte code.

A streamed run writes its first event to the log at once, so it takes four requests and more.
"""


def judged(results: Results) -> list[str]:
    """A line for each goal that was measured."""
    lines = []
    for goal in GOALS:
        if goal.samples(results):
            measured, spread, most, verdict = goal.row(results)
            lines.append(f"{goal.measure:50} {measured:8} ({spread}), goal {most:6} {verdict}")
    return lines


def missed(results: Results) -> list[str]:
    """The goals that fall short."""
    return [goal.measure for goal in GOALS if goal.verdict(results) == FALLS_SHORT]
