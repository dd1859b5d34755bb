"""The tables of docs/costs.md and the prices of docs/prices.toml, as numbers."""

from __future__ import annotations

import tomllib
from typing import Any, NamedTuple

from tests.stack.translation import ROOT


class Row(NamedTuple):
    """A row of the document that names a price."""

    what: str
    how_much: float
    of: str
    dollars: float
    rounding: float
    """Half of the last digit of the dollars."""


def listed_prices() -> list[dict[str, Any]]:
    """The entries of docs/prices.toml."""
    entries: list[dict[str, Any]] = tomllib.loads((ROOT / "docs/prices.toml").read_text())["price"]
    return entries


def prices() -> dict[str, float]:
    """Dollars for one of each."""
    return {entry["what"]: entry["dollars"] / entry["for"] for entry in listed_prices()}


def price_table() -> list[list[str]]:
    """The document's own table of prices, without its header."""
    return _tables("Prices")[0][1:]


def idle() -> list[Row]:
    """The rows of an idle month."""
    return _priced(_tables("An idle month")[0][1:-1])


def together() -> float:
    """Dollars of an idle month."""
    return number(_tables("An idle month")[0][-1][-1])


def priced_rows() -> list[Row]:
    """Every row of the document that names a price, outside the table of runs."""
    sections = ("An idle month", "What comes on top", "An hour of a waiting agent")
    rows = [row for section in sections for table in _tables(section) for row in table[1:]]
    return _priced([row for row in rows if row[2]])


def per_run() -> dict[str, dict[str, float]]:
    """Way to run -> what one run takes; last, under ``$``, what a thousand cost."""
    (_, *ways), *rows = _tables("A thousand runs")[0]
    return {
        way: {row[0].strip("*").partition(" for a")[0]: number(row[place]) for row in rows}
        for place, way in enumerate(ways, 1)
    }


def number(cell: str) -> float:
    return float(cell.strip("* ").replace(",", ""))


def _priced(rows: list[list[str]]) -> list[Row]:
    return [
        Row(what, number(how_much), of, number(dollars), 0.5 / 10 ** len(dollars.partition(".")[2]))
        for what, how_much, of, dollars in rows
    ]


def _tables(heading: str) -> list[list[list[str]]]:
    """The tables of a section: the rows of each, first its header, without the line under it."""
    section = (ROOT / "docs/costs.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = [block.splitlines() for block in section.split("\n\n") if block.lstrip().startswith("|")]
    tables = [
        [
            [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
            for line in block
            if line
        ]
        for block in blocks
    ]
    return [[header, *rows] for header, _, *rows in tables]
