"""Golden tensors of a model file: what PyTorch, in float32 on the CPU, makes of each part of its network.

Comparing the ends of two binary networks shows little, as one flipped sign cascades. So each part (a 1-bit unit, what follows
its add, a shortcut, a transition, the stem, the end) gets an input of its own: the corner of what reaches it when the network
sees a picture that is made of noise, as float16 numbers. test/golden/parts.test.ts holds the engine to the results.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .binary import BinaryConv2d
from .data import load_pictures
from .export import model_tensors
from .model_file import graph_json, read_safetensors
from .networks import build_network
from .pictures import normalise

CORNER = 4  # pixels: at the picture's edge, so that padding counts
CORNERS = {"stem": 24, "rprelu": 2}  # by the last word of a part's name
LAYERS = ("sign", "conv", "bn")  # of a 1-bit unit, in any order


@dataclass(frozen=True)
class Metadata:
    architecture: str
    classes: int
    input_size: int
    graph: dict
    license: str


def read_metadata(path: Path) -> Metadata:
    return _parse(read_safetensors(path)[1])


def _parse(texts: dict[str, str]) -> Metadata:
    values = {key: json.loads(text) for key, text in texts.items() if key != "bitpath.name"}
    provenance, size = values["bitpath.provenance"], values["bitpath.preprocessing"]["crop"]["height"]
    classes, graph = len(values["bitpath.labels"]), values["bitpath.graph"]
    return Metadata(provenance["architecture"], classes, size, graph, provenance.get("license", ""))


def read_model(path: Path, graph: str | None = None) -> nn.Module:
    """The network of a model file, in evaluation mode. Raises ValueError where PyTorch's would not be exported as this file.

    `graph` is the JSON of its architecture, for machines without node.
    """
    tensors, texts = read_safetensors(path)
    metadata = _parse(texts)
    architecture, classes, size = metadata.architecture, metadata.classes, metadata.input_size
    if metadata.graph != json.loads(graph or graph_json(architecture, classes, size)):
        raise ValueError(f"{path} has another graph than {architecture}: no mean joins, or scaled units")
    network = build_network(architecture, classes, input_size=size).eval()
    state = network.state_dict()
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, BinaryConv2d):
                _set_weights(module, tensors[f"{name}.bits"], tensors.get(f"{name}.scale"))
        for name in state.keys() & tensors.keys():
            state[name].copy_(torch.tensor(tensors[name]))
    ours = model_tensors(network)
    if ours.keys() != tensors.keys() or not all(np.array_equal(ours[name], tensors[name]) for name in ours):
        raise ValueError(f"{path} is not what PyTorch's {architecture} would be exported as")
    return network


def _set_weights(conv: BinaryConv2d, bits: np.ndarray, scale: np.ndarray | None) -> None:
    """±scale: their mean magnitude is the scale, but for rounding, which older files did not do. ±1 where there is none."""
    outputs, inputs, height, width = conv.weight.shape
    taps = np.unpackbits(bits, axis=1, count=inputs * height * width, bitorder="little")
    signs = torch.tensor(2.0 * taps - 1, dtype=torch.float32).view(outputs, height, width, inputs).permute(0, 3, 1, 2)
    if scale is None:
        conv.weight.copy_(signs)
    else:
        conv.fixed_scale = torch.tensor(scale)
        conv.weight.copy_(signs * conv.fixed_scale[:, None, None, None])


@torch.no_grad()
def golden_tensors(network: nn.Module) -> dict[str, np.ndarray]:
    """`<part>.in` and `<part>.out` of every part, [1, C, H, W]; the part `end` begins after the last block."""
    parts = {name: layers for name, module in network.named_modules() if (layers := _layers(module))}
    inputs: dict[str, Tensor] = {}

    def catch(name: str):
        return lambda _module, arguments: inputs.setdefault(name, arguments[0])

    handles = [layers[0].register_forward_pre_hook(catch(name)) for name, layers in parts.items()]
    handles.append(network.body.register_forward_hook(lambda _module, _arguments, output: inputs.setdefault("end", output)))
    network(_noise())
    for handle in handles:
        handle.remove()

    golden = {}
    for name, value in inputs.items():
        side = CORNERS.get(name.rpartition(".")[2], CORNER)
        corner = value[:, :, :side, :side].half().float().contiguous()
        golden[f"{name}.in"] = corner.numpy()
        golden[f"{name}.out"] = (_end(network, corner) if name == "end" else nn.Sequential(*parts[name])(corner)).numpy()
    return golden


def _layers(module: nn.Module) -> list[nn.Module]:
    """The layers of a part, none where `module` is no part."""
    children = dict(module.named_children())
    if isinstance(children.get("conv"), BinaryConv2d):
        return [child for name, child in children.items() if name in LAYERS]
    real = next(module.parameters(), None) is not None and not any(isinstance(m, BinaryConv2d) for m in module.modules())
    return list(children.values()) if isinstance(module, nn.Sequential) and real else []


def _end(network: nn.Module, x: Tensor) -> Tensor:
    body, stem = network.body, network.stem
    network.body, network.stem = nn.Identity(), nn.Identity()
    logits = network(x)
    network.body, network.stem = body, stem
    return logits


def _noise() -> Tensor:
    """A normalised picture with detail of every size, of no photograph."""
    torch.manual_seed(0)
    picture = sum(F.interpolate(torch.rand(1, 3, side, side), 128, mode="bilinear") for side in (4, 16, 64)) / 3
    return normalise((255 * picture).round())


@torch.no_grad()
def answers(network: nn.Module, pack: Path, size: int, count: int) -> np.ndarray:
    """Classes of the first `count` pictures of a pack, from float tensors: resized, not rounded, normalised."""
    classes = network.fc.out_features
    images = load_pictures((pack.name,), pack.parent, 64, [str(i) for i in range(classes)]).images[:count]
    views = F.interpolate(images.float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True)
    return network(normalise(views)).argmax(1).numpy().astype(np.int32)
