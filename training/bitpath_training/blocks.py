"""The blocks of lib/blocks. Submodules have the names of its scopes, so that tensors have the names of a model file's."""

import torch
from torch import Tensor, nn

from .binary import BinaryConv2d, approx_sign


def real_conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def join_branches(sum_of_branches: Tensor, join: str) -> Tensor:
    """Two branches meet in their mean, or their sum."""
    return 0.5 * sum_of_branches if join == "mean" else sum_of_branches


class BinaryUnit(nn.Module):
    """Sign → 1-bit conv → BatchNorm, then times `scale` where that is not 1."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = BinaryConv2d(in_channels, out_channels, kernel, stride)
        self.bn = nn.BatchNorm2d(out_channels)
        self.scale = 1.0

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(approx_sign(x)))
        return y if self.scale == 1 else self.scale * y


class DenseUnit(nn.Module):
    """BatchNorm → Sign → 3×3 1-bit conv."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.conv = BinaryConv2d(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(approx_sign(self.bn(x)))


class Scope(nn.Module):
    """One unit `u` in a scope of its own."""

    def __init__(self, unit: nn.Module) -> None:
        super().__init__()
        self.u = unit

    def forward(self, x: Tensor) -> Tensor:
        return self.u(x)


def shortcut(in_channels: int, out_channels: int, stride: int, downsample: str) -> nn.Module | None:
    """What a block that changes shape has instead of the identity; None where it keeps its shape."""
    if stride == 1 and in_channels == out_channels:
        return None
    if downsample == "binary":
        return BinaryUnit(in_channels, out_channels, kernel=1, stride=stride)
    # At an odd size the last windows average the pixels they have.
    pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, real_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class ResidualBlock(nn.Module):
    """What the strided blocks share: the shortcut `down`."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, downsample: str) -> None:
        super().__init__()
        down = shortcut(in_channels, out_channels, stride, downsample)
        if down is not None:
            self.down = down

    def identity(self, x: Tensor) -> Tensor:
        return self.down(x) if hasattr(self, "down") else x


class BiReal(ResidualBlock):
    """One unit with a shortcut of its own."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, downsample: str = "real") -> None:
        super().__init__(in_channels, out_channels, stride, downsample)
        self.u = BinaryUnit(in_channels, out_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.identity(x) + self.u(x)


class BinaryResidual(ResidualBlock):
    """Plain binary ResNet block: two units under one shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, downsample: str = "real") -> None:
        super().__init__(in_channels, out_channels, stride, downsample)
        self.a = Scope(BinaryUnit(in_channels, out_channels, stride=stride))
        self.b = Scope(BinaryUnit(out_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.identity(x) + self.b(self.a(x))


class EBiReal(BinaryResidual):
    """Two Bi-Real units under a third shortcut."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, downsample: str = "real", join: str = "mean"
    ) -> None:
        super().__init__(in_channels, out_channels, stride, downsample)
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        identity = self.identity(x)
        first = identity + self.a(x)
        return join_branches(first + self.b(first) + identity, self.join)


class IgpResNet(nn.Module):
    """Fractal of 2^columns - 1 units: f₁(x) = x + u(x), f_c(x) = ½·(f_{c-1}(f_{c-1}(x)) + x + u(x))."""

    def __init__(self, channels: int, columns: int, join: str = "mean") -> None:
        super().__init__()
        self.join = join
        self.columns = columns
        self.u = BinaryUnit(channels, channels)
        if columns > 1:
            self.a = IgpResNet(channels, columns - 1, join)
            self.b = IgpResNet(channels, columns - 1, join)

    def forward(self, x: Tensor) -> Tensor:
        short = self.u(x)
        if self.columns == 1:
            return x + short
        side = x + short if self.join == "mean" else short
        return join_branches(self.b(self.a(x)) + side, self.join)


class IgpTransition(nn.Sequential):
    """2×2 average pool → 1×1 conv → BatchNorm."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AvgPool2d(2), real_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class BinaryDense(nn.Module):
    """cat(x, u(x))."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.u = DenseUnit(in_channels, growth)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.u(x)], 1)


class IgpDense(nn.Module):
    """cat(x, J(A(x), b + D(b))) with b = B(x)."""

    def __init__(self, in_channels: int, growth: int, join: str = "mean") -> None:
        super().__init__()
        self.join = join
        self.a = Scope(DenseUnit(in_channels, growth))
        self.b = Scope(DenseUnit(in_channels, growth))
        self.d = Scope(DenseUnit(growth, growth))

    def forward(self, x: Tensor) -> Tensor:
        b = self.b(x)
        return torch.cat([x, join_branches(self.d(b) + b + self.a(x), self.join)], 1)


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
