"""1-bit convolutions: latent weights, what their signs are multiplied by, and how they meet activations."""

import typing

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import estimators
from .estimators import clipped_sign

LATENT_STD = 0.05

# What ±1 weights are multiplied by, and what of the latent weights w the sign is taken of:
# - magnitude: mean|w| of each output channel (XNOR-Net, Bi-Real);
# - layer: mean|w| of the whole layer (BinaryDuo);
# - none: nothing (BNN, Real-to-binary, XNOR-Net++);
# - shift: IR-Net's balanced, standardised ŵ = (w - mean) / std of each output channel, and 2^round(log2 mean|ŵ|);
# - standardised: (w - mean) / ((std + 1e-5)·√K), its mean magnitude, and a learnt gain for each output channel (BN-free
#   ReActNet).
Weights = typing.Literal["magnitude", "layer", "none", "shift", "standardised"]
BALANCED = ("shift", "standardised")  # the sign is not that of w


class BinaryConv2d(nn.Module):
    """Convolution of ±1 activations with weights of ±1 times a scale for each output channel, which has no gradient.

    Padded taps contribute 0. `weight` holds the latent weights w, [out, in, kernel, kernel].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        weights: Weights = "magnitude",
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.stride = stride
        self.dilation = dilation
        self.padding = dilation * (kernel - 1) // 2
        self.weights = weights
        self.planes = 1  # bits of an activation: costs.py
        # Tensor cores want channels in eights. Zero channels change no result; they cost nothing beside the slow path.
        self.channel_multiple = 1
        self.real_weights = False  # stage one of two-stage training: the latent weights themselves
        # Of a model file, in place of what the latent weights say.
        self.register_buffer("fixed_scale", None, persistent=False)
        nn.init.normal_(self.weight, std=LATENT_STD)
        if weights == "standardised":
            self.gain = nn.Parameter(torch.ones(out_channels))
        if weights == "shift":
            self.register_buffer("t", torch.tensor(estimators.decay_at(0)), persistent=False)

    def signed(self) -> Tensor:
        """What the sign is taken of, shaped as `weight`: the latent weights, or these made balanced."""
        w = self.weight
        if self.weights not in BALANCED:
            return w
        centred = w - w.mean((1, 2, 3), keepdim=True)
        if self.weights == "shift":
            return centred / w.std((1, 2, 3), keepdim=True)
        return centred / ((w.std((1, 2, 3), correction=0, keepdim=True) + 1e-5) * w[0].numel() ** 0.5)

    def bits(self) -> Tensor:
        """The weights that are +1."""
        return self.signed().detach() >= 0

    def scale(self) -> Tensor:
        """[out], rounded to bfloat16: the same network then trains in bf16 and is exported."""
        if self.fixed_scale is not None:
            return self.fixed_scale
        magnitude = self.signed().detach().abs().mean((1, 2, 3))
        match self.weights:
            case "none":
                return torch.ones_like(magnitude)
            case "layer":
                return magnitude.mean().bfloat16().float().expand_as(magnitude)
            case "shift":
                return magnitude.log2().round().exp2()
            case "standardised":
                product = magnitude * self.gain
                return product + (product.bfloat16().float() - product).detach()
            case _:
                return magnitude.bfloat16().float()

    def exported(self) -> dict[str, Tensor]:
        return {} if self.weights == "none" else {"scale": self.scale()}

    def binarised(self) -> Tensor:
        """±1 times the scale, with the estimator's gradient."""
        signed = self.signed()
        weight = estimators.error_decay_sign(signed, self.t) if self.weights == "shift" else clipped_sign(signed)
        return weight if self.weights == "none" else weight * self.scale()[:, None, None, None]

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight if self.real_weights else self.binarised()
        outputs, inputs = weight.shape[:2]
        more_outputs, more_inputs = -outputs % self.channel_multiple, -inputs % self.channel_multiple
        if more_outputs or more_inputs:
            weight = F.pad(weight, (0, 0, 0, 0, 0, more_inputs, 0, more_outputs))
            x = F.pad(x, (0, 0, 0, 0, 0, more_inputs))
        y = F.conv2d(x, weight, stride=self.stride, padding=self.padding, dilation=self.dilation)
        return y[:, :outputs]


class BinaryWeightConv2d(BinaryConv2d):
    """The same with real-valued activations: additions instead of popcounts."""
