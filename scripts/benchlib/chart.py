# SPDX-License-Identifier: MIT
"""The chart: a bar a benchmark on a logarithmic axis, grouped by class, with the class means."""
import math
from xml.sax.saxutils import escape

from report import cpu_ratio, geometric_mean

WIDTH, LEFT, RIGHT, TOP = 860, 150, 60, 74
BAR, GAP, HEAD = 13, 4, 24
FASTER, SLOWER, MEAN, GRID, INK = "#2f6f9f", "#b5523b", "#1c1c1c", "#d8d8d8", "#222222"


def text(x, y, words, anchor="start", size=11, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'font-weight="{weight}" fill="{INK}" stroke="#ffffff" stroke-width="3" '
            f'paint-order="stroke">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


class Axis:
    """Logarithmic, 1 always on it."""

    def __init__(self, values):
        self.low = math.log(min(0.5, *values) * 0.9)
        self.high = math.log(max(4, *values) * 1.1)

    def x(self, value):
        share = (math.log(value) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        steps = [m * 10.0 ** e for e in range(-3, 5) for m in (1, 2, 5)]
        return [t for t in steps if self.low <= math.log(t) <= self.high]


def bar(axis, y, name, value):
    x0, x1 = sorted((axis.x(1), axis.x(value)))
    colour = FASTER if value >= 1 else SLOWER
    beside = max(x0, x1) + 4
    return [text(LEFT - 8, y + BAR - 3, name, "end"),
            f'<rect x="{x0:.1f}" y="{y:.1f}" width="{max(x1 - x0, 0.5):.1f}" height="{BAR}" '
            f'fill="{colour}" fill-opacity="0.85"/>',
            text(beside, y + BAR - 3, f"{value:.2f}" if value < 10 else f"{value:.1f}", size=10)]


def group_block(axis, y, group, values):
    mean = geometric_mean([v for _, v in values])
    parts = [text(8, y + 16, group, weight="bold", size=12),
             text(WIDTH - 8, y + 16, f"mean {mean:.2f}", "end", weight="bold")]
    y += HEAD
    bottom = y + len(values) * (BAR + GAP)
    parts.append(line(axis.x(mean), y - 2, axis.x(mean), bottom - 2, MEAN, 1.5))
    for name, value in values:
        parts += bar(axis, y, name, value)
        y += BAR + GAP
    return parts, bottom + 4


def svg(rows, of, to, subtitle):
    groups = {}
    for row in rows:
        value = cpu_ratio(row, of, to)
        if value:
            groups.setdefault(row.group, []).append((row.name, value))
    axis = Axis([v for values in groups.values() for _, v in values] or [1])
    body, y = [], TOP
    for group, values in groups.items():
        parts, y = group_block(axis, y, group, values)
        body += parts
    grid = []
    for tick in axis.ticks():
        grid.append(line(axis.x(tick), TOP - 6, axis.x(tick), y, GRID))
        grid.append(text(axis.x(tick), TOP - 12, f"{tick:g}×", "middle", 10))
    grid.append(line(axis.x(1), TOP - 6, axis.x(1), y, INK))
    head = [text(8, 22, f"CPU time of {to} ÷ CPU time of {of}: longer is faster", size=15,
                 weight="bold"), text(8, 40, subtitle)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10:.0f}" '
            f'viewBox="0 0 {WIDTH} {y + 10:.0f}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
            + "\n".join(head + grid + body) + "\n</svg>\n")
