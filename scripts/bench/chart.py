"""A chart of ratios as SVG: how much of the other's each measure takes, and where its goal is."""

from __future__ import annotations

import statistics

from scripts.bench.goals import GOALS
from scripts.bench.results import OURS, Results

_ROW, _LEFT, _WIDTH = 26, 330, 760


def chart(results: Results) -> str:
    """Bars for the goals that are ratios and were measured, with a thin line from the least sample to the most."""
    rows = [(goal, samples) for goal in GOALS if goal.beside not in (None, OURS) and (samples := goal.samples(results))]
    middles = [statistics.median(samples) for _, samples in rows]
    scale = (_WIDTH - _LEFT - 70) / max([0.3, *middles, *(goal.limit(results) for goal, _ in rows)])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_ROW * len(rows) + 40}"',
        '  font-family="sans-serif" font-size="12" role="img" aria-label="What ours takes of the others">',
        "<style>text{fill:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>",
        f'<text x="{_LEFT}" y="16">of what the other takes (red: goal, thin: spread)</text>',
    ]
    for place, ((goal, samples), ratio) in enumerate(zip(rows, middles, strict=True)):
        limit = _LEFT + goal.limit(results) * scale
        y, end = 28 + place * _ROW, _WIDTH - _LEFT - 4
        low, high = (_LEFT + min(each * scale, end) for each in (min(samples), max(samples)))
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{goal.measure} / {goal.beside}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{ratio * scale:.1f}" height="18" fill="#2f81f7"/>',
            f'<path d="M{low:.1f} {y + 9}H{high:.1f}" stroke="#0a3069" stroke-width="1.5"/>',
            f'<path d="M{limit:.1f} {y - 2}v22" stroke="#d1242f" stroke-width="2"/>',
            f'<text x="{max(high, limit) + 6:.1f}" y="{y + 13}">{goal.shown(ratio)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
