"""The networks of lib/architectures by the same names, tensor by tensor: test_parameters.py holds the two lists equal."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import blocks, special
from .unit import BinaryUnit, DenseUnit, Unit
from .units import UNITS, CiBnnUnit

ACTIVATIONS = {"relu": nn.ReLU, "hardtanh": nn.Hardtanh, "prelu": nn.PReLU}


def stem(width: int, activation: str = "", norm: bool = True) -> nn.Sequential:
    """7×7 conv `0`, stride 2 → BatchNorm `1` → activation by its name → 3×3 max pool, stride 2."""
    layers = nn.Sequential(blocks.real_conv(3, width, 7, 2))
    if norm:
        layers.append(nn.BatchNorm2d(width))
    if activation:
        kind = ACTIVATIONS[activation]
        layers.add_module(activation, kind(width) if kind is nn.PReLU else kind())
    layers.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return layers


class Network(nn.Module):
    """Stem, body, global average pool, classifier. Before the pool `norm` and a ReLU, after it `fc_norm`, where asked for."""

    def __init__(
        self,
        first: nn.Module,
        body: Sequence[nn.Module],
        channels: int,
        classes: int,
        *,
        norm: bool = False,
        relu: bool = False,
        pooled_norm: bool = False,
    ) -> None:
        super().__init__()
        self.stem = first
        self.body = nn.Sequential(*body)
        if norm:
            self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU() if relu else nn.Identity()
        if pooled_norm:
            self.fc_norm = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.stem(x))
        if hasattr(self, "norm"):
            x = self.norm(x)
        x = self.relu(x).mean((2, 3))
        if hasattr(self, "fc_norm"):
            x = self.fc_norm(x[:, :, None, None]).flatten(1)
        return self.fc(x)


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


@dataclass(frozen=True)
class Options:
    classes: int
    join: str
    unit: type[Unit] | None  # None: the network's own
    input_size: int

    def after_stem(self) -> int:
        """Height and width of the maps that the first block gets: two halvings, rounded up."""
        return -(-self.input_size // 4)


Builder = Callable[[Options], nn.Module]


def _residual(
    block: type[blocks.ResidualBlock],
    stages: Sequence[int],
    downsample: blocks.Downsampling = "real",
    unit: type[Unit] = BinaryUnit,
    activation: str = "",
    stem_norm: bool = True,
    **end: bool,
) -> Builder:
    def build(options: Options) -> nn.Module:
        body, channels, size = [], 64, options.after_stem()
        for stage, count in enumerate(stages):
            width = 64 * 2**stage
            for i in range(count):
                stride = 2 if i == 0 and stage > 0 else 1
                one = block(channels, width, options.unit or unit, stride, size, downsample)
                if isinstance(one, blocks.EBiReal):
                    one.join = options.join
                body.append(one)
                channels, size = width, -(-size // stride)
        return Network(stem(64, activation, stem_norm), body, channels, options.classes, **end)

    return build


def _igp_stages(width: int, stages: Sequence[int], block: Callable[[int, type[Unit], int, str], nn.Module]) -> Builder:
    def build(options: Options) -> nn.Module:
        body, channels, size = [], width, options.after_stem()
        for stage, count in enumerate(stages):
            if stage > 0:
                body.append(blocks.IgpTransition(channels, 2 * channels))
                channels, size = 2 * channels, size // 2
            body.extend(block(channels, options.unit or BinaryUnit, size, options.join) for _ in range(count))
        return Network(stem(width), body, channels, options.classes)

    return build


def _igp(columns: int, width: int, stages: Sequence[int]) -> Builder:
    return _igp_stages(width, stages, lambda channels, *rest: blocks.IgpResNet(channels, columns, *rest))


def _chain(width: int, units: int) -> Builder:
    return _igp_stages(
        width, [units] * 4, lambda channels, unit, size, _join: blocks.BiReal(channels, channels, unit, size=size)
    )


def _dense(block: type[nn.Module], growth: int, stages: Sequence[int], reductions: Sequence[float]) -> Builder:
    def build(options: Options) -> nn.Module:
        join = {"join": options.join} if block is blocks.IgpDense else {}
        body, channels, size = [], 64, options.after_stem()
        for stage, count in enumerate(stages):
            if stage > 0:
                reduced = max(1, int(channels / reductions[stage - 1]))
                body.append(blocks.DenseTransition(channels, reduced))
                channels, size = reduced, size // 2
            for _ in range(count):
                body.append(block(channels, growth, options.unit or DenseUnit, size, **join))
                channels += growth
        return Network(stem(64, "relu"), body, channels, options.classes, norm=True, relu=True)

    return build


def _bn_free(options: Options) -> nn.Module:
    return Network(stem(64, norm=False), special.bn_free_body(), 512, options.classes)


TWO = [2, 2, 2, 2]
FOUR = [4, 4, 4, 4]
PLAIN, BI_REAL = blocks.BinaryResidual, blocks.BiReal
TBN = {"downsample": "binary", "unit": UNITS["ternary"], "stem_norm": False, "norm": True, "relu": True}
CLIPPED = {"downsample": "strided", "activation": "hardtanh", "pooled_norm": True}

# Networks that may have the unit of another, `<network>+<unit>`.
TOPOLOGIES: dict[str, Builder] = {
    "binary-resnet18": _residual(PLAIN, TWO),
    "binary-resnet34": _residual(PLAIN, [3, 4, 6, 3]),
    "binary-resnet18-binary-downsample": _residual(PLAIN, TWO, "binary"),
    "binary-resnet34-binary-downsample": _residual(PLAIN, [3, 4, 6, 3], "binary"),
    "bireal-resnet18-64": _residual(BI_REAL, FOUR),
    "bireal-resnet34-64": _residual(BI_REAL, [6, 8, 12, 6]),
    "ebireal-resnet18-64": _residual(blocks.EBiReal, TWO),
    "igp-resnet21-53": _igp(2, 53, TWO),
    "igp-resnet37-41": _igp(3, 41, TWO),
    "igp-resnet69-31": _igp(4, 31, TWO),
    "igp-resnet37-32": _igp(3, 32, TWO),
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
}

# The other rows of the paper's Table 1. Where a method changes training only, its network is here and its training is not.
ROWS: dict[str, Builder] = {
    "s2-bireal-resnet18": _residual(BI_REAL, FOUR),
    "bin-resnet18": _residual(PLAIN, TWO, "binary"),
    "uabnn-resnet18": _residual(BI_REAL, FOUR),
    "sa-bnn-resnet18": _residual(BI_REAL, FOUR),
    "fulw-resnet18": _residual(BI_REAL, FOUR),
    "proxy-resnet18": _residual(BI_REAL, FOUR),
    "bnn-resnet18": _residual(PLAIN, TWO, "unscaled", UNITS["bnn"]),
    "xnor-resnet18": _residual(PLAIN, TWO, "binary", UNITS["xnor"]),
    "tbn-resnet18": _residual(PLAIN, TWO, **TBN),
    "tbn-resnet34": _residual(PLAIN, [3, 4, 6, 3], **TBN),
    "ci-net-resnet18-binary-downsample": _residual(PLAIN, TWO, "unscaled", CiBnnUnit),
    "xnor-net-pp-resnet18": _residual(PLAIN, TWO, "binary", UNITS["xnor-net-pp"]),
    "ir-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["ir"], **CLIPPED),
    "bnas-e": lambda options: special.BnasNetwork(options.classes),
    "si-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["si"], relu=True),
    "ci-net-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["ci"]),
    "rbnn-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["rbnn"], **CLIPPED),
    "ft-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["ft"]),
    "dgrl-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["dgrl"]),
    "binaryduo-resnet18": lambda options: special.BinaryDuoNetwork(options.classes),
    "reactnet18-bn-free": _bn_free,
    "ia-bnn-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["ia"]),
    "real-to-bin-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["real-to-binary"], activation="prelu"),
    "reactnet-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["reactnet"]),
    "dir-net2-resnet18": _residual(BI_REAL, FOUR, unit=UNITS["reactnet"]),
    "resnet18": lambda options: FloatResNet(TWO, options.classes),
    "resnet34": lambda options: FloatResNet([3, 4, 6, 3], options.classes),
}

NETWORKS: dict[str, Builder] = TOPOLOGIES | ROWS


def build_network(name: str, classes: int, join: str = "mean", unit_scale: float = 1.0, input_size: int = 128) -> nn.Module:
    """The network called `name`, or `<network>+<unit>`: normalised RGB [n, 3, height, width] → logits [n, classes].

    `unit_scale` multiplies what every 3×3 unit of the ResNets adds to its shortcut. `input_size` matters to the unit
    xnor-net-pp alone, which has a factor for each row.
    """
    base, plus, unit = name.partition("+")
    if base not in NETWORKS:
        raise ValueError(f"there is no network called {base!r}{_nearest(base, NETWORKS)}")
    if plus and base not in TOPOLOGIES:
        raise ValueError(f"{base} takes no other unit: its own is what it is")
    if plus and unit not in UNITS:
        raise ValueError(f"there is no unit called {unit!r}{_nearest(unit, UNITS)}")
    if join not in ("mean", "sum"):
        raise ValueError(f"join must be 'mean' or 'sum', not {join!r}")
    network = NETWORKS[base](Options(classes, join, UNITS[unit] if plus else None, input_size))
    if join != "mean" and not any(hasattr(m, "join") for m in network.modules()):
        raise ValueError(f"{name} has no joins that could be sums")
    if unit_scale != 1:
        # 1×1 units are shortcuts.
        units = [m for m in network.modules() if type(m) is BinaryUnit and m.conv.weight.shape[-1] > 1]
        if not units:
            raise ValueError(f"{name} has no units that unit_scale could scale")
        for one in units:
            one.scale = unit_scale
    return network


def _nearest(name: str, known: dict) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""
