"""1-bit convolutions: what padding of channels must not change, scales, that weights learn."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bitpath_training import binary
from bitpath_training.binary import BinaryConv2d
from bitpath_training.data import Pictures
from bitpath_training.model_file import pack_rows
from bitpath_training.recipe import recipe_from_dict
from bitpath_training.train import make_step


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


@pytest.mark.parametrize("kind", ["magnitude", "layer", "none", "shift", "standardised"])
def test_bits_and_scale_are_the_weights(kind):
    torch.manual_seed(0)
    conv = BinaryConv2d(6, 5, weights=kind)
    with torch.no_grad():
        conv.weight.add_(0.02)  # balanced weights have a mean of 0 whatever the latent ones have
    ones = torch.eye(6)[:, :, None, None] * torch.ones(1, 1, 3, 3)
    found = conv(ones)[:, :, 1, 1]  # sums of the weights of a channel
    weights = torch.where(conv.bits(), 1.0, -1.0) * conv.scale()[:, None, None, None]
    torch.testing.assert_close(found, weights.sum((2, 3)).T)
    found.square().sum().backward()
    assert conv.weight.grad.abs().sum() > 0
    share = conv.bits().float().mean().item()
    assert (share > 0.55) == (kind in ("magnitude", "layer", "none"))


def test_scales_by_their_formulas():
    torch.manual_seed(0)
    w = {kind: BinaryConv2d(6, 5, weights=kind) for kind in ("magnitude", "layer", "shift", "standardised")}
    latent = torch.randn(5, 6, 3, 3)
    for conv in w.values():
        conv.weight.data.copy_(latent)
    rows = latent.flatten(1)
    centred = rows - rows.mean(1, keepdim=True)
    torch.testing.assert_close(w["magnitude"].scale(), rows.abs().mean(1), rtol=2**-8, atol=0)
    torch.testing.assert_close(w["layer"].scale(), rows.abs().mean().expand(5), rtol=2**-8, atol=0)
    power = (centred / rows.std(1, keepdim=True)).abs().mean(1).log2().round()
    assert torch.equal(w["shift"].scale(), 2**power)
    normal = centred / (rows.std(1, correction=0, keepdim=True) + 1e-5) / 54**0.5
    torch.testing.assert_close(w["standardised"].scale(), normal.abs().mean(1), rtol=2**-8, atol=0)
    w["standardised"].scale().sum().backward()
    torch.testing.assert_close(w["standardised"].gain.grad, normal.abs().mean(1), rtol=1e-5, atol=0)


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
