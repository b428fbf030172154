"""A training run: epochs, schedule, evaluation, checkpoints, resuming."""

import json
import time
from pathlib import Path

import torch
from tqdm import trange

from .activations import set_progress
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint, small_training, small_weights
from .data import Dataset, Pictures
from .evaluate import evaluate
from .gradients import Watch
from .networks import build_network
from .recipe import Recipe
from .step import TrainingError, TrainingStep
from .units import Rank1Scale

WATCHED = "gradients.jsonl"


def train(
    recipe: Recipe,
    dataset: Dataset,
    runs: Path,
    device: torch.device,
    stop_after: float = float("inf"),
    watch: bool = False,
) -> Checkpoint:
    """Trains, or goes on where the checkpoint in `runs`/<name> ends, and returns the last checkpoint.

    `stop_after` seconds it ends after the epoch it is in; the same call goes on from there later. The schedule is that of
    all epochs, so pieces add up to the whole run, but for the random numbers and the rounding of what a checkpoint keeps:
    latent weights as float16, moments as bfloat16. With `watch`, gradients and latent weights are
    measured meanwhile (gradients.py).
    """
    begin = time.monotonic()
    pictures, validation = dataset.pictures.to(device), dataset.watched.to(device)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False

    folder = runs / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.pt"
    previous = load_checkpoint(path) if path.exists() else None
    if previous is not None and previous.recipe != recipe:
        raise ValueError(f"{path} is of another recipe; give this one another name, or remove it")

    done = previous.epoch if previous else 0
    if previous is not None and done >= recipe.epochs:
        print(f"{recipe.name} has been trained: {path}", flush=True)
        return previous
    torch.manual_seed(recipe.seed + 1_000_003 * done)
    step = make_step(recipe, pictures, dataset.classes, runs, device)
    if previous is not None:
        step.load_state(previous.training, previous.model)
    watcher = Watch(step.network, pictures, recipe.batch_size, recipe.input_size, folder / WATCHED) if watch else None

    checkpoint = previous
    for epoch in range(done, recipe.epochs):
        start = time.monotonic()
        step.set_size(recipe.small_size if epoch < recipe.small_epochs else recipe.input_size)
        set_progress(step.network, epoch / recipe.epochs)
        mean_loss = train_epoch(step, f"epoch {epoch + 1}/{recipe.epochs}")
        record = {"epoch": epoch + 1, "loss": mean_loss, "seconds": round(time.monotonic() - start, 2)}
        if watcher is not None:
            watcher(epoch + 1)
        stop = time.monotonic() - begin > stop_after
        if stop or (epoch + 1) % recipe.evaluate_every == 0 or epoch + 1 == recipe.epochs:
            checkpoint = take_checkpoint(step, validation, dataset.classes, epoch + 1, ended=epoch + 1 == recipe.epochs)
            record |= checkpoint.metrics
            save_checkpoint(path, checkpoint)
        with open(folder / "log.jsonl", "a") as log:
            log.write(json.dumps(record) + "\n")
        print(" ".join(f"{key} {value:.5g}" for key, value in record.items()), flush=True)
        if stop:
            break
    if checkpoint is None:
        raise ValueError("the recipe has no epochs")
    return checkpoint


def make_step(recipe: Recipe, pictures: Pictures, classes: int, runs: Path, device: torch.device) -> TrainingStep:
    if len(pictures) < recipe.batch_size:
        raise ValueError(f"{len(pictures)} training pictures are less than one batch of {recipe.batch_size}")
    network = build_network(recipe.network, classes, recipe.join, recipe.unit_scale, recipe.input_size)
    network = network.to(device, memory_format=torch.channels_last).train()
    teacher = None
    if recipe.teacher.checkpoint:
        teacher = load_checkpoint(runs / recipe.teacher.checkpoint).build().to(device, memory_format=torch.channels_last)
        teacher.requires_grad_(False)
    if recipe.start:
        network.load_state_dict(load_checkpoint(runs / recipe.start).model)
    small = recipe.small_epochs > 0 and recipe.small_size != recipe.input_size
    if small and any(isinstance(module, Rank1Scale) for module in network.modules()):
        raise ValueError("XNOR-Net++'s units have a factor for each row and column: small_epochs must be 0")
    steps = recipe.epochs * (len(pictures) // recipe.batch_size)
    return TrainingStep(recipe, network, teacher, pictures, steps)


def train_epoch(step: TrainingStep, title: str) -> float:
    """One pass over the pictures in a new order, the last incomplete batch left out. Returns the mean loss."""
    batch = step.recipe.batch_size
    batches = len(step.data) // batch
    order = torch.randperm(len(step.data), device=step.device)
    step.loss.zero_()
    for i in trange(batches, desc=title, disable=None, leave=False):
        step.run(order[i * batch : (i + 1) * batch])
    mean_loss = step.loss.item() / batches
    if mean_loss != mean_loss:
        raise TrainingError("the loss is not a number: lower the learning rate")
    return mean_loss


def take_checkpoint(step: TrainingStep, validation: Pictures, classes: int, epoch: int, ended: bool = False) -> Checkpoint:
    """What it measures is the network that it keeps, with its latent weights rounded. A run that has `ended` needs no more."""
    latent = step.latent_names()
    model, training = small_weights(step.evaluated_state(), latent), {} if ended else small_training(step.state(), latent)
    checkpoint = Checkpoint(step.recipe, classes, epoch, model, training, {})
    network = checkpoint.build().to(step.device, memory_format=torch.channels_last)
    precision = step.recipe.speed.precision if step.on_gpu else "float32"
    checkpoint.metrics = evaluate(network, validation, step.recipe.input_size, precision)
    return checkpoint
