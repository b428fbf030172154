"""A study's results as Markdown: a page of its own, and the parts that docs/claim.md has between its marks."""

import re
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path

from .results import SETS, is_resolved

TITLES = {"validation": "validation", "holdout": "held out"}
UNRESOLVED = "not resolved"


def networks_table(results: dict) -> list[str]:
    """A line a network: what it costs, and its error as mean ± standard error over seeds."""
    lines = [
        "| network | numbers | 1-bit | full | paper | ms | seeds | error, validation | error, held out | ECE | train CE |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for network, own in results["networks"].items():
        runs = [run for run in results["runs"] if run["network"] == network]
        if not runs:
            continue
        costs = runs[0]["costs"]
        binary, real = costs["binary_macs"], costs["real_macs"]
        millions = " | ".join(f"{count / 1e6:.1f}" for count in (binary, real, binary / 64 + real))
        errors = " | ".join(_mean_of(runs, name) for name in SETS)
        seeds = ", ".join(str(run["seed"]) for run in runs)
        calibration = [run["validation"]["ece"] for run in runs if "ece" in run["validation"]]
        calibration = f"{statistics.mean(calibration):.1f}" if calibration else "–"
        entropy = statistics.mean(run["train_cross_entropy"] for run in runs)
        lines.append(
            f"| {own['title']} | {costs['parameters']:,} | {millions} | {_milliseconds(results, network)} | {seeds} | "
            f"{errors} | {calibration} | {entropy:.3f} |"
        )
    missing = [own["title"] for name, own in results["networks"].items() if name not in {r["network"] for r in results["runs"]}]
    return [*lines, *(["", f"Not trained yet: {'; '.join(missing)}."] if missing else [])]


def _mean_of(runs: list[dict], name: str) -> str:
    errors = [100 - run[name]["top1"] for run in runs if name in run]
    if not errors:
        return "–"
    mean = f"{statistics.mean(errors):.2f}"
    return mean if len(errors) == 1 else f"{mean} ± {statistics.stdev(errors) / len(errors) ** 0.5:.2f}"


def _milliseconds(results: dict, network: str) -> str:
    times = (results["times"] or {}).get("networks", {})
    return f"{times[network]['p50']:.2f}" if network in times else "–"


def runs_table(results: dict) -> list[str]:
    lines = [
        "| network | seed | top-1 / top-5 / ECE, validation | the same, held out | cross entropy | in training | s an epoch |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in results["runs"]:
        sets = " | ".join(_scores(run[name]) if name in run else "–" for name in SETS)
        lines.append(
            f"| {results['networks'][run['network']]['title']} | {run['seed']} | {sets} | "
            f"{run['validation']['cross_entropy']:.3f} | {run['train_cross_entropy']:.3f} | {run['seconds_an_epoch']:.1f} |"
        )
    return lines


def _scores(scores: dict) -> str:
    return " / ".join(f"{scores[key]:.2f}" if key in scores else "–" for key in ("top1", "top5", "ece"))


def means_table(results: dict) -> list[str]:
    """A line a pair: the mean over its seeds, on each set of pictures. differences_table has the seeds."""
    titles = {name: own["title"] for name, own in results["networks"].items()}
    pairs, sets = means_by_pair(results)
    lines = [
        f"| first | second | seeds | {' | '.join(TITLES[name] for name in sets)} |",
        "| --- | --- | --- |" + " --- |" * len(sets),
    ]
    for (a, b), group in pairs.items():
        points = " | ".join(f"{_points(group[name])}{_reading(group[name], ', ')}" if name in group else "–" for name in sets)
        lines.append(f"| {titles[a]} | {titles[b]} | {max(mean['seeds'] for mean in group.values())} | {points} |")
    return lines


def means_by_pair(results: dict) -> tuple[dict[tuple[str, str], dict[str, dict]], list[str]]:
    """Each pair's means by the set of pictures, and the sets that there are."""
    pairs: dict[tuple[str, str], dict[str, dict]] = {}
    for mean in results["means"]:
        pairs.setdefault((mean["a"], mean["b"]), {})[mean["set"]] = mean
    return pairs, [name for name in SETS if any(name in group for group in pairs.values())]


def differences_table(results: dict) -> list[str]:
    lines = [
        "| first | second | pictures | seed | points | only first | only second | z | p | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    titles = {name: own["title"] for name, own in results["networks"].items()}
    groups: dict[tuple[str, str, str], list[dict]] = {}
    for difference in results["differences"]:
        groups.setdefault((difference["a"], difference["b"], difference["set"]), []).append(difference)
    for (a, b, name), seeds in groups.items():
        begin = f"| {titles[a]} | {titles[b]} | {TITLES[name]} |"
        for d in seeds:
            test = f"{d['only_a']} | {d['only_b']} | {d['z']:+.1f} | {d['p']:.2g}"
            lines.append(f"{begin} {d['seed']} | {_points(d)} | {test} | {_reading(d)} |")
        if len(seeds) > 1:
            (mean,) = (m for m in results["means"] if (m["a"], m["b"], m["set"]) == (a, b, name))
            lines.append(f"{begin} mean of {len(seeds)} | {_points(mean)} | | | | | {_reading(mean)} |")
    return lines


def _points(difference: dict) -> str:
    return f"{difference['points']:+.2f} ± {difference['error']:.2f}"


def _reading(difference: dict, before: str = "") -> str:
    return "" if is_resolved(difference["points"], difference["error"]) else before + UNRESOLVED


def gradients_table(results: dict) -> list[str]:
    """A line a network and epoch: medians over its units."""
    watched = {network: one for network, one in results["watched"].items() if one.get("gradients")}
    if not watched:
        return ["*Nothing measured yet.*"]
    sharpness = " / ".join(f"{beta:g}" for beta in next(iter(watched.values()))["sharpness"])
    lines = [
        f"| network | epoch | cosine by maps, β = {sharpness} | error by maps, β = 1 | cosine by weights, β = {sharpness} "
        "| two batches | flips, % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for network, one in watched.items():
        flips = dict(one["flips"])
        for epoch, layers in one["gradients"]:
            cosines = {
                kind: " / ".join(f"{_median(layer[kind][i][0] for layer in layers):z.2f}" for i in range(len(one["sharpness"])))
                for kind in ("input", "weight")
            }
            error, batches = _median(layer["input"][0][1] for layer in layers), _median(layer["batches"] for layer in layers)
            lines.append(
                f"| {results['networks'][network]['title']} | {epoch} | {cosines['input']} | {error:.2f} | "
                f"{cosines['weight']} | {batches:z.2f} | {100 * _median(flips[epoch]):.2f} |"
            )
    return lines


def _median(values: Iterable[float | None]) -> float:
    return statistics.median(value for value in values if value is not None)


def machines(results: dict) -> str:
    """Of what the figures were measured on, in sentences."""
    common = {key: sorted({run[key] for run in results["runs"]}) for key in ("device", "torch", "commit", "epochs")}
    text = (
        f"{results['protocol']} Epochs: {_list(common['epochs'])}; measured in float32; trained on: {_list(common['device'])}; "
        f"PyTorch {_list(common['torch'])}; commit {_list(common['commit'])}."
    )
    if results["times"] is not None:
        times, m = results["times"], results["times"]["machine"]
        threads = f"{m['threads']} thread{'s' if m['threads'] > 1 else ''}"
        text += (
            f" Milliseconds: median of one picture of {times['input_size']}×{times['input_size']} in bitpath {m['bitpath']} "
            f"({m['commit']}), {threads}, {m['isa']}, {m['cpu']}."
        )
    return text


EXPLANATION = (
    "Operations are millions a picture: 1-bit, full-precision, and as the paper counts (1-bit ÷ 64 + full-precision). Errors "
    "are of the first guess, ECE is the calibration error (of a network: on the validation pictures), both in per cent; ± "
    "is the standard error over seeds where there are several. Points are the first's top-1 less the second's ± its standard "
    "error. A seed's test is McNemar's: pictures that only the first, only the second gets right, z and the two-sided p; it is "
    "about the sampling of pictures, and not corrected for the number of tests. Over seeds: the mean, and the larger of what "
    "the seeds' spread and what the sampling of pictures gives it; all seeds are tested on the same pictures, so more of them "
    "do not average sampling away. Below 2 standard errors: not resolved."
)


def describe(results: dict) -> str:
    """The whole of it."""
    if not results["runs"]:
        return f"# {results['title']}\n\nNothing trained yet.\n"
    parts = [
        f"# {results['title']}",
        "",
        "Written by `python -m bitpath_training results`.",
        "",
        machines(results),
        "",
        EXPLANATION,
        "",
        *networks_table(results),
        "",
        "## Runs",
        "",
        *runs_table(results),
        "",
        "## Differences",
        "",
        *differences_table(results),
    ]
    return "\n".join(parts) + "\n"


def _list(values: list) -> str:
    return ", ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in values)


PARTS: dict[str, Callable[[dict], list[str]]] = {
    "machines": lambda results: [machines(results)],
    "networks": networks_table,
    "runs": runs_table,
    "means": means_table,
    "gradients": gradients_table,
}
MARK = re.compile(r"<!-- made: (?P<study>[\w-]+) (?P<part>\w+) -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)


def fill_page(page: str, results: dict[str, dict]) -> str:
    """`page` with what stands between its marks made anew; `results` are by name of the study, with what was `watched`."""

    def fill(match: re.Match) -> str:
        of = results[match["study"]]
        lines = PARTS[match["part"]](of) if of["runs"] else ["*Nothing trained yet.*"]
        return f"<!-- made: {match['study']} {match['part']} -->\n" + "\n".join(lines) + "\n<!-- end -->"

    return MARK.sub(fill, page)


def studies_of_page(page: str) -> set[str]:
    return {match["study"] for match in MARK.finditer(page)}


def write_page(path: Path, results: dict[str, dict]) -> None:
    path.write_text(fill_page(path.read_text(), results))
