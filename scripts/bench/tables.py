"""The tables of ``docs/performance.md``, made of the results: each stands between two comments that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from scripts.bench.floors import LIBRARIES
from scripts.bench.goals import GOALS
from scripts.bench.results import OURS, Results, Run, middle
from scripts.bench.served import DYNAMODB, SQLITE

_PLACE = re.compile(r"(<!-- bench: (?P<name>\w+) -->\n).*?(<!-- bench ends -->)", re.DOTALL)
_NAIVE, _COMPILED = "naive", "naive with byte code"
_SHORT = 100
"""Numbers below this have three digits."""


def with_tables(document: str, run: Run, results: Results) -> str:
    """The document with each table made again. Raises ``KeyError`` for one that is not known."""
    return _PLACE.sub(lambda place: f"{place[1]}{_TABLES[place['name']](run, results)}{place[3]}", document)


def _told(run: Run, _: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return f"Measured on {run.date} at commit `{run.commit}`, on {run.machine}: {versions}.\n"


def _goals(_: Run, results: Results) -> str:
    rows = [(goal.measure, goal.of(), *goal.row(results)) for goal in GOALS if goal.samples(results)]
    return _table(("goal", "", "measured", "from, to", "at most", ""), rows)


def _cold(_: Run, results: Results) -> str:
    rows = []
    for request in _named(results, "ours: cold ", ", CPU s"):
        measures = [f"cold {request}, {unit}" for unit in ("M instructions", "CPU s", "peak MiB")]
        cells = (_cell(results, whose, each) for each in measures for whose in ("ours", _NAIVE, _COMPILED))
        rows.append((request, *cells))
    sides = ("ours", "naive", "with byte code")
    heads = (f"{unit}: {side}" for unit in ("M instructions", "CPU s", "peak MiB") for side in sides)
    return _table(("first request", *heads), rows)


def _warm(_: Run, results: Results) -> str:
    rows, sides = [], (OURS, _NAIVE, LIBRARIES)
    for request in _named(results, "ours: warm ", ", CPU ms"):
        measures = [f"warm {request}, {unit}" for unit in ("CPU ms", "p50 ms", "p95 ms")]
        rows.append((request, *(_cell(results, whose, each) for each in measures for whose in sides)))
    heads = (f"{unit}: {side}" for unit in ("CPU ms", "p50 ms", "p95 ms") for side in sides)
    return _table(("request", *heads), rows)


def _served(_: Run, results: Results) -> str:
    names = [*_named(results, "ours: served ", ""), "first byte after the engine's first event, ms"]
    rows = []
    for name in names:
        measure = name if name.startswith("first byte after") else f"served {name}"
        rows.append((name, *(_cell(results, whose, measure) for whose in (OURS, DYNAMODB, SQLITE))))
    return _table(("", "`make run`", "AgentOS, DynamoDB", "AgentOS, SQLite"), rows)


def _dynamodb(_: Run, results: Results) -> str:
    rows = []
    for whose in ("ours", _NAIVE):
        for place in _named(results, f"{whose}: DynamoDB requests, ", ""):
            what, _sep, length = place.partition(", session of ")
            sorts = ("requests", "read units", "write units", "bytes")
            cells = (_cell(results, whose, f"DynamoDB {sort}, {place}") for sort in sorts)
            rows.append((f"{what}{'' if whose == 'ours' else ', naive'}", length, *cells))
    rows.sort(key=lambda row: (row[0], int(row[1])))
    return _table(("run", "of its session", "requests", "read units", "write units", "bytes"), rows)


def _named(results: Results, begins: str, ends: str) -> Iterator[str]:
    """What stands between them in the names of measures."""
    for name in results:
        if name.startswith(begins) and name.endswith(ends):
            yield name[len(begins) : len(name) - len(ends)]


def _cell(results: Results, whose: str, measure: str) -> str:
    value = middle(results, f"{whose}: {measure}")
    if value is None:
        return ""
    return f"{value:.3g}" if value < _SHORT else f"{value:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "Not measured.\n"
    used = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line[place] for place in used) + " |\n" for line in lines)


_TABLES: Mapping[str, Callable[[Run, Results], str]] = {
    "run": _told,
    "goals": _goals,
    "cold": _cold,
    "warm": _warm,
    "served": _served,
    "dynamodb": _dynamodb,
}
