"""Binarisations of activations as modules, so that a network's list of modules has each of them by its name in the graph."""

import torch
from torch import Tensor, nn

from . import estimators


class Sign(nn.Module):
    """±1 by ApproxSign. With `sharpness` β it is the smooth function behind the estimator instead, of β·x (gradients.py)."""

    sharpness: float | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.sharpness is not None:
            return estimators.smooth_sign(self.sharpness * x)
        return estimators.approx_sign(x)


class RSign(Sign):
    """ReActNet's sign with a learnt threshold for each channel: +1 where x ≥ threshold."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - self.threshold[:, None, None])


class SharedThreshold(Sign):
    """A sign with one learnt threshold for all channels, which a model file has once a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - self.shift)

    def exported(self) -> dict[str, Tensor]:
        return {"threshold": self.shift.expand(self.channels)}


class ErrorDecaySign(nn.Module):
    """±1 by IR-Net's estimator, which sharpens while training goes on: `set_progress`."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("t", torch.tensor(estimators.decay_at(0)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return estimators.error_decay_sign(x, self.t)


class Heaviside(nn.Module):
    """{0, 1} by the step at 0."""

    def forward(self, x: Tensor) -> Tensor:
        return estimators.approx_heaviside(x)


class HalfHeaviside(nn.Module):
    """BinaryDuo's {0, 1}: round(clip(x, 0, 1)), with a threshold of ½ that is not learnt (the BatchNorms before it are)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.full((channels,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        return estimators.clipped_heaviside(x - self.threshold[:, None, None])


class Ternary(nn.Module):
    """TBN's {-1, 0, +1}. The threshold is 0.4 · mean|x|, of all channels together, as a running average: one number a layer."""

    SHARE = 0.4
    MOMENTUM = 0.1

    def __init__(self, channels: int) -> None:
        super().__init__()
        # What it is for a normal distribution, which the BatchNorm before it makes: mean|x| = √(2/π).
        self.register_buffer("threshold", torch.full((channels,), self.SHARE * 0.798))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            batch = self.SHARE * x.detach().float().abs().mean()
            self.threshold.lerp_(batch.expand_as(self.threshold), self.MOMENTUM)
        return estimators.clipped_ternary(x, self.threshold)


def set_progress(network: nn.Module, progress: float) -> None:
    """`progress` is the share of training that is done, 0 … 1; only IR-Net's estimator asks for it."""
    for module in network.modules():
        t = getattr(module, "t", None)
        if isinstance(t, Tensor):
            t.fill_(estimators.decay_at(progress))
