"""Blocks and networks of a topology of their own: BinaryDuo, the ReActNet without BatchNorm, BNAS-E."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .activations import HalfHeaviside, RSign, Sign
from .binary import BinaryConv2d, BinaryWeightConv2d
from .blocks import pool_up, real_conv
from .units import rprelu


class Replicate(nn.Module):
    """The channels twice, one copy after the other."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x], 1)


def mean_of_copies(x: Tensor) -> Tensor:
    first, second = x.chunk(2, 1)
    return 0.5 * (first + second)


class DuoUnit(nn.Module):
    """{0, 1} activations → 1-bit conv → twice → BatchNorm, in the last block without the copy."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, last: bool) -> None:
        super().__init__()
        self.heaviside = HalfHeaviside(2 * in_channels)
        self.conv = BinaryConv2d(2 * in_channels, out_channels, stride=stride, weights="layer")
        self.replicate = nn.Identity() if last else Replicate()
        self.bn = nn.BatchNorm2d(out_channels if last else 2 * out_channels)
        if not last:
            _separate_copies(self.bn)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.replicate(self.conv(self.heaviside(x))))


def _separate_copies(bn: nn.BatchNorm2d) -> None:
    """BinaryDuo's two thresholds: the copies begin half a unit apart."""
    with torch.no_grad():
        half = len(bn.bias) // 2
        bn.bias[:half] -= 0.25
        bn.bias[half:] += 0.25


class BinaryDuo(nn.Module):
    """Decoupled block: every channel comes twice. The last one has each once."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, last: bool) -> None:
        super().__init__()
        self.more = out_channels - in_channels if last else None
        self.u = DuoUnit(in_channels, out_channels, stride, last)
        if not last and (stride > 1 or in_channels != out_channels):
            conv, bn = real_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)
            self.down = nn.Sequential(pool_up(stride), conv, bn, Replicate())

    def forward(self, x: Tensor) -> Tensor:
        if self.more is not None:
            identity = F.pad(mean_of_copies(x), (0, 0, 0, 0, 0, self.more))
        else:
            identity = self.down(mean_of_copies(x)) if hasattr(self, "down") else x
        return self.u(x) + identity


class BinaryDuoNetwork(nn.Module):
    WIDTHS = (64, 90, 180, 360)
    LAST = 512

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        for name, module in (
            ("0", real_conv(3, 64, 7, 2)),
            ("1", nn.BatchNorm2d(64)),
            ("relu", nn.ReLU()),
            ("pool", nn.MaxPool2d(3, stride=2, padding=1)),
            ("replicate", Replicate()),
            ("bn", nn.BatchNorm2d(128)),
        ):
            self.stem.add_module(name, module)
        _separate_copies(self.stem.bn)
        body, channels = [], 64
        for stage, width in enumerate(self.WIDTHS):
            for i in range(4):
                last = stage == 3 and i == 3
                out_channels = self.LAST if last else width
                body.append(BinaryDuo(channels, out_channels, 2 if i == 0 and stage > 0 else 1, last))
                channels = out_channels
        self.body = nn.Sequential(*body)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.body(self.stem(x)))
        return self.fc(x.mean((2, 3)))


class BnFreeUnit(nn.Module):
    """RSign → 1-bit conv of standardised weights; RPReLU after the add."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.sign = RSign(in_channels)
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride, weights="standardised")
        self.rprelu = rprelu(out_channels)


