"""Charts as SVG text, light and dark: lines and intervals in panels. Nothing is told by colour alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

# Okabe and Ito's hues, as in lib/pictures/style.ts; where they begin again, the dashes are others.
LIGHT = ("#0072b2", "#c44f00", "#00805c", "#a24c83", "#6b5b00")
DARK = ("#56b4e9", "#f08c3a", "#35c79a", "#dd93bf", "#e0cc4a")
DASHES = ("", "7 4", "2 3", "9 3 2 3")

PANEL, HEIGHT = 250, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 26, 40
ROW = 15


@dataclass(frozen=True)
class Line:
    series: int  # colour and dashes
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    title: str
    x: str
    y: str
    lines: Sequence[Line]
    log: bool = False  # of y
    y_range: tuple[float, float] | None = None
    x_ticks: Sequence[float] = field(default=())


def style(series: int) -> str:
    return f'class="s{series % len(LIGHT)}" stroke-dasharray="{DASHES[(series // len(LIGHT)) % len(DASHES)]}"'


def chart(title: str, description: str, rows: Sequence[Sequence[Panel]], names: Sequence[str]) -> str:
    """Panels in rows; below them the names of the series in their order."""
    width = max(len(row) for row in rows) * (PANEL + LEFT + RIGHT)
    parts, top = [], 0
    for row in rows:
        for i, panel in enumerate(row):
            parts.append(f'<g transform="translate({i * (PANEL + LEFT + RIGHT) + LEFT} {top + TOP})">{_panel(panel)}</g>')
        top += TOP + HEIGHT + BOTTOM
    left, top = LEFT, top + 10
    for series, name in enumerate(names):
        room = 44 + 6.8 * len(name)
        if left + room > width and left > LEFT:
            left, top = LEFT, top + ROW + 3
        parts.append(f'<path {style(series)} d="M{left} {top}h28"/><text x="{left + 34}" y="{top + 4}">{escape(name)}</text>')
        left += room
    return _svg(title, description, width, top + 14, parts)


def _panel(panel: Panel) -> str:
    xs = [x for line in panel.lines for x, _ in line.points]
    ys = [y for line in panel.lines for _, y in line.points]
    x_ticks = list(panel.x_ticks) or nice_ticks(min(xs), max(xs))
    low, high = panel.y_range or ((min(ys), max(ys)) if panel.log else _padded(min(ys), max(ys)))
    y_ticks = log_ticks(low, high) if panel.log else nice_ticks(low, high)
    low, high = min(low, y_ticks[0]), max(high, y_ticks[-1])
    x_low, x_high = min(*xs, *x_ticks), max(*xs, *x_ticks)
    to = math.log10 if panel.log else float

    def px(x: float) -> float:
        return PANEL * (x - x_low) / ((x_high - x_low) or 1)

    def py(y: float) -> float:
        return HEIGHT * (to(high) - to(y)) / ((to(high) - to(low)) or 1)

    parts = [f'<text class="title" x="0" y="-10">{escape(panel.title)}</text>']
    for tick in x_ticks:
        parts.append(f'<path class="grid" d="M{px(tick):.1f} 0V{HEIGHT}"/>')
        parts.append(f'<text class="tick" x="{px(tick):.1f}" y="{HEIGHT + 15}" text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        parts.append(f'<path class="grid" d="M0 {py(tick):.1f}H{PANEL}"/>')
        parts.append(f'<text class="tick" x="-6" y="{py(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text class="tick" x="{PANEL / 2}" y="{HEIGHT + 31}" text-anchor="middle">{escape(panel.x)}</text>')
    parts.append(
        f'<text class="tick" transform="translate(-38 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(panel.y)}</text>'
    )
    for line in panel.lines:
        path = " ".join(f"{px(x):.1f},{py(min(max(y, low), high)):.1f}" for x, y in line.points)
        parts.append(f'<polyline {style(line.series)} points="{path}"/>')
    return "".join(parts)


@dataclass(frozen=True)
class Interval:
    """Two standard errors to either side; hollow marks are of the second set of pictures."""

    label: str
    marks: Sequence[tuple[float, float] | None]  # (mean, standard error) of the first and the second set


def intervals(title: str, description: str, axis: str, rows: Sequence[Interval], sets: Sequence[str]) -> str:
    label, plot, row, top = 24 + 7 * max(len(r.label) for r in rows), 380, 26, 30
    ends = [m + side * 2 * e for r in rows for mark in r.marks if mark for m, e in [mark] for side in (-1, 1)]
    ticks = nice_ticks(min(0, *ends), max(0, *ends))
    low, high = min(ticks[0], *ends), max(ticks[-1], *ends)
    bottom = top + row * len(rows)

    def px(x: float) -> float:
        return label + plot * (x - low) / (high - low)

    parts = []
    for tick in ticks:
        kind = "zero" if tick == 0 else "grid"
        parts.append(f'<path class="{kind}" d="M{px(tick):.1f} {top - 6}V{bottom}"/>')
        parts.append(
            f'<text class="tick" x="{px(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{f"{tick:+g}" if tick else 0}</text>'
        )
    for i, interval in enumerate(rows):
        y = top + row * i + row / 2
        parts.append(f'<text x="{label - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(interval.label)}</text>')
        for which, mark in enumerate(interval.marks):
            if mark is None:
                continue
            mean, error = mark
            at, kind = y - 4 + 8 * which, "full" if which == 0 else "hollow"
            parts.append(f'<path class="s{which}" d="M{px(mean - 2 * error):.1f} {at:.1f}H{px(mean + 2 * error):.1f}"/>')
            parts.append(f'<circle class="s{which} {kind}{which}" cx="{px(mean):.1f}" cy="{at:.1f}" r="3.5"/>')
    parts.append(f'<text class="tick" x="{label + plot / 2}" y="{bottom + 34}" text-anchor="middle">{escape(axis)}</text>')
    for which, name in enumerate(sets):
        x = label + 190 * which
        parts.append(f'<circle class="s{which} {"full" if which == 0 else "hollow"}{which}" cx="{x}" cy="10" r="3.5"/>')
        parts.append(f'<text x="{x + 9}" y="14">{escape(name)}</text>')
    return _svg(title, description, label + plot + 20, bottom + 44, parts)


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers, three to seven of them, within `low` … `high`."""
    span = (high - low) or 1
    step = 10 ** math.floor(math.log10(span))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if span / s <= 6)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)] or [low]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten, from the last one at or below `low` to the first one at or above `high`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [round(step * 10.0**e, max(0, -e)) for e in decades for step in (1, 2, 5)]
    first = max(i for i, tick in enumerate(ticks) if tick <= low * (1 + 1e-9))
    last = min(i for i, tick in enumerate(ticks) if tick >= high * (1 - 1e-9))
    return ticks[first : last + 1]


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * ((high - low) or 1)
    return low - margin, high + margin


def _svg(title: str, description: str, width: float, height: float, parts: Sequence[str]) -> str:
    def colours(series: Sequence[str], paper: str, ink: str, muted: str, grid: str) -> str:
        return (
            f".paper{{fill:{paper}}}text{{fill:{ink}}}.tick{{fill:{muted}}}.grid{{stroke:{grid}}}.zero{{stroke:{ink}}}"
            + "".join(f".s{i}{{stroke:{c}}}.full{i}{{fill:{c}}}.hollow{i}{{fill:{paper}}}" for i, c in enumerate(series))
        )

    light = colours(LIGHT, "#ffffff", "#16181d", "#565c68", "#d5d9e0")
    dark = colours(DARK, "#14161a", "#eceef2", "#a6adba", "#3a404b")
    font = "system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif"
    css = (
        f"text{{font:12px {font}}}.title{{font-weight:600}}.tick{{font-size:11px}}"
        f"path,polyline,circle{{fill:none;stroke-width:1.6}}.grid,.zero{{stroke-width:.8}}{light}"
        f"@media (prefers-color-scheme:dark){{{dark}}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'role="img">\n<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n<style>{css}</style>\n'
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
