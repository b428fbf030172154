"""From a checkpoint to the model file that bitpath's loadModel reads."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from .binary import BinaryConv2d
from .checkpoint import Checkpoint
from .model_file import graph_json, pack_rows, write_model


def served_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """What the engine needs, by the names of the graph; `<layer>.bits` of a 1-bit conv is bool [out, in, kernel, kernel]."""
    tensors = {}
    for name, module in network.named_modules():
        if isinstance(module, BinaryConv2d):
            tensors[f"{name}.bits"] = module.bits()
        tensors |= {f"{name}.{key}": value.detach() for key, value in _served(module).items()}
    return tensors


def model_tensors(network: nn.Module) -> dict[str, np.ndarray]:
    """The same as a model file has it: bits packed, the rest float32 or int32."""
    return {name: _stored(value.cpu()) for name, value in served_tensors(network).items()}


def _stored(value: torch.Tensor) -> np.ndarray:
    if value.dtype == torch.bool:
        return pack_rows(value.numpy())
    return value.to(torch.float32 if value.is_floating_point() else torch.int32).contiguous().numpy()


def _served(module: nn.Module) -> dict[str, torch.Tensor]:
    """A module's own tensors as the engine has them: what its `exported` says, else its parameters and what it saves beside."""
    if hasattr(module, "exported"):
        return module.exported()
    own = dict(module.named_parameters(recurse=False)) | dict(module.named_buffers(recurse=False))
    left_out = {"num_batches_tracked", *module._non_persistent_buffers_set}
    return {key: value for key, value in own.items() if key not in left_out}


def export_model(
    checkpoint: Checkpoint,
    network: nn.Module,
    metrics: dict,
    labels: list,
    path: Path,
    graph: str | None = None,
    note: str = "",
) -> None:
    """`network` is the checkpoint's; `graph` is its JSON, for machines without node.

    Raises ValueError for stage one of two: a model file has 1-bit weights, and what was measured has real ones.
    """
    recipe = checkpoint.recipe
    if recipe.weights == "real":
        raise ValueError(f"{recipe.name} has real weights, which are not served: train stage two from it, and export that")
    provenance = {
        "title": recipe.title,
        "architecture": recipe.network,
        **rounded_metrics(metrics),
        "dataset": recipe.data.name,
        "epochs": checkpoint.epoch,
        "seed": recipe.seed,
        "recipe": describe_recipe(checkpoint),
        "license": "Apache-2.0",
    }
    if note:
        provenance["note"] = note
    write_model(
        path,
        model_tensors(network),
        name=recipe.name,
        graph=graph or graph_json(recipe.network, checkpoint.classes, recipe.input_size, recipe.join, recipe.unit_scale),
        labels=labels,
        input_size=recipe.input_size,
        provenance=provenance,
    )


def rounded_metrics(metrics: dict) -> dict:
    """As a model file says them."""
    return {key: round(metrics[key], 2) for key in ("top1", "top5", "ece", "images")}


def describe_recipe(checkpoint: Checkpoint) -> str:
    """One line of at most 255 characters."""
    r = checkpoint.recipe
    small = f", the first {r.small_epochs} at {r.small_size}x{r.small_size}" if r.small_epochs else ""
    optimizer = "AdamW" if r.optimizer.kind == "adamw" else "SGD"
    parts = [
        f"{r.epochs} epochs at {r.input_size}x{r.input_size}{small}",
        f"{optimizer} {r.optimizer.lr:g}, cosine, {r.optimizer.warmup_steps} steps of warm-up, batch {r.batch_size}",
        f"crops of {r.augmentation.crop[0]:g} to {r.augmentation.crop[1]:g} of the side",
    ]
    if r.augmentation.mixup:
        parts.append(f"mixup {r.augmentation.mixup:g}")
    if r.start:
        parts.append("two stages")
    if r.teacher.checkpoint:
        parts.append(f"distilled (T {r.teacher.temperature:g}, weight {r.teacher.weight:g})")
    if r.label_smoothing:
        parts.append(f"label smoothing {r.label_smoothing:g}")
    if r.ema_decay:
        parts.append(f"moving average {r.ema_decay:g}")
    return "; ".join(parts)[:255]