class BnFree(nn.Module):
    """x' = β·x, y = RPReLU(α·(s(x') ⊛ W) + s): no BatchNorm, so magnitudes are set by α and β."""

    ALPHA = 0.2

    def __init__(self, in_channels: int, out_channels: int, stride: int, beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.u = BnFreeUnit(in_channels, out_channels, stride)
        if stride > 1 or in_channels != out_channels:
            conv = BinaryWeightConv2d(in_channels, out_channels, 1, weights="standardised")
            self.down = nn.Sequential(pool_up(stride), conv)

    def forward(self, x: Tensor) -> Tensor:
        scaled = x if self.beta == 1 else self.beta * x
        identity = self.down(scaled) if hasattr(self, "down") else x
        return self.u.rprelu(self.ALPHA * self.u.conv(self.u.sign(scaled)) + identity)


def bn_free_body() -> list[nn.Module]:
    """β is 1 / √variance that is expected of a block's input: a downsampling sets it to 1, each unit adds α² = 0.04."""
    body, channels = [], 64
    for stage in range(4):
        width = 64 * 2**stage
        for i, variance in enumerate([1 if stage == 0 else 1.12, 1, 1.04, 1.08]):
            body.append(BnFree(channels, width, 2 if i == 0 and stage > 0 else 1, 1 / math.sqrt(variance)))
            channels = width
    return body


class BnasConv(nn.Module):
    """BatchNorm → Sign → 1-bit conv → ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, dilation: int = 1) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, kernel, stride, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(self.sign(self.bn(x))))


# Two (op, input) for each of four nodes. Inputs: 0 is the older cell, 1 the previous one, 2 … the nodes before.
NORMAL = (
    (("bin3", 1), ("dil3", 0)),
    (("bin3", 1), ("bin3", 2)),
    (("bin3", 2), ("dil3", 1)),
    (("dil3", 1), ("bin3", 0)),
)
HALVING = (
    (("max3", 0), ("max3", 1)),
    (("max3", 0), ("bin3", 2)),
    (("max3", 0), ("dil3", 3)),
    (("max3", 0), ("dil3", 4)),
)


class BnasCell(nn.Module):
    """Cell of BNAS's ImageNet genotype."""

    def __init__(
        self, older: int, previous: int, channels: int, *, halves: bool, older_is_larger: bool, has_shortcut: bool
    ) -> None:
        super().__init__()
        self.genotype = HALVING if halves else NORMAL
        first = (3, 2) if older_is_larger else (1, 1)
        self.preprocess0 = BnasConv(older, channels, *first)
        self.preprocess1 = BnasConv(previous, channels, 1, 1)
        self.ops = nn.ModuleList()
        for op, source in (choice for node in self.genotype for choice in node):
            stride = 2 if halves and source < 2 else 1
            if op == "max3":
                self.ops.append(nn.MaxPool2d(3, stride, 1))
            else:
                self.ops.append(BnasConv(channels, channels, 3, stride, 2 if op == "dil3" else 1))
        self.has_shortcut = has_shortcut
        if has_shortcut and halves:
            self.down = nn.Sequential(nn.BatchNorm2d(previous), nn.Conv2d(previous, 4 * channels, 2, 2))

    def forward(self, older: Tensor, previous: Tensor) -> Tensor:
        states = [self.preprocess0(older), self.preprocess1(previous)]
        sources = [source for node in self.genotype for _, source in node]
        for node in range(4):
            a, b = 2 * node, 2 * node + 1
            states.append(self.ops[a](states[sources[a]]) + self.ops[b](states[sources[b]]))
        nodes = torch.cat(states[2:], 1)
        if not self.has_shortcut:
            return nodes
        if not hasattr(self, "down"):
            return nodes + previous
        normal = self.down[0](previous)
        height, width = previous.shape[2:]
        return nodes + self.down[1](F.pad(normal, (0, width % 2, 0, height % 2)))


class BnasNetwork(nn.Module):
    CELLS = 12
    CHANNELS = 68

    def __init__(self, classes: int) -> None:
        super().__init__()
        channels = self.CHANNELS
        self.stem0 = nn.Sequential(
            real_conv(3, channels // 2, 3, 2),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(),
            real_conv(channels // 2, channels, 3, 2),
            nn.BatchNorm2d(channels),
        )
        self.stem1 = nn.Sequential(nn.ReLU(), real_conv(channels, channels, 3, 2), nn.BatchNorm2d(channels))
        cells, older, previous, older_is_larger = [], channels, channels, True
        for i in range(self.CELLS):
            halves = i in (self.CELLS // 3, 2 * self.CELLS // 3)
            channels *= 2 if halves else 1
            shapes = {"halves": halves, "older_is_larger": older_is_larger, "has_shortcut": i > 0}
            cells.append(BnasCell(older, previous, channels, **shapes))
            older, previous, older_is_larger = previous, 4 * channels, halves
        self.body = nn.ModuleList(cells)
        self.fc = nn.Linear(previous, classes)

    def forward(self, x: Tensor) -> Tensor:
        older = self.stem0(x)
        previous = self.stem1(older)
        for cell in self.body:
            older, previous = previous, cell(older, previous)
        return self.fc(previous.mean((2, 3)))
