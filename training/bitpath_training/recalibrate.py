"""BatchNorm statistics of a model file estimated again, as the engine's picture path has them. It needs no checkpoint."""

import json
from pathlib import Path

import torch
from torch import nn

from .data import Pictures
from .evaluate import evaluate, recalibrate
from .export import model_tensors, rounded_metrics
from .golden import read_model
from .model_file import IMAGENET_STD, compact_json, read_safetensors, write_safetensors

STATISTICS = ("running_mean", "running_var")
LARGEST_WEIGHT = 32767
NOTE = "BatchNorm statistics estimated again on the integer-stem path"


def recalibrate_model(
    model: Path, output: Path, pictures: Pictures, tests: Pictures, ids: list[str], batches: int, graph: str | None = None
) -> dict[str, float]:
    """Writes `model` with statistics of `pictures` to `output`, and returns its accuracy on `tests`, which it also names.

    `ids` are the pictures' classes; raises ValueError where they are not the model's. `graph` is as in read_model.
    """
    tensors, metadata = read_safetensors(model)
    if [label["id"] for label in json.loads(metadata["bitpath.labels"])] != ids:
        raise ValueError(f"{model} has other labels than the pictures")
    size = json.loads(metadata["bitpath.preprocessing"])["crop"]["height"]
    network = read_model(model, graph).to(pictures.labels.device, memory_format=torch.channels_last)
    round_stem(network)
    recalibrate(network, pictures, size, batches)
    metrics = evaluate(network, tests, size)
    provenance = json.loads(metadata["bitpath.provenance"]) | rounded_metrics(metrics) | {"note": NOTE}
    estimated = {name: value for name, value in model_tensors(network).items() if name.endswith(STATISTICS)}
    write_safetensors(output, tensors | estimated, metadata | {"bitpath.provenance": compact_json(provenance)})
    return metrics


@torch.no_grad()
def round_stem(network: nn.Module) -> None:
    """Weights of convolutions that read pictures become those of the integer stem: lib/compiler/pixels.ts."""
    for conv in network.modules():
        if isinstance(conv, nn.Conv2d) and conv.in_channels == len(IMAGENET_STD):
            levels = 255 * torch.tensor(IMAGENET_STD, dtype=torch.float64, device=conv.weight.device)[:, None, None]
            folded = conv.weight.double() / levels
            quantum = (folded.abs().amax((1, 2, 3), keepdim=True) / LARGEST_WEIGHT).float().double()
            conv.weight.copy_((folded / quantum).round().nan_to_num() * quantum * levels)
