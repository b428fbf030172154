"""1-bit convolutions and how gradients pass their signs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LATENT_STD = 0.05


class ApproxSign(torch.autograd.Function):
    """Bi-Real's estimator for activations: sign forward (0 is +1, NaN is -1), backward the slope 2 - 2|x| within ±1.

    It is the derivative of the piecewise quadratic that lies closest to the sign of the three that are easy to write.
    """

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * (2 - 2 * x.abs()).clamp(min=0)


class ClippedSign(torch.autograd.Function):
    """Straight-through estimator for weights: sign forward, backward the identity within ±1 and 0 outside."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1).to(gradient.dtype)


def sign(x: Tensor) -> Tensor:
    """±1 activations."""
    return ApproxSign.apply(x)


class BinaryConv2d(nn.Module):
    """Convolution of ±1 activations with the weights sign(w) · mean|w|, the mean per output channel and without gradient.

    Padded taps contribute 0. `weight` holds the latent weights w, [out, in, kernel, kernel].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.stride = stride
        self.padding = kernel // 2
        # Tensor cores want channels in eights. Zero channels change no result; they cost nothing beside the slow path.
        self.channel_multiple = 1
        nn.init.normal_(self.weight, std=LATENT_STD)

    def scale(self) -> Tensor:
        """mean|w| of each output channel, [out], rounded to bfloat16: the same network then trains in bf16 and is exported."""
        return self.weight.detach().abs().mean((1, 2, 3)).bfloat16().float()

    def forward(self, x: Tensor) -> Tensor:
        weight = ClippedSign.apply(self.weight) * self.scale()[:, None, None, None]
        outputs, inputs = weight.shape[:2]
        more_outputs, more_inputs = -outputs % self.channel_multiple, -inputs % self.channel_multiple
        if more_outputs or more_inputs:
            weight = F.pad(weight, (0, 0, 0, 0, 0, more_inputs, 0, more_outputs))
            x = F.pad(x, (0, 0, 0, 0, 0, more_inputs))
        return F.conv2d(x, weight, stride=self.stride, padding=self.padding)[:, :outputs]
