"""A study: several networks trained by one recipe, side by side on one device. results.py has what comes of it."""

import contextlib
import json
import statistics
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .checkpoint import write_whole
from .costs import count_costs
from .data import Dataset, Pictures, load_dataset
from .evaluate import score
from .gradients import read_watch
from .recipe import Recipe, recipe_from_dict, recipe_to_dict
from .results import RESULT, pack_scores, stored_runs
from .train import WATCHED, train

KEYS = {"name", "title", "protocol", "recipe", "networks", "pairs"}
OPTIONAL = {"plan", "watched"}


@dataclass(frozen=True)
class Study:
    name: str
    title: str
    protocol: str  # in a sentence: what was trained on, what it was measured on
    networks: dict[str, dict]  # what a network's recipe adds to the common one
    pairs: tuple[tuple[str, str], ...]  # networks whose difference is asked for
    common: dict
    plan: tuple[str, ...] = ()  # NETWORK:SEED in the order of training
    watched: tuple[str, ...] = field(default=())  # networks whose gradients are measured while they train with seed 0

    def recipe(self, network: str, seed: int) -> Recipe:
        own = self.networks[network]
        return recipe_from_dict(self.common | own | {"name": self.run_name(network, seed), "seed": seed})

    def run_name(self, network: str, seed: int) -> str:
        return f"{self.name}-{network}-seed{seed}"


def load_study(path: Path) -> Study:
    """Raises ValueError for what the file cannot mean."""
    values = tomllib.loads(path.read_text())
    if not KEYS <= set(values) <= KEYS | OPTIONAL:
        raise ValueError(f"{path}: a study has {', '.join(sorted(KEYS))} and may have {', '.join(sorted(OPTIONAL))}")
    pairs = tuple((a, b) for a, b in values["pairs"])
    study = Study(
        **{key: values[key] for key in ("name", "title", "protocol", "networks")},
        pairs=pairs,
        common=values["recipe"],
        plan=tuple(values.get("plan", [f"{network}:0" for network in values["networks"]])),
        watched=tuple(values.get("watched", [])),
    )
    for network in study.networks:
        study.recipe(network, 0)
    for run in study.plan:
        parse_run(study, run)
    named = {name for pair in pairs for name in pair} | set(study.watched)
    unknown = sorted(named - set(study.networks))
    if unknown:
        raise ValueError(f"{path}: there are no networks {', '.join(unknown)}")
    return study


def parse_run(study: Study, text: str) -> Recipe:
    """`network` or `network:seed`."""
    network, _, seed = text.partition(":")
    if network not in study.networks or not (seed or "0").isdecimal():
        raise ValueError(f"{text!r} is not one of {', '.join(study.networks)}, with a seed after a colon or without")
    return study.recipe(network, int(seed or 0))


def train_study(
    study: Study,
    recipes: list[Recipe],
    data: Path,
    runs: Path,
    stored: Path,
    device: torch.device,
    *,
    slots: int,
    stop_after: float,
    commit: str,
) -> list[str]:
    """Trains `slots` of them at a time, in order, and returns the names of those without a result.

    Each has a process of its own; what it prints is in output.txt beside its checkpoint. `stop_after` seconds no run begins
    any more and those under way stop as `train` does. The same call goes on later; runs that have a result, in `runs` or in
    `stored`, are left alone.
    """
    begin = time.monotonic()

    def is_done(recipe: Recipe) -> bool:
        return (runs / recipe.name / RESULT).exists() or any(run.stem == recipe.name for run in stored_runs(stored, study.name))

    left_to_do = [recipe for recipe in recipes if not is_done(recipe)]
    if not left_to_do:
        return []
    prepared = _prepare(left_to_do[0], data, runs)
    context = torch.multiprocessing.get_context("spawn")

    def one(recipe: Recipe) -> None:
        left = begin + stop_after - time.monotonic()
        if left <= 0:
            return
        watch = recipe.seed == 0 and recipe.name in {study.run_name(network, 0) for network in study.watched}
        worker = context.Process(target=_run, args=(recipe, prepared, runs, device, left, commit, watch))
        worker.start()
        worker.join()
        print(f"{recipe.name}: exit status {worker.exitcode} after {time.monotonic() - begin:.0f} s", flush=True)

    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(one, left_to_do))
    return [recipe.name for recipe in left_to_do if not is_done(recipe)]


def _prepare(recipe: Recipe, data: Path, runs: Path) -> Path:
    """The pictures decoded once, for all runs."""
    path = runs / "pictures.pt"
    runs.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        dataset = load_dataset(recipe.data, data)
        sets = {name: getattr(dataset, name) for name in ("pictures", "validation", "holdout")}
        tensors = {name: (p.images, p.labels) for name, p in sets.items() if p is not None}
        values = {"data": recipe_to_dict(recipe)["data"], "classes": dataset.classes, "sets": tensors}
        write_whole(path, lambda temporary: torch.save(values, temporary))
    elif torch.load(path, mmap=True)["data"] != recipe_to_dict(recipe)["data"]:
        raise ValueError(f"{path} holds other pictures; remove it")
    return path


def _run(recipe: Recipe, prepared: Path, runs: Path, device: torch.device, stop_after: float, commit: str, watch: bool) -> None:
    folder = runs / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "output.txt", "a") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        values = torch.load(prepared, mmap=True)
        sets = {name: Pictures(*tensors) for name, tensors in values["sets"].items()}
        checkpoint = train(recipe, Dataset(classes=values["classes"], **sets), runs, device, stop_after, watch)
        if checkpoint.epoch < recipe.epochs:
            return
        network = checkpoint.build().to(device, memory_format=torch.channels_last)
        tests = {name: sets[name] for name in ("validation", "holdout") if name in sets}
        scores = {name: score(network, test.to(device), recipe.input_size) for name, test in tests.items()}
        log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        result = {
            "recipe": recipe_to_dict(recipe),
            "epochs": checkpoint.epoch,
            "train_cross_entropy": log[-1]["loss"],
            **{name: one.means() for name, one in scores.items()},
            "curve": curve(log, recipe),
            "seconds_an_epoch": statistics.median(line["seconds"] for line in log),
            "costs": count_costs(network, recipe.input_size),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
            "torch": torch.__version__,
            "commit": commit,
            "right": {name: pack_scores(one.first, one.five) for name, one in scores.items()},
            "watched": read_watch(folder / WATCHED),
        }
        write_whole(folder / RESULT, lambda temporary: temporary.write_text(json.dumps(result)))


def curve(log: list[dict], recipe: Recipe) -> list[list]:
    """[epoch, top-1] on what the run watches, in the precision of training; not of epochs that it was merely stopped after."""
    measured = [line for line in log if "top1" in line]
    due = [line for line in measured if line["epoch"] % recipe.evaluate_every == 0 or line["epoch"] == recipe.epochs]
    return [[line["epoch"], line["top1"]] for line in due]
