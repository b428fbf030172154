"""The units of lib/blocks/units by the same names. Submodules have the names of its nodes."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .activations import ErrorDecaySign, Heaviside, RSign, SharedThreshold, Sign, Ternary
from .binary import LATENT_STD, BinaryConv2d
from .interaction import ChannelInteraction
from .unit import BinaryUnit, DenseUnit, Unit

REDUCTION = 8  # of the layers in the middle of gates and of DGRL's branch


class BnnUnit(Unit):
    """BNN: no scales; BatchNorm and hardtanh after the add."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride, weights="none")
        self.bn = nn.BatchNorm2d(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv(self.sign(x))

    def after(self, y: Tensor) -> Tensor:
        return F.hardtanh(self.bn(y))


class CiUnit(Unit):
    """CI-Net on Bi-Real's unit."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride, weights="none")
        self.interaction = ChannelInteraction(out_channels)
        self.bn = nn.BatchNorm2d(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        return self.bn(self.interaction(self.conv(self.sign(x))))


class CiBnnUnit(BnnUnit):
    """CI-Net on BNN's unit."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.interaction = ChannelInteraction(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        return self.interaction(super().branch(x))


class XnorUnit(Unit):
    """XNOR-Net: times K, the mean magnitude round each pixel."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride)
        self.k = nn.AvgPool2d(3, stride, 1)

    def branch(self, x: Tensor) -> Tensor:
        normal = self.bn(x)
        k = self.k(normal.abs().mean(1, keepdim=True))
        return torch.relu(self.conv(self.sign(normal)) * k)


class Rank1Scale(nn.Module):
    """α ⊗ β ⊗ γ: a factor for each channel, row and column. α begins as other units' mean|w|, β and γ at 1."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        if size < 1:
            raise ValueError("the unit xnor-net-pp needs to know the size of its input")
        self.alpha = nn.Parameter(torch.full((channels,), 0.8 * LATENT_STD))
        self.beta = nn.Parameter(torch.ones(size))
        self.gamma = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.alpha[:, None, None] * (self.beta[:, None] * self.gamma)


class XnorNetPlusPlusUnit(Unit):
    """XNOR-Net++: learnt scales of the output."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride, weights="none")
        self.gamma = Rank1Scale(out_channels, -(-size // stride))

    def branch(self, x: Tensor) -> Tensor:
        return torch.relu(self.gamma(self.conv(self.sign(self.bn(x)))))


class TernaryUnit(Unit):
    """TBN."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.ternary = Ternary(in_channels)
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride)
        self.conv.planes = 2

    def branch(self, x: Tensor) -> Tensor:
        return self.conv(self.ternary(self.bn(x)))


class IrUnit(BinaryUnit):
    """IR-Net: balanced weights, both estimators by error decay; hardtanh after the add."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__(in_channels, out_channels, stride, weights="shift")

    def make_sign(self, channels: int) -> nn.Module:
        return ErrorDecaySign()

    def after(self, y: Tensor) -> Tensor:
        return F.hardtanh(y)


class RbnnUnit(BinaryUnit):
    """RBNN: each picture's mean subtracted before the sign. Its rotations of weights are not here."""

    def branch(self, x: Tensor) -> Tensor:
        return super().branch(x - x.mean((1, 2, 3), keepdim=True))

    def after(self, y: Tensor) -> Tensor:
        return F.hardtanh(y)


class SiUnit(Unit):
    """Si-BNN: activations {0, 1}, between two BatchNorms. Its learnt shift and factor are those of the first one."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.heaviside = Heaviside()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride)
        self.bn = nn.BatchNorm2d(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(self.heaviside(self.norm(x))))


class FtUnit(BinaryUnit):
    """FTBNN: PReLU after the BatchNorm."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.prelu = nn.PReLU(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        return self.prelu(super().branch(x))


class DgrlUnit(BinaryUnit):
    """DGRL: a light full-precision branch beside Bi-Real's unit."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__(in_channels, out_channels, stride)
        middle = max(1, in_channels // REDUCTION)
        self.si = nn.Sequential(
            nn.Conv2d(in_channels, middle, 1, stride, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def branch(self, x: Tensor) -> Tensor:
        return super().branch(x) + self.si(x)


class IaUnit(BinaryUnit):
    """IA-BNN: one threshold for all channels."""

    def make_sign(self, channels: int) -> nn.Module:
        return SharedThreshold(channels)


class Bias(nn.Module):
    """x + bias[c]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias[:, None, None]


def rprelu(channels: int) -> nn.Sequential:
    """ReActNet's RPReLU: PReLU(y + b) + d."""
    return nn.Sequential(Bias(channels), nn.PReLU(channels), Bias(channels))


class ReActNetUnit(BinaryUnit):
    """ReActNet: RSign before the conv, RPReLU after the add."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.rprelu = rprelu(out_channels)

    def make_sign(self, channels: int) -> nn.Module:
        return RSign(channels)

    def after(self, y: Tensor) -> Tensor:
        return self.rprelu(y)


class RealToBinaryUnit(Unit):
    """Real-to-binary: each channel times a gate that is made of the picture's means."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        middle = max(1, in_channels // REDUCTION)
        self.bn = nn.BatchNorm2d(in_channels)
        self.gate = nn.Sequential(
            nn.Linear(in_channels, middle, bias=False),
            nn.ReLU(),
            nn.Linear(middle, out_channels, bias=False),
            nn.Sigmoid(),
        )
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride, weights="none")
        self.prelu = nn.PReLU(out_channels)

    def branch(self, x: Tensor) -> Tensor:
        normal = self.bn(x)
        gate = self.gate(normal.mean((2, 3)))
        return self.prelu(self.conv(self.sign(normal)) * gate[:, :, None, None])


UNITS: dict[str, type[Unit]] = {
    "bireal": BinaryUnit,
    "dense": DenseUnit,
    "bnn": BnnUnit,
    "xnor": XnorUnit,
    "xnor-net-pp": XnorNetPlusPlusUnit,
    "ternary": TernaryUnit,
    "ci": CiUnit,
    "ir": IrUnit,
    "rbnn": RbnnUnit,
    "si": SiUnit,
    "ft": FtUnit,
    "dgrl": DgrlUnit,
    "ia": IaUnit,
    "reactnet": ReActNetUnit,
    "real-to-binary": RealToBinaryUnit,
}
