"""How gradients pass steps that have none: the step itself forward, the slope of another function backward.

All are written as step + (f - f.detach()): the step exactly, with the gradient of f. No autograd.Function: in PyTorch 2.11
torch.compile drops the gradient of one whose forward ends in a `.to` that changes nothing (pytorch/pytorch#180642), and the
latent weights then stay as they were drawn, without an error.
"""

import math

import torch
from torch import Tensor


def smooth_sign(x: Tensor) -> Tensor:
    """x·(2 - |x|) within ±1, ±1 outside: the mean of sign(x - z) over noise z with the density 1 - |z| on ±1."""
    clipped = x.clamp(-1, 1)
    return clipped * (2 - clipped.abs())


def approx_sign(x: Tensor) -> Tensor:
    """Bi-Real's estimator for activations: the sign (of 0: +1), with the slope 2 - 2|x| within ±1 and 0 outside."""
    return _sign_with_gradient_of(x, smooth_sign(x))


def clipped_sign(x: Tensor) -> Tensor:
    """Straight-through estimator for weights: the sign (of 0: +1), with the slope 1 within ±1 and 0 outside."""
    return _sign_with_gradient_of(x, x.clamp(-1, 1))


def error_decay_sign(x: Tensor, t: Tensor) -> Tensor:
    """IR-Net's estimator: the sign (of 0: +1), with the slope k·t·(1 - tanh²(t·x)), k = max(1/t, 1); see `decay_at`."""
    return _sign_with_gradient_of(x, (1 / t).clamp(min=1) * torch.tanh(t * x))


def decay_at(progress: float) -> float:
    """IR-Net's t, from 0.1 (the identity, nearly) at the begin of training to 10 (the sign, nearly) at its end."""
    return 0.1 * math.pow(100, progress)


def approx_heaviside(x: Tensor) -> Tensor:
    """[x ≥ 0] as 1 and 0. It is (sign + 1) / 2, and its slope half of ApproxSign's."""
    return _step_with_gradient_of(torch.where(x >= 0, 1.0, 0.0), 0.5 * smooth_sign(x))


def clipped_heaviside(x: Tensor) -> Tensor:
    """[x ≥ 0] as 1 and 0, with the slope 1 within ±½: BinaryDuo's round(clip(x + ½, 0, 1))."""
    return _step_with_gradient_of(torch.where(x >= 0, 1.0, 0.0), x.clamp(-0.5, 0.5))


def clipped_ternary(x: Tensor, threshold: Tensor) -> Tensor:
    """[x ≥ t] - [x ≤ -t], with the slope 1 within ±1, as in TBN. `threshold` has one number a channel."""
    t = threshold[:, None, None]
    step = torch.where(x >= t, 1.0, torch.where(x <= -t, -1.0, 0.0))
    return _step_with_gradient_of(step, x.clamp(-1, 1))


def _sign_with_gradient_of(x: Tensor, f: Tensor) -> Tensor:
    return _step_with_gradient_of(torch.where(x >= 0, 1.0, -1.0), f)


def _step_with_gradient_of(step: Tensor, f: Tensor) -> Tensor:
    return step.to(f.dtype) + (f - f.detach())
