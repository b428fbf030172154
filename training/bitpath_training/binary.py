"""1-bit convolutions and how gradients pass their signs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LATENT_STD = 0.05


# Both estimators are written as sign + (f - f.detach()): the sign exactly, with the gradient of f. No autograd.Function: in
# PyTorch 2.11 torch.compile drops the gradient of one whose forward ends in a `.to` that changes nothing
# (pytorch/pytorch#180642), and the latent weights then stay as they were drawn, without an error.


def approx_sign(x: Tensor) -> Tensor:
    """Bi-Real's estimator for activations: the sign (of 0: +1), with the slope 2 - 2|x| within ±1 and 0 outside."""
    clipped = x.clamp(-1, 1)
    return _with_gradient_of(x, clipped * (2 - clipped.abs()))


def clipped_sign(x: Tensor) -> Tensor:
    """Straight-through estimator for weights: the sign (of 0: +1), with the slope 1 within ±1 and 0 outside."""
    return _with_gradient_of(x, x.clamp(-1, 1))


def _with_gradient_of(x: Tensor, f: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype) + (f - f.detach())


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
        self.real_weights = False  # stage one of two-stage training: the latent weights themselves
        nn.init.normal_(self.weight, std=LATENT_STD)

    def scale(self) -> Tensor:
        """mean|w| of each output channel, [out], rounded to bfloat16: the same network then trains in bf16 and is exported."""
        return self.weight.detach().abs().mean((1, 2, 3)).bfloat16().float()

    def forward(self, x: Tensor) -> Tensor:
        weight = clipped_sign(self.weight) * self.scale()[:, None, None, None]
        outputs, inputs = weight.shape[:2]
        if self.real_weights:
            weight = self.weight
        more_outputs, more_inputs = -outputs % self.channel_multiple, -inputs % self.channel_multiple
        if more_outputs or more_inputs:
            weight = F.pad(weight, (0, 0, 0, 0, 0, more_inputs, 0, more_outputs))
            x = F.pad(x, (0, 0, 0, 0, 0, more_inputs))
        return F.conv2d(x, weight, stride=self.stride, padding=self.padding)[:, :outputs]
