"""What a network is trained to make small."""

import torch.nn.functional as F
from torch import Tensor

from .recipe import Teacher


def distillation_loss(logits: Tensor, labels: Tensor, teacher_logits: Tensor, options: Teacher, smoothing: float) -> Tensor:
    """weight · T² · KL(teacher ‖ student) + (1 - weight) · cross entropy, per picture. T² keeps the gradient's size over T."""
    t = options.temperature
    student = F.log_softmax(logits.float() / t, 1)
    teacher = F.log_softmax(teacher_logits.float() / t, 1)
    divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return options.weight * t * t * divergence + (1 - options.weight) * label_loss(logits, labels, smoothing)


def label_loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    return F.cross_entropy(logits.float(), labels, label_smoothing=smoothing)
