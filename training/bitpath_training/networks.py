"""The networks of lib/architectures by the same names, but for those in NOT_BUILT. test_parameters.py holds the two lists
equal, tensor by tensor."""

import difflib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from . import blocks


class Network(nn.Module):
    """Stem, body, global average pool, classifier. No ReLU in the 1-bit ResNets; DenseNets have it at both ends."""

    def __init__(self, width: int, body: Sequence[nn.Module], channels: int, classes: int, relu: bool = False) -> None:
        super().__init__()
        active = [nn.ReLU()] if relu else []
        self.stem = nn.Sequential(
            blocks.real_conv(3, width, 7, 2), nn.BatchNorm2d(width), *active, nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.body = nn.Sequential(*body)
        if relu:
            self.norm = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.stem(x))
        if hasattr(self, "norm"):
            x = torch.relu(self.norm(x))
        return self.fc(x.mean((2, 3)))


class FloatResNet(nn.Module):
    """The full-precision ResNets, with torchvision's names."""

    def __init__(self, stages: Sequence[int], classes: int) -> None:
        super().__init__()
        self.conv1 = blocks.real_conv(3, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = 64
        for stage, count in enumerate(stages):
            width = 64 * 2**stage
            layers = []
            for i in range(count):
                layers.append(blocks.FloatResidual(channels, width, 2 if i == 0 and stage > 0 else 1))
                channels = width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


Builder = Callable[[int, str], nn.Module]  # (classes, join) → network


def _residual(block: type[nn.Module], stages: Sequence[int], downsample: str = "real") -> Builder:
    def build(classes: int, join: str) -> nn.Module:
        options = {"join": join} if block is blocks.EBiReal else {}
        body, channels = [], 64
        for stage, count in enumerate(stages):
            width = 64 * 2**stage
            for i in range(count):
                body.append(block(channels, width, 2 if i == 0 and stage > 0 else 1, downsample, **options))
                channels = width
        return Network(64, body, channels, classes)

    return build


def _igp_stages(width: int, stages: Sequence[int], block: Callable[[int, str], nn.Module]) -> Builder:
    def build(classes: int, join: str) -> nn.Module:
        body, channels = [], width
        for stage, count in enumerate(stages):
            if stage > 0:
                body.append(blocks.IgpTransition(channels, 2 * channels))
                channels *= 2
            body.extend(block(channels, join) for _ in range(count))
        return Network(width, body, channels, classes)

    return build


def _igp(columns: int, width: int, stages: Sequence[int]) -> Builder:
    return _igp_stages(width, stages, lambda channels, join: blocks.IgpResNet(channels, columns, join))


def _chain(width: int, units: int) -> Builder:
    return _igp_stages(width, [units] * 4, lambda channels, _join: blocks.BiReal(channels, channels))


def _dense(block: type[nn.Module], growth: int, stages: Sequence[int], reductions: Sequence[float]) -> Builder:
    def build(classes: int, join: str) -> nn.Module:
        options = {"join": join} if block is blocks.IgpDense else {}
        body, channels = [], 64
        for stage, count in enumerate(stages):
            if stage > 0:
                reduced = max(1, int(channels / reductions[stage - 1]))
                body.append(blocks.DenseTransition(channels, reduced))
                channels = reduced
            for _ in range(count):
                body.append(block(channels, growth, **options))
                channels += growth
        return Network(64, body, channels, classes, relu=True)

    return build


NETWORKS: dict[str, Builder] = {
    "binary-resnet18": _residual(blocks.BinaryResidual, [2, 2, 2, 2]),
    "binary-resnet18-binary-downsample": _residual(blocks.BinaryResidual, [2, 2, 2, 2], "binary"),
    "binary-resnet34": _residual(blocks.BinaryResidual, [3, 4, 6, 3]),
    "binary-resnet34-binary-downsample": _residual(blocks.BinaryResidual, [3, 4, 6, 3], "binary"),
    "bireal-resnet18-64": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "bireal-resnet34-64": _residual(blocks.BiReal, [6, 8, 12, 6]),
    "ebireal-resnet18-64": _residual(blocks.EBiReal, [2, 2, 2, 2]),
    "igp-resnet21-53": _igp(2, 53, [2, 2, 2, 2]),
    "igp-resnet37-41": _igp(3, 41, [2, 2, 2, 2]),
    "igp-resnet69-31": _igp(4, 31, [2, 2, 2, 2]),
    "igp-resnet37-32": _igp(3, 32, [2, 2, 2, 2]),
    "igp-resnet41-48": _igp(3, 48, [2, 2, 3, 2]),
    "igp-resnet21-53-c3d4": _igp(3, 53, [1, 1, 1, 1]),
    "igp-resnet37-41-c4d8": _igp(4, 41, [1, 1, 1, 1]),
    "igp-resnet69-31-c5d16": _igp(5, 31, [1, 1, 1, 1]),
    "bireal-chain-53": _chain(53, 6),
    "bireal-chain-41": _chain(41, 14),
    "bireal-chain-31": _chain(31, 30),
    "binary-densenet51-32": _dense(blocks.BinaryDense, 32, [12, 12, 12, 10], [2.7, 2.7, 2.2]),
    "binary-densenet69-32": _dense(blocks.BinaryDense, 32, [12, 16, 24, 12], [3.3, 3.3, 4]),
    "igp-densenet51-53": _dense(blocks.IgpDense, 53, [6, 6, 6, 5], [2, 2.2, 2.2]),
    "igp-densenet69-48": _dense(blocks.IgpDense, 48, [6, 8, 12, 6], [1.8, 2.7, 3]),
    # Methods that change training only: their networks, and not their ways of training, are here.
    "s2-bireal-resnet18": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "bin-resnet18": _residual(blocks.BinaryResidual, [2, 2, 2, 2], "binary"),
    "uabnn-resnet18": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "sa-bnn-resnet18": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "fulw-resnet18": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "proxy-resnet18": _residual(blocks.BiReal, [4, 4, 4, 4]),
    "resnet18": lambda classes, _join: FloatResNet([2, 2, 2, 2], classes),
    "resnet34": lambda classes, _join: FloatResNet([3, 4, 6, 3], classes),
}

# Networks of lib/architectures whose units have no PyTorch side yet; nor have networks with a unit of another,
# `<network>+<unit>`.
NOT_BUILT = (
    "bnn-resnet18",
    "xnor-resnet18",
    "tbn-resnet18",
    "tbn-resnet34",
    "ci-net-resnet18-binary-downsample",
    "xnor-net-pp-resnet18",
    "ir-resnet18",
    "bnas-e",
    "si-resnet18",
    "ci-net-resnet18",
    "rbnn-resnet18",
    "ft-resnet18",
    "dgrl-resnet18",
    "binaryduo-resnet18",
    "reactnet18-bn-free",
    "ia-bnn-resnet18",
    "real-to-bin-resnet18",
    "reactnet-resnet18",
    "dir-net2-resnet18",
)


def build_network(name: str, classes: int, join: str = "mean", unit_scale: float = 1.0) -> nn.Module:
    """The network called `name`, which takes normalised RGB [n, 3, height, width] and gives logits [n, classes].

    `unit_scale` multiplies what every 3×3 unit of the ResNets adds to its shortcut.
    """
    if name.split("+")[0] in NOT_BUILT or (name not in NETWORKS and name.split("+")[0] in NETWORKS):
        raise ValueError(f"{name!r} can be run by bitpath, but not trained here yet: training/README.md says which can")
    if name not in NETWORKS:
        close = difflib.get_close_matches(name, NETWORKS, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"there is no network called {name!r}{hint}")
    if join not in ("mean", "sum"):
        raise ValueError(f"join must be 'mean' or 'sum', not {join!r}")
    network = NETWORKS[name](classes, join)
    if unit_scale != 1:
        # 1×1 units are shortcuts.
        units = [m for m in network.modules() if isinstance(m, blocks.BinaryUnit) and m.conv.weight.shape[-1] > 1]
        if not units:
            raise ValueError(f"{name} has no units that unit_scale could scale")
        for unit in units:
            unit.scale = unit_scale
    return network
