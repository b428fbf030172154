"""A study: several networks trained by one recipe, side by side on one device, and compared picture by picture."""

import contextlib
import json
import math
import statistics
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .costs import count_costs
from .data import Pictures
from .evaluate import score
from .recipe import Recipe, recipe_from_dict, recipe_to_dict
from .train import Dataset, load_dataset, train

RESULT = "result.json"
CORRECT = "correct.npy"  # bool [2, pictures]: right among the first, among the first five


@dataclass(frozen=True)
class Study:
    name: str
    title: str
    networks: dict[str, dict]  # what a network's recipe adds to the common one
    pairs: tuple[tuple[str, str], ...]  # networks whose difference is asked for
    common: dict

    def recipe(self, network: str, seed: int) -> Recipe:
        own = self.networks[network]
        return recipe_from_dict(self.common | own | {"name": f"{self.name}-{network}-seed{seed}", "seed": seed})


def load_study(path: Path) -> Study:
    """`networks` is in the order of training. Raises ValueError for what the file cannot mean."""
    values = tomllib.loads(path.read_text())
    if set(values) != {"name", "title", "recipe", "networks", "pairs"}:
        raise ValueError(f"{path}: a study has name, title, pairs and the tables recipe and networks")
    pairs = tuple((a, b) for a, b in values["pairs"])
    study = Study(values["name"], values["title"], values["networks"], pairs, values["recipe"])
    for network in study.networks:
        study.recipe(network, 0)
    unknown = sorted({name for pair in pairs for name in pair} - set(study.networks))
    if unknown:
        raise ValueError(f"{path}: pairs of unknown networks {', '.join(unknown)}")
    return study


def parse_run(study: Study, text: str) -> Recipe:
    """`network` or `network:seed`."""
    network, _, seed = text.partition(":")
    if network not in study.networks or not (seed or "0").isdecimal():
        raise ValueError(f"{text!r} is not one of {', '.join(study.networks)}, with a seed after a colon or without")
    return study.recipe(network, int(seed or 0))


# ---- training ----


def train_study(
    recipes: list[Recipe], data: Path, runs: Path, device: torch.device, *, slots: int, stop_after: float, commit: str
) -> list[str]:
    """Trains `slots` of them at a time, in order, and returns the names of those without a result.

    Each has a process of its own; what it prints is in output.txt beside its checkpoint. `stop_after` seconds no run begins
    any more and those under way stop as `train` does. The same call goes on later; runs that have a result are left alone.
    """
    begin = time.monotonic()
    prepared = _prepare(recipes[0], data, runs)
    context = torch.multiprocessing.get_context("spawn")

    def one(recipe: Recipe) -> None:
        left = begin + stop_after - time.monotonic()
        if left <= 0 or (runs / recipe.name / RESULT).exists():
            return
        worker = context.Process(target=_run, args=(recipe, prepared, runs, device, left, commit))
        worker.start()
        worker.join()
        print(f"{recipe.name}: exit status {worker.exitcode} after {time.monotonic() - begin:.0f} s", flush=True)

    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(one, recipes))
    return [recipe.name for recipe in recipes if not (runs / recipe.name / RESULT).exists()]


def _prepare(recipe: Recipe, data: Path, runs: Path) -> Path:
    """The pictures decoded once, for all runs."""
    path = runs / "pictures.pt"
    runs.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        dataset = load_dataset(recipe.data, data)
        sets = [(p.images, p.labels) for p in (dataset.pictures, dataset.validation)]
        torch.save({"data": recipe_to_dict(recipe)["data"], "classes": dataset.classes, "sets": sets}, path)
    elif torch.load(path, mmap=True)["data"] != recipe_to_dict(recipe)["data"]:
        raise ValueError(f"{path} holds other pictures; remove it")
    return path


def _run(recipe: Recipe, prepared: Path, runs: Path, device: torch.device, stop_after: float, commit: str) -> None:
    folder = runs / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "output.txt", "a") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        values = torch.load(prepared, mmap=True)
        pictures, validation = (Pictures(images, labels) for images, labels in values["sets"])
        checkpoint = train(recipe, Dataset(pictures, validation, values["classes"]), runs, device, stop_after)
        if checkpoint.epoch < recipe.epochs:
            return
        network = checkpoint.build().to(device, memory_format=torch.channels_last)
        scores = score(network, validation.to(device), recipe.input_size)
        np.save(folder / CORRECT, torch.stack((scores.first, scores.five)).numpy())
        log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        result = {
            "recipe": recipe_to_dict(recipe),
            "epochs": checkpoint.epoch,
            "train_cross_entropy": log[-1]["loss"],
            "validation": scores.means(),
            # [epoch, top-1] in the precision of training
            "curve": [[line["epoch"], line["top1"]] for line in log if "top1" in line],
            "seconds_an_epoch": statistics.median(line["seconds"] for line in log),
            "costs": count_costs(network, recipe.input_size),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
            "torch": torch.__version__,
            "commit": commit,
        }
        (folder / RESULT).write_text(json.dumps(result, indent=1))


# ---- results ----


