"""Estimators against their formulas, and what padding of channels must not change."""

import numpy as np
import pytest
import torch

from bitpath_training.binary import ApproxSign, BinaryConv2d, ClippedSign
from bitpath_training.model_file import pack_rows


def test_signs_and_their_gradients():
    values = [-2.0, -1.0, -0.25, -0.0, 0.0, 0.5, 1.0, 3.0]
    for sign, slopes in [(ApproxSign, [0, 0, 1.5, 2, 2, 1, 0, 0]), (ClippedSign, [0, 1, 1, 1, 1, 1, 1, 0])]:
        x = torch.tensor(values, requires_grad=True)
        y = sign.apply(x)
        y.backward(torch.full_like(x, 3.0))
        assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
        assert x.grad.tolist() == [3.0 * slope for slope in slopes]
    assert ApproxSign.apply(torch.tensor(float("nan"))).item() == -1


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
