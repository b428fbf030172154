"""Accuracy on the picture path: resized, rounded to 8 bits, normalised, one view a picture."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .data import Pictures
from .pictures import centre_view, normalise

BATCH = 250
BINS = 15


@dataclass(frozen=True)
class Scores:
    """Of each picture, on the CPU."""

    first: Tensor  # bool: the right class has the largest logit
    five: Tensor  # bool: it is among the five largest
    cross_entropy: Tensor
    confidence: Tensor  # the largest probability

    def means(self) -> dict[str, float]:
        """top1, top5 and the expected calibration error in per cent, and the mean cross entropy."""
        n = len(self.first)
        top1, top5 = (100 * right.sum().item() / n for right in (self.first, self.five))
        entropy = self.cross_entropy.double().mean().item()
        return {"top1": top1, "top5": top5, "cross_entropy": entropy, "ece": self.calibration_error(), "images": n}

    def calibration_error(self) -> float:
        """ECE: how far confidence lies from accuracy, |Σ confidence - Σ right| summed over BINS equal bins of confidence."""
        bins = (self.confidence * BINS).long().clamp(max=BINS - 1)
        gaps = torch.zeros(BINS, dtype=torch.float64).index_add_(0, bins, self.confidence.double() - self.first.double())
        return 100 * gaps.abs().sum().item() / len(self.first)


def evaluate(network: nn.Module, pictures: Pictures, input_size: int, precision: str = "float32") -> dict[str, float]:
    return score(network, pictures, input_size, precision).means()


@torch.no_grad()
def score(network: nn.Module, pictures: Pictures, input_size: int, precision: str = "float32") -> Scores:
    """The network comes back in the mode that it was in."""
    training = network.training
    network.eval()
    device = pictures.labels.device
    parts = []
    for start in range(0, len(pictures), BATCH):
        labels = pictures.labels[start : start + BATCH]
        input_ = _view(pictures.images[start : start + BATCH], input_size)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = network(input_).float()
        best = logits.topk(min(5, logits.shape[1]), 1).indices == labels[:, None]
        entropy = nn.functional.cross_entropy(logits, labels, reduction="none")
        parts.append((best[:, 0], best.any(1), entropy, logits.softmax(1).amax(1)))
    network.train(training)
    return Scores(*(torch.cat(columns).cpu() for columns in zip(*parts, strict=True)))


@torch.no_grad()
def recalibrate(network: nn.Module, pictures: Pictures, input_size: int, batches: int = 100) -> None:
    """Estimates the BatchNorms' statistics again: float32, whole pictures, as the network is served.

    Training saw crops, in bfloat16. The statistics become plain means over `batches` random batches.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    generator = torch.Generator().manual_seed(0)
    for _ in range(batches):
        chosen = torch.randint(len(pictures), (BATCH,), generator=generator).to(pictures.labels.device)
        network(_view(pictures.images[chosen], input_size))
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _view(images: Tensor, input_size: int) -> Tensor:
    return normalise(centre_view(images, input_size)).contiguous(memory_format=torch.channels_last)
