"""Estimators against their formulas, and what padding of channels must not change."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bitpath_training import binary
from bitpath_training.binary import BinaryConv2d, approx_sign, clipped_sign
from bitpath_training.data import Pictures
from bitpath_training.model_file import pack_rows
from bitpath_training.recipe import recipe_from_dict
from bitpath_training.train import make_step


def test_signs_and_their_gradients():
    values = [-2.0, -1.0, -0.25, -0.0, 0.0, 0.5, 1.0, 3.0]
    for sign, slopes in [(approx_sign, [0, 0, 1.5, 2, 2, 1, 0, 0]), (clipped_sign, [0, 1, 1, 1, 1, 1, 1, 0])]:
        x = torch.tensor(values, requires_grad=True)
        y = sign(x)
        y.backward(torch.full_like(x, 3.0))
        assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
        assert x.grad.tolist() == [3.0 * slope for slope in slopes]


@pytest.mark.parametrize(("inputs", "outputs"), [(5, 3), (8, 16)])
def test_zero_channels_change_nothing(inputs, outputs):
    torch.manual_seed(0)
    conv = BinaryConv2d(inputs, outputs, stride=2)
    x = torch.randn(2, inputs, 7, 6).sign().requires_grad_()
    results = []
    for multiple in (1, 8):
        conv.channel_multiple = multiple
        y = conv(x)
        assert y.shape == (2, outputs, 4, 3)
        results.append((y.detach(), *torch.autograd.grad((y * y).sum(), (x, conv.weight))))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_scale_survives_bfloat16():
    scale = BinaryConv2d(3, 7).scale()
    assert scale.dtype == torch.float32 and torch.equal(scale, scale.bfloat16().float()) and (scale > 0).all()


def test_packed_rows():
    bits = np.zeros((2, 3, 1, 3), np.uint8)
    bits[0, 1, 0, 0] = 1  # tap 0, channel 1 -> bit 1
    bits[1, 2, 0, 2] = 1  # tap 2, channel 2 -> bit 8
    assert pack_rows(bits).tolist() == [[2, 0], [0, 1]]


@pytest.mark.parametrize("compiled", [False, True])
def test_every_weight_learns(compiled):
    torch.manual_seed(0)
    step = make_step(
        recipe_from_dict(
            {
                "name": "n",
                "title": "t",
                "network": "igp-resnet21-53-c3d4",
                "epochs": 1,
                "input_size": 32,
                "batch_size": 4,
                "data": {"name": "d", "train": [], "validation": []},
            }
        ),
        Pictures(torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8), torch.arange(4)),
        4,
        Path(),
        torch.device("cpu"),
    )
    if compiled:
        step.forward = torch.compile(step.network, fullgraph=True, backend="aot_eager")
    before = {name: value.detach().clone() for name, value in step.network.named_parameters()}
    step.run(torch.arange(4))
    for name, value in step.network.named_parameters():
        assert not torch.equal(value, before[name]), name


def test_a_weight_without_gradient_is_an_error(monkeypatch):
    monkeypatch.setattr(binary, "clipped_sign", lambda x: torch.where(x >= 0, 1.0, -1.0) + 0 * x)
    with pytest.raises(RuntimeError, match=r"no gradient reaches body\.0"):
        test_every_weight_learns(False)
