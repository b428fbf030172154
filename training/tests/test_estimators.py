"""Steps, their gradients by formula, and the units that have more to say than their graph."""

import math

import pytest
import torch

from bitpath_training import estimators
from bitpath_training.activations import ErrorDecaySign, HalfHeaviside, RSign, SharedThreshold, Sign, Ternary, set_progress
from bitpath_training.export import served_tensors
from bitpath_training.interaction import ChannelInteraction, independent_groups
from bitpath_training.networks import build_network
from bitpath_training.units import UNITS

X = [-2.0, -1.0, -0.25, -0.0, 0.0, 0.5, 1.0, 3.0]
SIGNS = [-1, -1, -1, 1, 1, 1, 1, 1]


def decay(t: float) -> list[float]:
    return [max(1 / t, 1) * t * (1 - math.tanh(t * x) ** 2) for x in X]


@pytest.mark.parametrize(
    ("estimator", "values", "slopes"),
    [
        (estimators.approx_sign, SIGNS, [0, 0, 1.5, 2, 2, 1, 0, 0]),
        (estimators.clipped_sign, SIGNS, [0, 1, 1, 1, 1, 1, 1, 0]),
        (lambda x: estimators.error_decay_sign(x, torch.tensor(0.1)), SIGNS, decay(0.1)),
        (lambda x: estimators.error_decay_sign(x, torch.tensor(4.0)), SIGNS, decay(4.0)),
        (estimators.approx_heaviside, [0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 0.75, 1, 1, 0.5, 0, 0]),
        (estimators.clipped_heaviside, [0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 0, 0]),
    ],
)
def test_steps_and_their_gradients(estimator, values, slopes):
    x = torch.tensor(X, requires_grad=True)
    y = estimator(x)
    y.backward(torch.full_like(x, 3.0))
    assert y.tolist() == values
    torch.testing.assert_close(x.grad, 3 * torch.tensor(slopes, dtype=torch.float32))


def test_the_ternary_step():
    x = torch.tensor(X, requires_grad=True)
    y = estimators.clipped_ternary(x.view(-1, 1, 1), torch.tensor([0.5] * len(X))).flatten()
    y.sum().backward()
    assert y.tolist() == [-1, -1, 0, 0, 0, 1, 1, 1]
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 0]


def test_the_smooth_sign_is_the_mean_of_noisy_signs():
    """What gradients.py's derivation rests on: z with the density 1 - |z| is the difference of two uniform numbers."""
    torch.manual_seed(0)
    z = torch.rand(200_000) - torch.rand(200_000)
    for x in (-1.2, -0.7, 0.0, 0.3, 0.9):
        mean = torch.where(x - z >= 0, 1.0, -1.0).mean().item()
        assert mean == pytest.approx(estimators.smooth_sign(torch.tensor(x)).item(), abs=0.01)


def test_error_decay_from_the_identity_to_the_sign():
    assert estimators.decay_at(0) == pytest.approx(0.1) and estimators.decay_at(1) == pytest.approx(10)
    network = build_network("ir-resnet18", 3)
    set_progress(network, 0.5)
    clocks = [m.t.item() for m in network.modules() if hasattr(m, "t")]
    assert len(clocks) == 32 and all(t == pytest.approx(1) for t in clocks)
    assert not any(name.endswith(".t") for name in [*network.state_dict(), *served_tensors(network)])
    assert ErrorDecaySign()(torch.tensor([-0.1, 0.0])).tolist() == [-1, 1]


def test_thresholds():
    x = torch.tensor([[[[0.3]], [[0.3]]]])
    rsign = RSign(2)
    rsign.threshold.data = torch.tensor([0.3, 0.31])
    assert rsign(x).flatten().tolist() == [1, -1]
    shared = SharedThreshold(2)
    shared.shift.data.fill_(0.4)
    assert shared(x).flatten().tolist() == [-1, -1] and shared.exported()["threshold"].tolist() == pytest.approx([0.4, 0.4])
    assert HalfHeaviside(2)(torch.tensor([[[[0.5]], [[0.49]]]])).flatten().tolist() == [1, 0]


def test_the_ternary_threshold_follows_its_input():
    torch.manual_seed(0)
    ternary = Ternary(3)
    x = 5 * torch.randn(8, 3, 4, 4)
    for _ in range(100):
        ternary(x)
    expected = (0.4 * x.abs().mean()).item()
    assert ternary.threshold.tolist() == pytest.approx([expected] * 3, rel=1e-3)
    ternary.eval()(10 * x)
    assert ternary.threshold[0].item() == pytest.approx(expected, rel=1e-3)


def test_a_smooth_network_has_no_signs():
    sign = Sign()
    sign.sharpness = 2.0
    assert sign(torch.tensor([0.25])).item() == pytest.approx(0.75)  # of 0.5


@pytest.mark.parametrize("channels", [5, 8])
def test_interactions_in_order(channels):
    torch.manual_seed(0)
    module = ChannelInteraction(channels)
    module.pairs = torch.tensor([(0, 1, 1), (1, 2, -1), (1, 3, 1), (3, 0, 1), (2, 0, -1), (4, 4, 1)], dtype=torch.int32)
    module.groups = independent_groups([tuple(pair) for pair in module.pairs.tolist()])
    x = (150 * torch.randn(2, channels, 6, 6)).round().requires_grad_()
    y = module(x)
    expected = x.detach().clone()
    for source, target, sign in module.pairs.tolist():
        above, below = (expected[:, source] >= 200).float(), (expected[:, source] <= -200).float()
        expected[:, target] += 100 * (above - below) if sign > 0 else -100 * (above + below)
    assert torch.equal(y, expected) and not torch.equal(y, x)
    y.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_learns(unit):
    torch.manual_seed(0)
    one = UNITS[unit](16, 24, 2, 9)
    one(torch.randn(4, 16, 9, 9)).square().sum().backward()
    for name, parameter in one.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
