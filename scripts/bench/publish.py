"""``python -m scripts.bench.publish``: the chart and the tables of ``docs/performance.md`` from the results file."""

from __future__ import annotations

from local.settings import ROOT
from scripts.bench.chart import chart
from scripts.bench.results import load
from scripts.bench.tables import with_tables

RESULTS, CHART = ROOT / "docs/performance/results.json", ROOT / "docs/performance/beside.svg"
DOCUMENT = ROOT / "docs/performance.md"


def publish() -> None:
    """Write both."""
    run, results = load(RESULTS)
    CHART.write_text(chart(results))
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(), run, results))


if __name__ == "__main__":
    publish()
