"""The blocks of lib/blocks. Submodules have the names of its scopes, so that tensors have the names of a model file's."""

import typing
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .unit import BinaryUnit, DenseUnit, Unit

# (channels that come in, that go out, stride, height and width of the input) → unit
MakeUnit = Callable[[int, int, int, int], Unit]

# The shortcut where the shape changes: average pool → 1×1 conv → BatchNorm; strided 1×1 conv → BatchNorm; 1-bit, with and
# without scales.
Downsampling = typing.Literal["real", "strided", "binary", "unscaled"]


def real_conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def join_branches(sum_of_branches: Tensor, join: str) -> Tensor:
    """Two branches meet in their mean, or their sum."""
    return 0.5 * sum_of_branches if join == "mean" else sum_of_branches


class Scope(nn.Module):
    """One unit `u` in a scope of its own."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self.u = unit

    def forward(self, x: Tensor) -> Tensor:
        return self.u(x)


def pool_up(stride: int) -> nn.Module:
    """Average pool of stride × stride windows; at an odd size the last ones average the pixels they have."""
    return nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()


def shortcut(in_channels: int, out_channels: int, stride: int, downsample: Downsampling) -> nn.Module | None:
    """What a block that changes shape has instead of the identity; None where it keeps its shape."""
    if stride == 1 and in_channels == out_channels:
        return None
    match downsample:
        case "binary":
            return BinaryUnit(in_channels, out_channels, stride, kernel=1)
        case "unscaled":
            return BinaryUnit(in_channels, out_channels, stride, kernel=1, weights="none")
        case "strided":
            return nn.Sequential(real_conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))
        case _:
            return nn.Sequential(pool_up(stride), real_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class ResidualBlock(nn.Module):
    """What the strided blocks share: the shortcut `down`."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, downsample: Downsampling) -> None:
        super().__init__()
        down = shortcut(in_channels, out_channels, stride, downsample)
        if down is not None:
            self.down = down

    def identity(self, x: Tensor) -> Tensor:
        return self.down(x) if hasattr(self, "down") else x


class BiReal(ResidualBlock):
    """One unit with a shortcut of its own."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        unit: MakeUnit = BinaryUnit,
        stride: int = 1,
        size: int = 0,
        downsample: Downsampling = "real",
    ) -> None:
        super().__init__(in_channels, out_channels, stride, downsample)
        self.u = unit(in_channels, out_channels, stride, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.u.after(self.u.branch(x) + self.identity(x))


class BinaryResidual(ResidualBlock):
    """Plain binary ResNet block: two units under one shortcut."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        unit: MakeUnit = BinaryUnit,
        stride: int = 1,
        size: int = 0,
        downsample: Downsampling = "real",
    ) -> None:
        super().__init__(in_channels, out_channels, stride, downsample)
        self.a = Scope(unit(in_channels, out_channels, stride, size))
        self.b = Scope(unit(out_channels, out_channels, 1, -(-size // stride)))

    def forward(self, x: Tensor) -> Tensor:
        b = self.b.u
        return b.after(b.branch(self.a(x)) + self.identity(x))


class EBiReal(BinaryResidual):
    """Two Bi-Real units under a third shortcut."""

    join = "mean"

    def forward(self, x: Tensor) -> Tensor:
        a, b, identity = self.a.u, self.b.u, self.identity(x)
        first = a.after(a.branch(x) + identity)
        second = b.after(b.branch(first) + first)
        return join_branches(second + identity, self.join)


class IgpResNet(nn.Module):
    """Fractal of 2^columns - 1 units: f₁(x) = x + u(x), f_c(x) = ½·(f_{c-1}(f_{c-1}(x)) + x + u(x))."""

    def __init__(self, channels: int, columns: int, unit: MakeUnit = BinaryUnit, size: int = 0, join: str = "mean") -> None:
        super().__init__()
        self.join = join
        self.columns = columns
        self.u = unit(channels, channels, 1, size)
        if columns > 1:
            self.a = IgpResNet(channels, columns - 1, unit, size, join)
            self.b = IgpResNet(channels, columns - 1, unit, size, join)

    def forward(self, x: Tensor) -> Tensor:
        short = self.u.branch(x)
        if self.columns == 1:
            return self.u.after(x + short)
        side = self.u.after(x + short if self.join == "mean" else short)
        return join_branches(self.b(self.a(x)) + side, self.join)


class IgpTransition(nn.Sequential):
    """2×2 average pool → 1×1 conv → BatchNorm."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AvgPool2d(2), real_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class BinaryDense(nn.Module):
    """cat(x, u(x))."""

    def __init__(self, in_channels: int, growth: int, unit: MakeUnit = DenseUnit, size: int = 0) -> None:
        super().__init__()
        self.u = unit(in_channels, growth, 1, size)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.u(x)], 1)


class IgpDense(nn.Module):
    """cat(x, J(A(x), b + D(b))) with b = B(x)."""

    def __init__(self, in_channels: int, growth: int, unit: MakeUnit = DenseUnit, size: int = 0, join: str = "mean") -> None:
        super().__init__()
        self.join = join
        self.a = Scope(unit(in_channels, growth, 1, size))
        self.b = Scope(unit(in_channels, growth, 1, size))
        self.d = Scope(unit(growth, growth, 1, size))

    def forward(self, x: Tensor) -> Tensor:
        b = self.b(x)
        deep = self.d.u.after(self.d.u.branch(b) + b)
        return torch.cat([x, join_branches(deep + self.a(x), self.join)], 1)


class DenseTransition(nn.Sequential):
    """BatchNorm → 2×2 max pool → ReLU → 1×1 conv."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.BatchNorm2d(in_channels), nn.MaxPool2d(2), nn.ReLU(), real_conv(in_channels, out_channels, 1))


class FloatResidual(nn.Module):
    """The full-precision basic block, with torchvision's names."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = real_conv(in_channels, out_channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = real_conv(out_channels, out_channels, 3)
        self.bn2 = nn.BatchNorm2d(out_channels)
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(real_conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        identity = self.downsample(x) if hasattr(self, "downsample") else x
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + identity)
