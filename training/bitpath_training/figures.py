"""The pictures of a study, from its results: differences, curves, gradients, latent weights."""

import statistics
from collections.abc import Callable

from .gradients import EDGES
from .plots import Interval, Line, Panel, chart, intervals
from .report import TITLES, means_by_pair


def figures(results: dict, watched: dict[str, dict]) -> dict[str, str]:
    """SVG texts by name, those only that there are results for. `watched` is by network: what was measured while training."""
    made = {"differences": differences(results), "curves": curves(results)} if results["differences"] else {}
    titles = {name: own["title"] for name, own in results["networks"].items()}
    measured = {name: one for name, one in watched.items() if one.get("gradients")}
    if measured:
        made |= {"gradients": gradients(measured, titles), "latent": latent(measured, titles)}
    return {f"{results['study']}-{name}": svg for name, svg in made.items()}


def differences(results: dict) -> str:
    titles = {name: own["title"] for name, own in results["networks"].items()}
    pairs, sets = means_by_pair(results)
    rows = []
    for (a, b), group in pairs.items():
        means = [group.get(name) for name in sets]
        seeds = max(mean["seeds"] for mean in means if mean)
        label = f"{titles[a]} − {titles[b]}" + (f" ({seeds} seeds)" if seeds > 1 else "")
        rows.append(Interval(label, [(mean["points"], mean["error"]) if mean else None for mean in means]))
    title = "Differences in top-1, with two standard errors"
    names = [f"{TITLES[name]} pictures" for name in sets]
    return intervals(title, results["protocol"], "points of top-1: right of 0 the first is better", rows, names)


def curves(results: dict) -> str:
    lines, names = [], []
    for network, own in results["networks"].items():
        runs = [run for run in results["runs"] if run["network"] == network]
        if not runs:
            continue
        seeds = [dict(run["curve"]) for run in runs]
        epochs = sorted(set.intersection(*map(set, seeds)))
        means = [statistics.mean(seed[epoch] for seed in seeds) for epoch in epochs]
        lines.append(Line(len(names), list(zip(epochs, means, strict=True))))
        names.append(own["title"] + (f" ({len(runs)} seeds)" if len(runs) > 1 else ""))
    whole = Panel("while training", "epoch", "top-1, %", lines, x_ticks=epochs)
    last = [Line(line.series, line.points[-2:]) for line in lines]
    end = Panel("the last evaluations", "epoch", "top-1, %", last, x_ticks=epochs[-2:])
    return chart("Top-1 while training", results["protocol"], [[whole, end]], names)


def depth_of(name: str) -> tuple[int, float, float]:
    """(block, begin, length within it) of a unit: `a` and `b` of a fractal are its halves, `u` is beside both."""
    parts = name.split(".")
    begin, length = 0.0, 1.0
    for part in parts[2:]:
        if part in ("a", "b"):
            length /= 2
            begin += length if part == "b" else 0.0
    return int(parts[1]), begin, length


def positions(names: list[str]) -> list[float]:
    """Where along the network the units stand, 0 … 1: in the middle of what they go round."""
    blocks = sorted({depth_of(name)[0] for name in names})
    order = {block: i for i, block in enumerate(blocks)}
    return [(order[block] + begin + length / 2) / len(blocks) for block, begin, length in map(depth_of, names)]


def gradients(watched: dict[str, dict], titles: dict[str, str]) -> str:
    epochs = [epoch for epoch, _ in next(iter(watched.values()))["gradients"]]
    rows = [
        ("cosine, by the maps", lambda layer: layer["input"][0][0], False),
        ("relative error, by the maps", lambda layer: layer["input"][0][1], True),
        ("cosine, by the weights", lambda layer: layer["weight"][0][0], False),
    ]
    panels = []
    for what, value, log in rows:
        found = [_by_depth(watched, epoch, value, log) for epoch in epochs]
        ys = [y for lines in found for line in lines for _, y in line.points] or [1.0]
        limits = (min(ys), max(ys)) if log else (min(0.0, *ys), 1.0)
        x = "depth, from the stem to the classifier"
        titles_of = [f"after epoch {epoch}" for epoch in epochs]
        panels.append([Panel(title, x, what, lines, log, limits) for title, lines in zip(titles_of, found, strict=True)])
    description = "Straight-through gradients against those of the smooth network with β = 1, unit by unit."
    return chart("Gradients", description, panels, [titles[name] for name in watched])


def _by_depth(watched: dict[str, dict], epoch: int, value: Callable[[dict], float | None], log: bool) -> list[Line]:
    lines = []
    for series, one in enumerate(watched.values()):
        layers = dict(one["gradients"]).get(epoch, [])
        points = sorted(zip(positions([layer["name"] for layer in layers]), map(value, layers), strict=True))
        points = [(x, y) for x, y in points if y is not None and (y > 0 or not log)]
        if points:
            lines.append(Line(series, points))
    return lines


def latent(watched: dict[str, dict], titles: dict[str, str]) -> str:
    flips = [
        Line(series, [(epoch, 100 * statistics.mean(shares)) for epoch, shares in one["flips"]])
        for series, one in enumerate(watched.values())
    ]
    panels = [Panel("signs that flip", "epoch", "% of the weights in an epoch", flips)]
    for epoch, _ in next(iter(watched.values()))["latent"]:
        lines = []
        for series, one in enumerate(watched.values()):
            layers = dict(one["latent"]).get(epoch, [])
            counts = [sum(layer["histogram"][i] for layer in layers) for i in range(len(EDGES) - 1)]
            total = sum(counts) or 1
            lines.append(Line(series, [(-14 + (i + 0.5) / 2, 100 * count / total) for i, count in enumerate(counts)]))
        panels.append(Panel(f"latent weights after epoch {epoch}", "log₂ |w|, half octaves", "% of the weights", lines))
    description = "Shares of 1-bit weights whose sign changed within an epoch; magnitudes of latent weights."
    return chart("Latent weights", description, [panels], [titles[name] for name in watched])
