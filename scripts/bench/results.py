"""What was measured, as a file that a program can compare, and the goals."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Results = Mapping[str, Sequence[float]]
"""Name of a measure -> its samples. The name begins with whose it is: ``ours: warm config, CPU ms``."""

NOISE = 0.1
"""How much over its goal a time may be, as a part of it, without counting as missed. A count has no noise."""


@dataclass(frozen=True)
class Goal:
    """At most ``most``, or ``most`` of the naive bundle's if it is a ratio."""

    measure: str
    most: float
    ratio: bool = True
    exact: bool = False
    """It is counted, not timed."""

    def judged(self, results: Results) -> str:
        """A line that says whether it is met; "" if it was not measured."""
        ours, naive = results.get(f"ours: {self.measure}"), results.get(f"naive: {self.measure}")
        if not ours or (self.ratio and not naive):
            return ""
        samples = [own / other for own, other in zip(ours, naive or (), strict=False)] if self.ratio else list(ours)
        middle = statistics.median(samples)
        if self.ratio:
            told = (
                f"1/{1 / middle:.1f} (1/{1 / min(samples):.1f} to 1/{1 / max(samples):.1f}), goal 1/{1 / self.most:.1f}"
            )
        else:
            told = f"{middle:.1f} ({min(samples):.1f} to {max(samples):.1f}), goal {self.most:g}"
        missed = middle > self.most and (self.exact or min(samples) > self.most * (1 + NOISE))
        verdict = "FALLS SHORT" if missed else "met" if middle <= self.most else "within the noise"
        return f"{self.measure:34} {told:52} {verdict}"


GOALS = (
    Goal("cold config, M instructions", 1 / 14.5, exact=True),
    Goal("cold list, M instructions", 1 / 9, exact=True),
    Goal("cold get, M instructions", 1 / 9, exact=True),
    Goal("cold cancel, M instructions", 1 / 9, exact=True),
    Goal("cold agent run, M instructions", 1 / 5.2, exact=True),
    Goal("warm config, CPU ms", 1 / 4),
    Goal("warm agent run, CPU ms", 1 / 4),
    Goal("requests of a run, session of 1", 3, ratio=False, exact=True),
    Goal("requests of a run, session of 10", 3, ratio=False, exact=True),
    Goal("requests of a run, session of 100", 3, ratio=False, exact=True),
    Goal("ConfigFunction, MiB", 14, ratio=False, exact=True),
    Goal("ControlFunction, MiB", 14, ratio=False, exact=True),
    Goal("AgentsFunction, MiB", 75, ratio=False, exact=True),
    Goal("cold config, peak MiB", 55, ratio=False),
    Goal("cold get, peak MiB", 80, ratio=False),
    Goal("cold agent run, peak MiB", 105, ratio=False),
)
"""Cold ratios are against the naive bundle as ``sam build`` packages it, without byte code."""


def judged(results: Results) -> list[str]:
    """A line for each goal that was measured."""
    return [line for goal in GOALS if (line := goal.judged(results))]


def compared(before: Results, after: Results) -> list[str]:
    """A line for each measure that both have, with the change of its median in percent."""
    lines = []
    for name in sorted(before.keys() & after.keys()):
        old, new = statistics.median(before[name]), statistics.median(after[name])
        change = f"{100 * (new - old) / old:+.1f} %" if old else ""
        lines.append(f"{name:46} {old:12.2f} {new:12.2f}  {change}")
    return lines


def load(file: Path) -> Results:
    """Results that were written by ``save``."""
    found: Results = json.loads(file.read_text())["results"]
    return found


def save(file: Path, results: Results) -> None:
    """Write them."""
    file.write_text(json.dumps({"version": 1, "results": results}, indent=1) + "\n")