def collect(study: Study, runs: Path) -> dict:
    """All that `runs` holds of the study: runs with their figures, and the paired differences of its pairs, a seed each."""
    found, correct = [], {}
    for network in study.networks:
        for path in runs.glob(f"{study.name}-{network}-seed*/{RESULT}"):
            result = json.loads(path.read_text())
            seed = result["recipe"]["seed"]
            if recipe_from_dict(result["recipe"]) != study.recipe(network, seed):
                raise ValueError(f"{path} is of another recipe than the study's")
            del result["recipe"]
            found.append({"network": network, "seed": seed} | result)
            correct[network, seed] = np.load(path.parent / CORRECT)[0]
    order = list(study.networks)
    found.sort(key=lambda run: (order.index(run["network"]), run["seed"]))
    differences = []
    for a, b in study.pairs:
        seeds = sorted(seed for network, seed in correct if network == a and (b, seed) in correct)
        differences.extend({"a": a, "b": b, "seed": s} | mcnemar(correct[a, s], correct[b, s]) for s in seeds)
    return {
        "study": study.name,
        "title": study.title,
        "recipe": recipe_to_dict(study.recipe(order[0], 0)) | dict.fromkeys(("name", "title", "network", "seed")),
        "networks": study.networks,
        "runs": found,
        "differences": differences,
    }


def mcnemar(a: np.ndarray, b: np.ndarray) -> dict:
    """a's accuracy less b's in points, its standard error, and the test of the pictures that one of the two gets right."""
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    z = (only_a - only_b) / math.sqrt(only_a + only_b) if only_a + only_b else 0.0
    return {
        "points": 100 * (only_a - only_b) / len(a),
        "error": 100 * math.sqrt(only_a + only_b) / len(a),
        "only_a": only_a,
        "only_b": only_b,
        "z": z,
        "p": math.erfc(abs(z) / math.sqrt(2)),
    }


def describe(results: dict) -> str:
    """The results as Markdown."""
    titles = {name: own["title"] for name, own in results["networks"].items()}
    missing = [title for name, title in titles.items() if name not in {run["network"] for run in results["runs"]}]
    common = {key: sorted({run[key] for run in results["runs"]}) for key in ("device", "torch", "commit", "epochs")}
    images = sorted({run["validation"]["images"] for run in results["runs"]})
    lines = [
        f"# {results['title']}",
        "",
        f"Written by `python -m bitpath_training results`. Epochs: {_list(common['epochs'])}; validation pictures: "
        f"{_list(images)}, evaluated in float32; device: {_list(common['device'])}; PyTorch {_list(common['torch'])}; commit "
        f"{_list(common['commit'])}. Operations are millions a picture: 1-bit, full-precision, and as the paper counts "
        "(1-bit ÷ 64 + full-precision). Seconds an epoch are those of runs that shared the device.",
        "",
        "| network | numbers | 1-bit | full | paper | seed | top-1 | top-5 | cross entropy | in training | s an epoch |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in results["runs"]:
        costs, validation = run["costs"], run["validation"]
        binary, real = costs["binary_macs"], costs["real_macs"]
        millions = " | ".join(f"{count / 1e6:.1f}" for count in (binary, real, binary / 64 + real))
        lines.append(
            f"| {titles[run['network']]} | {costs['parameters']:,} | {millions} | {run['seed']} | {validation['top1']:.2f} | "
            f"{validation['top5']:.2f} | {validation['cross_entropy']:.3f} | {run['train_cross_entropy']:.3f} | "
            f"{run['seconds_an_epoch']:.1f} |"
        )
    if missing:
        lines += ["", f"Not trained: {'; '.join(missing)}."]
    lines += [
        "",
        "## Differences",
        "",
        "Top-1 of the first less the second's, in points ± its standard error. McNemar's test: pictures that only the first, "
        "only the second gets right; z and the two-sided p. All three are for the sampling of pictures alone, not for that of "
        "seeds, and not corrected for the number of tests. Below 2 standard errors: not resolved. Over seeds: the mean, and "
        "its standard error from the seeds' spread.",
        "",
        "| first | second | seed | points | only first | only second | z | p | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    groups: dict[tuple[str, str], list[dict]] = {}
    for difference in results["differences"]:
        groups.setdefault((difference["a"], difference["b"]), []).append(difference)
    for (a, b), seeds in groups.items():
        names = f"| {titles[a]} | {titles[b]} |"
        for d in seeds:
            points = f"{d['points']:+.2f} ± {d['error']:.2f}"
            reading = "" if abs(d["z"]) >= 2 else "not resolved"
            lines.append(
                f"{names} {d['seed']} | {points} | {d['only_a']} | {d['only_b']} | {d['z']:+.1f} | {d['p']:.2g} | {reading} |"
            )
        if len(seeds) > 1:
            over = [d["points"] for d in seeds]
            error = statistics.stdev(over) / math.sqrt(len(over))
            lines.append(f"{names} mean of {len(over)} | {statistics.mean(over):+.2f} ± {error:.2f} | | | | | |")
    return "\n".join(lines) + "\n"


def _list(values: list) -> str:
    return ", ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in values)
