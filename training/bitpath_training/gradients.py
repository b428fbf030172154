"""How far straight-through gradients are from those of a smooth network, and what latent weights do: measured while training.

The smooth network. Bi-Real's estimator passes a sign with the slope of f(x) = x·(2 - |x|) within ±1 (f = ±1 outside). f is the
mean of sign(x - z) over noise z with the density p(z) = 1 - |z| on ±1, because d/dx E sign(x - z) = 2·p(x) = 2 - 2|x|. So with
f in the forward pass too there is a network whose activations are what noisy signs are on average, layer by layer, and whose
gradient is exact: nothing is estimated. That a straight-through estimator is the exact derivative of a sign's mean under noise
is Shekhovtsov and Yanush's observation ("Reintroducing Straight-Through Estimators as Principled Methods for Stochastic Binary
Networks", 2021), there for uniform noise and the slope 1 within ±1; the slope 2 - 2|x|, from Bi-Real net (2018), is the same
with triangular noise. Noise narrower by β gives f(β·x), whose network comes the nearer to the binary one, and whose
gradients vary the more, the larger β is.

What is compared, on one batch and at the same weights: the gradient that training uses (signs forward, f' backward) with the
exact one of the network with f(β·x) in place of every sign of activations. Weights stay ±1 times their scale in both, and so
does the part of the estimator that lies between them and the latent weights; convolutions are linear in them. BatchNorms use
the batch, as in training; all in float32. For each 1-bit unit, in the order in which they run:

- `input`: of the loss by the map that the unit's sign reads, through all paths from there on, shortcuts included;
- `weight`: of the loss by the latent weights of its convolution.

Each as [cosine, |g - s| / |s|, |g| / |s|] with g straight-through and s smooth. `batches` is the cosine of the straight-through
gradients of weights on two batches: what sampling alone does.
"""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .activations import Sign
from .binary import BinaryConv2d
from .data import Pictures
from .pictures import centre_view, normalise

EPOCHS = (1, 5, 20)
SHARPNESS = (1.0, 2.0, 4.0, 8.0)
# |w| in half octaves from 2^-14 to 2^2; the first and last bin have what lies outside too.
EDGES = [2 ** (half / 2) for half in range(-28, 5)]


def measure_gradients(network: nn.Module, batch: Pictures, other: Pictures, input_size: int) -> list[dict]:
    """One entry for each 1-bit unit of `network`, which stays as it is: the work is done on a copy."""
    copied = copy.deepcopy(network).train().requires_grad_(True)
    signs = {name: module for name, module in copied.named_modules() if isinstance(module, Sign)}
    straight = _gradients(copied, signs, batch, input_size, None)
    again = _gradients(copied, signs, other, input_size, None)["weight"]
    layers = [
        {"name": name, "input": [], "weight": [], "batches": _round(_cosine(gradient, again[name]))}
        for name, gradient in straight["weight"].items()
    ]
    del again
    for sharpness in SHARPNESS:
        smooth = _gradients(copied, signs, batch, input_size, sharpness)
        for layer in layers:
            for kind in ("input", "weight"):
                layer[kind].append(_compare(straight[kind][layer["name"]], smooth[kind][layer["name"]]))
    return layers


def _gradients(
    network: nn.Module, signs: dict[str, Sign], batch: Pictures, input_size: int, sharpness: float | None
) -> dict[str, dict[str, Tensor]]:
    """Gradients by the name of the unit, in the order in which the units run."""
    read: dict[str, Tensor] = {}

    def keep(name: str) -> Callable:
        def hook(_module: nn.Module, arguments: tuple) -> None:
            arguments[0].retain_grad()
            read[name] = arguments[0]

        return hook

    handles = []
    for name, sign in signs.items():
        sign.sharpness = sharpness
        handles.append(sign.register_forward_pre_hook(keep(name.rpartition(".")[0])))
    network.zero_grad(set_to_none=True)
    input_ = normalise(centre_view(batch.images, input_size)).contiguous(memory_format=torch.channels_last)
    F.cross_entropy(network(input_), batch.labels).backward()
    for handle in handles:
        handle.remove()
    weights = {name: network.get_submodule(f"{name}.conv").weight.grad for name in read}
    return {"input": {name: x.grad for name, x in read.items()}, "weight": weights}


