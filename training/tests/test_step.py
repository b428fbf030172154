"""Mixup, optimizers, stage one, two sizes of pictures, and what a checkpoint keeps."""

import dataclasses
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from bitpath_training.binary import BinaryConv2d
from bitpath_training.checkpoint import small_weights
from bitpath_training.data import Pictures
from bitpath_training.evaluate import Scores
from bitpath_training.loss import distillation_loss, label_loss
from bitpath_training.networks import build_network
from bitpath_training.pictures import mix
from bitpath_training.recipe import Teacher, recipe_from_dict
from bitpath_training.step import TrainingStep, learning_rate
from bitpath_training.train import make_step

SMALL = {
    "name": "n",
    "title": "t",
    "network": "igp-resnet21-53-c3d4",
    "epochs": 2,
    "input_size": 32,
    "batch_size": 4,
    "optimizer": {"warmup_steps": 1},
    "data": {"name": "d", "train": [], "validation": []},
}


def make(teacher=None, **changes):
    torch.manual_seed(0)
    recipe = recipe_from_dict(SMALL | changes)
    pictures = Pictures(torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8), torch.arange(4))
    return TrainingStep(recipe, build_network(recipe.network, 4).train(), teacher, pictures, 4)


def test_mixed_pictures_and_their_loss():
    images = torch.randn(3, 3, 2, 2)
    share = torch.tensor([1.0, 0.0, 0.25])
    mixed = mix(images, share)
    torch.testing.assert_close(mixed, torch.stack([images[0], images[0], 0.25 * images[2] + 0.75 * images[1]]))
    logits, labels = torch.randn(3, 5), torch.tensor([0, 4, 2])
    targets = torch.zeros(3, 5)
    targets[[0, 1, 2, 2], [0, 0, 2, 4]] = torch.tensor([1.0, 1.0, 0.25, 0.75])
    torch.testing.assert_close(label_loss(logits, labels, 0, share), F.cross_entropy(logits, targets))
    torch.testing.assert_close(label_loss(logits, labels, 0.1), F.cross_entropy(logits, labels, label_smoothing=0.1))


def test_a_teacher_of_the_same_opinion_leaves_the_labels():
    logits = torch.randn(3, 5)
    loss = distillation_loss(logits, logits, Teacher(weight=0.75), torch.tensor(2.0))
    torch.testing.assert_close(loss, torch.tensor(0.5))


def test_student_and_teacher_see_the_same_mixed_pictures():
    seen = []
    teacher = build_network("resnet18", 4).eval()
    step = make(teacher, augmentation={"mixup": 1.0})
    for network in (step.network, teacher):
        network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].clone()))
    step.run(torch.arange(4))
    assert torch.equal(*seen) and step.loss.isfinite()


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd(nesterov):
    options = {"kind": "sgd", "lr": 0.5, "weight_decay": 0.1, "momentum": 0.8, "nesterov": nesterov, "warmup_steps": 1}
    step = make(optimizer=options)
    weight, momentum = step.network.fc.weight, 0
    for number in range(2):
        before = weight.detach().clone()
        step.run(torch.arange(4))
        gradient = weight.grad + 0.1 * before
        momentum = 0.8 * momentum + gradient
        change = gradient + 0.8 * momentum if nesterov else momentum
        torch.testing.assert_close(weight.detach(), before - learning_rate(step.recipe.optimizer, number, 4) * change)


def test_stage_one_has_real_weights():
    step = make(weights="real")
    name, conv = next((n, m) for n, m in step.network.named_modules() if isinstance(m, BinaryConv2d))
    x = torch.randn(1, conv.weight.shape[1], 5, 5).sign()
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, stride=conv.stride, padding=1))
    assert f"{name}.weight" in step.latent_names()


def test_pictures_of_two_sizes():
    step = make()
    sizes = []
    step.network.register_forward_pre_hook(lambda _module, inputs: sizes.append(inputs[0].shape[-1]))
    for size in (48, 32):
        step.set_size(size)
        step.run(torch.arange(4))
    assert sizes == [48, 32]


def test_sizes_that_a_unit_cannot_change():
    recipe = recipe_from_dict(SMALL | {"network": "xnor-net-pp-resnet18", "small_epochs": 1, "small_size": 48})
    pictures = Pictures(torch.zeros(4, 3, 16, 16, dtype=torch.uint8), torch.arange(4))
    with pytest.raises(ValueError, match="small_epochs must be 0"):
        make_step(recipe, pictures, 4, Path(), torch.device("cpu"))
    make_step(dataclasses.replace(recipe, small_size=32), pictures, 4, Path(), torch.device("cpu"))


def test_no_latent_weight_changes_its_sign_in_a_checkpoint():
    weights = torch.tensor([1e-12, -1e-12, 0.0, -0.0, 0.3, -0.3])
    small = small_weights({"a": weights, "b": weights}, {"a"})
    assert small["a"].dtype == torch.float16 and small["b"] is weights
    assert torch.equal(small["a"] >= 0, weights >= 0)
    torch.testing.assert_close(small["a"].float(), weights, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("network", ["igp-resnet21-53-c3d4+ir", "reactnet18-bn-free"])
def test_nor_does_one_that_is_balanced_first(network):
    step = make(network=network)
    convs = {name: m for name, m in step.network.named_modules() if isinstance(m, BinaryConv2d)}
    with torch.no_grad():
        for conv in convs.values():
            conv.weight.add_(0.5)  # float16 is coarse there
    before = {name: (conv.bits(), conv.scale()) for name, conv in convs.items()}
    step.network.load_state_dict(small_weights(step.network.state_dict(), step.latent_names()))
    for name, conv in convs.items():
        assert torch.equal(conv.bits(), before[name][0]) and torch.equal(conv.scale(), before[name][1])


def test_calibration_error():
    right = torch.tensor([True, False, True, True])
    scores = Scores(right, right, torch.zeros(4), torch.tensor([0.5, 0.5, 0.9, 1.0]))
    assert scores.calibration_error() == pytest.approx(100 * (0 + 0.1) / 4)
