"""python -m bitpath_training COMMAND …: `--help` and ../README.md have the commands."""

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from .checkpoint import Checkpoint, load_checkpoint
from .data import Pictures, load_dataset, load_labels, load_pictures, load_training_pictures
from .evaluate import evaluate, recalibrate
from .export import export_model
from .figures import figures
from .golden import answers, golden_tensors, read_metadata, read_model
from .recalibrate import recalibrate_model
from .recipe import Recipe, Teacher, load_recipe
from .report import describe, studies_of_page, write_page
from .results import collect, store_runs, watched_runs
from .step import TrainingError
from .study import Study, load_study, parse_run, train_study
from .times import format_times, measure_times
from .train import make_step, train


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError, TrainingError, subprocess.CalledProcessError) as error:
        print(f"bitpath_training: {error}", file=sys.stderr)
        return 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bitpath_training", description="Trains networks for bitpath.")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(required=True, metavar="command")

    def add_places(one: argparse.ArgumentParser) -> None:
        one.add_argument("--data", type=Path, default=Path(), help="folder that the recipe's data lie in (default: .)")
        one.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints and logs (default: runs)")
        one.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")

    def command(name: str, run, text: str, changes: bool = False) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        one.add_argument("recipe", type=Path, help="the TOML recipe")
        add_places(one)
        if changes:  # evaluate and export take the checkpoint's recipe, by the name of this one
            one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe: epochs=20")
        return one

    one = command("train", run_train, "Train, or go on with a run that was stopped.", changes=True)
    one.add_argument("--stop-after", type=float, default=float("inf"), metavar="SECONDS", help="stop after the epoch then in")
    one = command("evaluate", run_evaluate, "Measure top-1, top-5 and calibration as the engine's picture path sees pictures.")
    one.add_argument("--recalibrate", type=int, default=0, metavar="BATCHES", help="estimate BatchNorm statistics again first")
    one = command("export", run_export, "Write the model file that bitpath serves.")
    one.add_argument("output", type=Path, help="a .safetensors file")
    one.add_argument("--recalibrate", type=int, default=0, metavar="BATCHES", help="estimate BatchNorm statistics again first")
    one.add_argument("--graph", type=Path, help="graph JSON of training/print_graph.mjs, where node is not at hand")
    text = "Estimate a model file's BatchNorm statistics again, on the integer-stem path that serves pictures."
    one = command("recalibrate", run_recalibrate, text)
    one.add_argument("model", type=Path, help="a .safetensors file; of the recipe only its data count")
    one.add_argument("output", type=Path, help="a .safetensors file")
    one.add_argument("--batches", type=int, default=100, help="of 250 whole training pictures (default: 100)")
    one = command("time", run_time, "Time the training step on random pictures; the teacher is left out.", changes=True)
    one.add_argument("--steps", type=int, default=40)
    one.add_argument("--classes", type=int, default=200)

    text = "Write golden tensors of a model file: what PyTorch makes of each part of its network."
    one = commands.add_parser("golden", help=text, description=text)
    one.set_defaults(run=run_golden)
    one.add_argument("model", type=Path, help="a .safetensors file")
    one.add_argument("output", type=Path, help="an .npz file")
    one.add_argument("--pictures", type=Path, help="a .bin pack: the answers to its first 64 are written too")

    def study_command(name: str, run, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        one.add_argument("study", type=Path, help="the study's TOML")
        return one

    def add_results(one: argparse.ArgumentParser) -> None:
        text = "folder of kept results, <results>/runs/<study>/ has a file a run (default: results)"
        one.add_argument("--results", type=Path, default=Path("results"), help=text)

    one = study_command("study", run_study, "Train the networks of a study, as far as they have no result yet.")
    one.add_argument("networks", nargs="*", help="NETWORK or NETWORK:SEED, in order (default: the study's plan)")
    add_places(one)
    add_results(one)
    one.add_argument("--slots", type=int, default=1, help="runs at a time (default: 1)")
    one.add_argument("--stop-after", type=float, default=float("inf"), metavar="SECONDS", help="stop after the epochs then in")
    one.add_argument("--commit", default="unknown", help="for the results: the state of this repository")

    one = study_command("results", run_results, "Keep a study's finished runs, and write what it has found.")
    add_results(one)
    one.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints and logs (default: runs)")

    one = study_command("times", run_times, "Measure one picture's milliseconds in bitpath, for each network of a study.")
    add_results(one)
    one.add_argument("--threads", type=int, default=1)

    text = "Make a page's tables and pictures anew, from the kept results of the studies that its marks name."
    one = commands.add_parser("page", help=text, description=text)
    one.set_defaults(run=run_page)
    one.add_argument("page", type=Path)
    one.add_argument("--images", type=Path, help="folder of its pictures (default: images beside the page)")
    one.add_argument("--studies", type=Path, default=Path("studies"), help="folder of studies (default: studies)")
    add_results(one)
    return parser.parse_args(arguments)


def run_train(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe, options.set)
    train(recipe, load_dataset(recipe.data, options.data), options.runs, torch.device(options.device), options.stop_after)
    return 0


def run_study(options: argparse.Namespace) -> int:
    study = load_study(options.study)
    recipes = [parse_run(study, text) for text in options.networks or study.plan]
    places = (options.data, options.runs, options.results / "runs", torch.device(options.device))
    limits = {"slots": options.slots, "stop_after": options.stop_after}
    missing = train_study(study, recipes, *places, **limits, commit=options.commit)
    if missing:
        print(f"not finished: {', '.join(missing)}")
    return 1 if missing else 0


def run_results(options: argparse.Namespace) -> int:
    study = load_study(options.study)
    new = store_runs(study, options.runs, options.results / "runs")
    found = _collected(study, options.results)
    (options.results / f"{study.name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (options.results / f"{study.name}.md").write_text(describe(found))
    print(f"{len(new)} new of {len(found['runs'])} runs" + (f": {', '.join(new)}" if new else ""))
    return 0


def _collected(study: Study, results: Path) -> dict:
    times = results / f"{study.name}-times.json"
    return collect(study, results / "runs", json.loads(times.read_text()) if times.exists() else None)


def run_times(options: argparse.Namespace) -> int:
    study = load_study(options.study)
    measured = measure_times(study, options.threads)
    (options.results / f"{study.name}-times.json").write_text(format_times(measured))
    return 0


def run_page(options: argparse.Namespace) -> int:
    studies = [load_study(options.studies / f"{name}.toml") for name in studies_of_page(options.page.read_text())]
    collected = {}
    for study in studies:
        collected[study.name] = _collected(study, options.results) | {"watched": watched_runs(study, options.results / "runs")}
    write_page(options.page, collected)
    images = options.images or options.page.parent / "images"
    images.mkdir(exist_ok=True)
    for found in collected.values():
        for name, svg in figures(found, found["watched"]).items():
            (images / f"{name}.svg").write_text(svg)
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    print(json.dumps(_evaluated(options)[2]))
    return 0


def run_export(options: argparse.Namespace) -> int:
    checkpoint, network, metrics = _evaluated(options)
    labels = load_labels(checkpoint.recipe.data, options.data)
    graph = options.graph.read_text() if options.graph else None
    note = "BatchNorm statistics estimated again on whole pictures" if options.recalibrate else ""
    export_model(checkpoint, network, metrics, labels, options.output, graph, note)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes, {json.dumps(metrics)}")
    return 0


def run_recalibrate(options: argparse.Namespace) -> int:
    data, device = load_recipe(options.recipe).data, torch.device(options.device)
    ids = [label["id"] for label in load_labels(data, options.data)]
    pictures, _ = load_training_pictures(data, options.data, ids)
    tests = load_pictures(data.validation, options.data, data.stored_size, ids)
    places = (options.model, options.output, pictures.to(device), tests.to(device))
    print(json.dumps(recalibrate_model(*places, ids, options.batches)))
    return 0


def _evaluated(options: argparse.Namespace) -> tuple[Checkpoint, torch.nn.Module, dict]:
    """The last checkpoint of a recipe's run, its network, and its accuracy in float32."""
    named = load_recipe(options.recipe)
    checkpoint = load_checkpoint(options.runs / named.name / "checkpoint.pt")
    recipe, device = checkpoint.recipe, torch.device(options.device)
    ids = [label["id"] for label in load_labels(recipe.data, options.data)]
    size = recipe.data.stored_size
    validation = load_pictures(recipe.data.validation, options.data, size, ids)
    data = recipe.data
    wants_training = options.recalibrate or data.holdout_per_class
    pictures, holdout = load_training_pictures(data, options.data, ids) if wants_training else (None, None)
    torch.backends.cudnn.allow_tf32 = False
    network = checkpoint.build().to(device, memory_format=torch.channels_last)
    if options.recalibrate:
        recalibrate(network, pictures.to(device), recipe.input_size, options.recalibrate)
    metrics = evaluate(network, validation.to(device), recipe.input_size)
    if holdout is not None:
        metrics["holdout"] = evaluate(network, holdout.to(device), recipe.input_size)
    return checkpoint, network, metrics


def run_golden(options: argparse.Namespace) -> int:
    network = read_model(options.model)
    golden = golden_tensors(network)
    if options.pictures:
        golden["answers"] = answers(network, options.pictures, size=read_metadata(options.model).input_size, count=64)
    np.savez_compressed(options.output, **golden)
    return 0


def run_time(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe, options.set)
    print(json.dumps({"network": recipe.network} | time_step(recipe, options)))
    return 0


def time_step(recipe: Recipe, options: argparse.Namespace) -> dict[str, float]:
    count, size, device = 8 * recipe.batch_size, recipe.data.stored_size, torch.device(options.device)
    images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, device=device)
    pictures = Pictures(images, torch.randint(0, options.classes, (count,), device=device))
    alone = dataclasses.replace(recipe, teacher=Teacher())
    step = make_step(alone, pictures, options.classes, options.runs, device)
    indices = torch.arange(recipe.batch_size, device=device)

    def seconds(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            step.run(indices)
        step.loss.item()
        return time.perf_counter() - start

    first = seconds(8)  # compiles and captures
    calls = max(1, options.steps // 4)
    fastest, *_, slowest = sorted(1000 * seconds(calls) / calls for _ in range(4))
    return {"first_8_steps_s": round(first, 2), "step_ms": round(fastest, 3), "slowest_ms": round(slowest, 3)}


if __name__ == "__main__":
    sys.exit(main())
