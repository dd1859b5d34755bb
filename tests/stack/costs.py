"""The tables of docs/costs.md, as numbers."""

from __future__ import annotations

from tests.stack.translation import ROOT


def prices() -> dict[str, float]:
    """Dollars for one of each."""
    _, *rows = _table("Prices")
    return {what.partition(",")[0]: number(price) / number(units) for what, price, units in rows}


def idle() -> list[tuple[str, float, str, float]]:
    """What an idle month has: what, how much, of which price, dollars."""
    _, *rows, _ = _table("An idle month")
    return [(what, number(how_many), of, number(dollars)) for what, how_many, of, dollars in rows]


def together() -> float:
    """Dollars of an idle month."""
    return number(_table("An idle month")[-1][-1])


def per_run() -> dict[str, dict[str, float]]:
    """Way to run -> what one run takes; last, under ``$``, what a thousand cost."""
    (_, *ways), *rows = _table("A thousand runs")
    return {
        way: {row[0].strip("*").partition(" for a")[0]: number(row[place]) for row in rows}
        for place, way in enumerate(ways, 1)
    }


def number(cell: str) -> float:
    return float(cell.strip("* ").replace(",", ""))


def _table(heading: str) -> list[list[str]]:
    """The rows of a section's table: first its header, without the line under it."""
    section = (ROOT / "docs/costs.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.removeprefix("|").removesuffix("|") for line in section.splitlines() if line.startswith("|")]
    header, _, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return [header, *rows]
