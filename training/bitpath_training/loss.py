"""What a network is trained to make small."""

import torch.nn.functional as F
from torch import Tensor

from .recipe import Teacher


def distillation_loss(logits: Tensor, teacher_logits: Tensor, options: Teacher, of_labels: Tensor) -> Tensor:
    """weight · T² · KL(teacher ‖ student) + (1 - weight) · the loss of the labels. T² keeps the gradient's size over T."""
    t = options.temperature
    student = F.log_softmax(logits.float() / t, 1)
    teacher = F.log_softmax(teacher_logits.float() / t, 1)
    divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return options.weight * t * t * divergence + (1 - options.weight) * of_labels


def label_loss(logits: Tensor, labels: Tensor, smoothing: float, share: Tensor | None = None) -> Tensor:
    """Mean cross entropy. With `share`, pictures are mixed by pictures.mix, and so are the losses of their two labels."""
    own = F.cross_entropy(logits.float(), labels, label_smoothing=smoothing, reduction="none")
    if share is None:
        return own.mean()
    other = F.cross_entropy(logits.float(), labels.roll(1), label_smoothing=smoothing, reduction="none")
    return (share * own + (1 - share) * other).mean()
