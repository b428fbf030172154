"""What a block repeats, and the units of the two families. units.py has the others, by name."""

from torch import Tensor, nn

from .activations import Sign
from .binary import BinaryConv2d, Weights


class Unit(nn.Module):
    """A branch, and a step after the shortcut's add. `size` is the height and width of its input: one unit needs it.

    A block computes `after(branch(x) + shortcut)` where a shortcut goes round this one unit, and `after(branch(x))`, which is
    `forward`, where none does.
    """

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def after(self, y: Tensor) -> Tensor:
        return y

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.branch(x))


class BinaryUnit(Unit):
    """Sign → 1-bit conv → BatchNorm, then times `scale` where that is not 1."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        size: int = 0,
        *,
        kernel: int = 3,
        weights: Weights = "magnitude",
    ) -> None:
        super().__init__()
        self.sign = self.make_sign(in_channels)
        self.conv = BinaryConv2d(in_channels, out_channels, kernel, stride, weights=weights)
        self.bn = nn.BatchNorm2d(out_channels)
        self.scale = 1.0

    def make_sign(self, channels: int) -> nn.Module:
        return Sign()

    def branch(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(self.sign(x)))
        return y if self.scale == 1 else self.scale * y


class DenseUnit(Unit):
    """BatchNorm → Sign → 3×3 1-bit conv."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, size: int = 0) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(in_channels)
        self.sign = Sign()
        self.conv = BinaryConv2d(in_channels, out_channels, stride=stride)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv(self.sign(self.bn(x)))
