"""From stored pictures to a network's input, as the engine's picture path makes it: resized, rounded to 8 bits, normalised."""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .model_file import IMAGENET_MEAN, IMAGENET_STD
from .recipe import Augmentation


def random_crops(images: Tensor, size: int, options: Augmentation) -> Tensor:
    """Random crops of uint8 `images` [n, 3, h, w], resized to `size` and rounded: levels as float32 [n, 3, size, size]."""
    n, device = len(images), images.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(n, device=device).uniform_(low, high)

    side = uniform(*options.crop)
    stretch = uniform(math.log(options.aspect[0]), math.log(options.aspect[1])).mul(0.5).exp()
    width, height = side * stretch, side / stretch
    flip = torch.where(uniform(-1, 1) < 0, -1.0, 1.0) if options.flip else 1.0
    # Maps the crop's [-1, 1] to the picture's.
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0] = width * flip
    theta[:, 1, 1] = height
    theta[:, 0, 2] = uniform(-1, 1) * (1 - width).abs()
    theta[:, 1, 2] = uniform(-1, 1) * (1 - height).abs()
    grid = F.affine_grid(theta, [n, 3, size, size], align_corners=False)
    return F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False).round_()


def mix(images: Tensor, share: Tensor) -> Tensor:
    """Mixup: `share` [n] of each picture and the rest of the one before it in the batch, whose order is random."""
    share = share[:, None, None, None]
    return share * images + (1 - share) * images.roll(1, 0)


def centre_view(images: Tensor, size: int) -> Tensor:
    """What the engine makes of square `images`: levels as float32 [n, 3, size, size]."""
    return F.interpolate(images.float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True).round_()


def normalise(levels: Tensor) -> Tensor:
    mean, std = _statistics(levels.device)
    return (levels / 255 - mean) / std


@functools.cache  # a copy to the device cannot be part of a captured CUDA graph
def _statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor(values, device=device)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
