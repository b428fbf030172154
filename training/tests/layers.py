"""What each named layer of a network makes, and what bitpath makes of the same inputs: layer by layer, as `bitpath diff` does.

Networks of signs are chaotic: one that flips within rounding changes all that follows it, so comparing the ends shows little.
Here each layer of the graph gets PyTorch's own tensors and is held to PyTorch's result. Signs must be equal wherever PyTorch's
value is farther than 1e-3 from the threshold, and floats within 1e-4 of the layer's largest (lib/onnx/diff/measure.ts).
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bitpath_training.activations import HalfHeaviside, Heaviside, Sign, Ternary
from bitpath_training.export import model_tensors
from bitpath_training.interaction import ChannelInteraction
from bitpath_training.model_file import REPOSITORY, graph_json, write_model

COMPARING = (Sign, Heaviside, HalfHeaviside, Ternary, ChannelInteraction)


@torch.no_grad()
def randomise(network: nn.Module, inputs: torch.Tensor, seed: int = 0) -> None:
    """Parameters as a trained network's might be: nothing is 0 or 1 any more, and each BatchNorm knows what it gets."""
    torch.manual_seed(seed)
    for name, parameter in network.named_parameters():
        kind = name.rpartition(".")[2]
        if kind in ("threshold", "shift", "bias"):
            parameter.add_(0.2 * torch.randn_like(parameter))
        elif kind in ("gain", "alpha", "beta", "gamma") or parameter.ndim == 1:
            parameter.mul_(torch.empty_like(parameter).uniform_(0.6, 1.4))
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for _ in range(2):
        network(inputs + 0.1 * torch.randn_like(inputs))
    network.eval()


@torch.no_grad()
def values_of(network: nn.Module, inputs: torch.Tensor) -> list[tuple[str, str, torch.Tensor]]:
    """(name of a layer, input or output, value): of all layers by their names, and what signs and their like compare."""
    values = [("input", "output", inputs)]

    def record(name: str, side: str):
        def hook(_module: nn.Module, arguments: tuple, output: torch.Tensor) -> None:
            values.append((name, side, (arguments[0] if side == "input" else output).clone()))

        return hook

    handles = []
    for name, module in network.named_modules():
        if isinstance(module, COMPARING):
            handles.append(module.register_forward_hook(record(name, "input")))
        if not next(module.children(), None):
            handles.append(module.register_forward_hook(record(name, "output")))
    network(inputs)
    for handle in handles:
        handle.remove()
    return values


def compare(network: nn.Module, architecture: str, inputs: torch.Tensor, join: str, folder: Path) -> dict:
    """What bitpath makes of `network`, exported, beside what PyTorch does."""
    count, size = len(inputs), inputs.shape[-1]
    classes = network.fc.out_features
    write_model(
        folder / "model.safetensors",
        model_tensors(network),
        name="test",
        graph=graph_json(architecture, classes, size, join),
        labels=[{"id": f"c{i}", "name": f"c{i}"} for i in range(classes)],
        input_size=size,
        provenance={},
    )
    index, begin = [], 0
    with open(folder / "values.bin", "wb") as file:
        for name, side, value in values_of(network, inputs):
            flat = value.contiguous().numpy().astype("<f4").ravel()
            file.write(flat.tobytes())
            index.append({"name": name, "side": side, "begin": begin, "length": int(np.prod(flat.shape))})
            begin += flat.size
    (folder / "values.json").write_text(json.dumps(index))
    command = ["node", "training/tests/compare_layers.mjs", str(folder), str(count)]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout)