def _cosine(a: Tensor, b: Tensor) -> float:
    norms = a.norm() * b.norm()
    return ((a * b).sum() / norms).item() if norms > 0 else math.nan


def _compare(straight: Tensor, smooth: Tensor) -> list[float | None]:
    size = smooth.norm()
    error, ratio = ((straight - smooth).norm() / size).item(), (straight.norm() / size).item()
    return [_round(value) for value in (_cosine(straight, smooth), error, ratio)]


def _round(value: float) -> float | None:
    """Four digits, and null for what JSON has no number for."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def describe_weights(network: nn.Module) -> list[dict]:
    """Of each 1-bit convolution's latent weights: histogram of |w| (EDGES), standard deviation, share beyond ±1."""
    edges = torch.tensor(EDGES)
    layers = []
    for name, conv in _convolutions(network):
        w = conv.weight.detach().float()
        bins = torch.bucketize(w.abs().flatten().cpu(), edges).clamp(1, len(EDGES) - 1) - 1
        layers.append(
            {
                "name": name,
                "std": _round(w.std().item()),
                "beyond_1": _round((w.abs() > 1).float().mean().item()),
                "histogram": torch.bincount(bins, minlength=len(EDGES) - 1).tolist(),
            }
        )
    return layers


def _convolutions(network: nn.Module) -> list[tuple[str, BinaryConv2d]]:
    return [(name, module) for name, module in network.named_modules() if isinstance(module, BinaryConv2d)]


class Watch:
    """Called after every epoch: appends a line to `path`, with gradients and histograms after those of EPOCHS."""

    def __init__(self, network: nn.Module, pictures: Pictures, batch_size: int, input_size: int, path: Path) -> None:
        self.network = network
        self.pictures = pictures
        self.batch_size = min(batch_size, len(pictures) // 2)
        self.input_size = input_size
        self.path = path
        self.signs = self._signs()

    def _signs(self) -> dict[str, Tensor]:
        return {name: conv.bits() for name, conv in _convolutions(self.network)}

    def __call__(self, epoch: int) -> None:
        if not self.signs:
            return
        before, self.signs = self.signs, self._signs()
        flips = [_round((bits ^ before[name]).float().mean().item()) for name, bits in self.signs.items()]
        line = {"epoch": epoch, "flips": flips}
        if epoch in EPOCHS:
            line |= {"gradients": self._gradients(), "latent": describe_weights(self.network)}
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")

    def _gradients(self) -> list[dict]:
        # The same pictures in all networks, epochs and seeds.
        first = torch.arange(self.batch_size, device=self.pictures.labels.device)
        batch, other = self.pictures.take(first), self.pictures.take(first + self.batch_size)
        measured = measure_gradients(self.network, batch, other, self.input_size)
        if self.pictures.labels.is_cuda:
            torch.cuda.empty_cache()  # runs beside this one want it
        return measured


def read_watch(path: Path) -> dict:
    """What a Watch wrote, the last line of each epoch: a run that is cut off does an epoch again."""
    if not path.exists():
        return {}
    lines = {line["epoch"]: line for line in map(json.loads, path.read_text().splitlines())}
    epochs = sorted(lines)
    return {
        "sharpness": SHARPNESS,
        "flips": [[epoch, lines[epoch]["flips"]] for epoch in epochs],
        "gradients": [[epoch, lines[epoch]["gradients"]] for epoch in epochs if "gradients" in lines[epoch]],
        "latent": [[epoch, lines[epoch]["latent"]] for epoch in epochs if "latent" in lines[epoch]],
    }
