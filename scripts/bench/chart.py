"""A chart of ratios as SVG: how much of the naive bundle each measure takes, and where its goal is."""

from __future__ import annotations

import statistics

from scripts.bench.results import GOALS, Results

_ROW, _LEFT, _WIDTH = 26, 230, 640


def chart(results: Results) -> str:
    """Bars for the goals that are ratios and were measured."""
    rows = []
    for goal in GOALS:
        ours, naive = results.get(f"ours: {goal.measure}"), results.get(f"naive: {goal.measure}")
        if goal.ratio and ours and naive:
            rows.append((goal.measure, statistics.median(ours) / statistics.median(naive), goal.most))
    scale = (_WIDTH - _LEFT - 60) / max([0.3, *(max(ratio, most) for _, ratio, most in rows)])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_ROW * len(rows) + 40}"',
        '  font-family="sans-serif" font-size="12" role="img" aria-label="What ours takes of the naive bundle">',
        "<style>text{fill:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>",
        f'<text x="{_LEFT}" y="16">of what the naive bundle takes (line: goal)</text>',
    ]
    for place, (name, ratio, most) in enumerate(rows):
        y = 28 + place * _ROW
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{name}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{ratio * scale:.1f}" height="18" fill="#2f81f7"/>',
            f'<text x="{_LEFT + ratio * scale + 8:.1f}" y="{y + 13}">1/{1 / ratio:.1f}</text>',
            f'<path d="M{_LEFT + most * scale:.1f} {y - 2}v22" stroke="#d1242f" stroke-width="2"/>',
        ]
    return "\n".join([*parts, "</svg>", ""])
