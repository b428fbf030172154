"""The measurement of gradients against finite differences and against itself; flips and histograms."""

import copy
import json

import pytest
import torch
import torch.nn.functional as F

from bitpath_training.activations import Sign
from bitpath_training.data import Pictures
from bitpath_training.gradients import EDGES, SHARPNESS, Watch, _compare, describe_weights, measure_gradients, read_watch
from bitpath_training.networks import build_network
from bitpath_training.pictures import centre_view, normalise

SIZE = 32


def pictures(count: int) -> Pictures:
    torch.manual_seed(1)
    return Pictures(torch.randint(0, 256, (count, 3, 16, 16), dtype=torch.uint8), torch.arange(count) % 3)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network("igp-resnet21-53-c3d4", 3)


def test_all_units_in_the_order_in_which_they_run(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    data = pictures(8)
    layers = measure_gradients(network, data.take(torch.arange(4)), data.take(torch.arange(4, 8)), SIZE)
    assert [layer["name"] for layer in layers][:7] == [f"body.0.{s}u" for s in ("", "a.", "a.a.", "a.b.", "b.", "b.a.", "b.b.")]
    assert len(layers) == 28
    for layer in layers:
        for kind in ("input", "weight"):
            assert len(layer[kind]) == len(SHARPNESS)
            for cosine, error, ratio in layer[kind]:
                assert -1 <= cosine <= 1 and error**2 == pytest.approx(
                    1 + ratio**2 - 2 * ratio * cosine, abs=0.02 * ratio + 1e-2
                )
        assert -1 <= layer["batches"] <= 1
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(module.sharpness is None for module in network.modules() if isinstance(module, Sign))


def test_cosine_and_errors():
    g = torch.tensor([3.0, 4.0])
    assert _compare(g, g) == [1, 0, 1]
    assert _compare(g, torch.tensor([-4.0, 3.0])) == pytest.approx([0, 2**0.5, 1], abs=1e-3)
    assert _compare(2 * g, g) == [1, 1, 2]
    assert _compare(g, 0 * g) == [None, None, None]


def test_the_smooth_gradient_is_exact():
    """Against finite differences in float64: nothing in the smooth network is estimated."""
    torch.manual_seed(0)
    smooth = copy.deepcopy(build_network("binary-resnet18", 3)).double().train()
    for module in smooth.modules():
        if isinstance(module, Sign):
            module.sharpness = 1.0
    data = pictures(4)
    x = normalise(centre_view(data.images, SIZE)).double()
    weight = smooth.stem[0].weight
    loss = F.cross_entropy(smooth(x), data.labels)
    (gradient,) = torch.autograd.grad(loss, weight)
    direction = torch.randn_like(weight)
    step = 1e-6
    with torch.no_grad():
        weight += step * direction
        above = F.cross_entropy(smooth(x), data.labels)
        weight -= 2 * step * direction
        below = F.cross_entropy(smooth(x), data.labels)
    assert ((above - below) / (2 * step)).item() == pytest.approx((gradient * direction).sum().item(), rel=1e-3)


def test_flips_and_histograms(network, tmp_path):
    network = copy.deepcopy(network)
    watch = Watch(network, pictures(8), 4, SIZE, tmp_path / "watch.jsonl")
    first = network.body[0].u.conv.weight
    with torch.no_grad():
        first[0] *= -1
        first[1] *= 100
    watch(1)
    watch(2)
    watch(2)
    found = read_watch(tmp_path / "watch.jsonl")
    (_, flips), (_, none) = found["flips"]
    assert flips[0] == pytest.approx(1 / 53, abs=1e-3) and not any(flips[1:]) and not any(none)
    assert [epoch for epoch, _ in found["gradients"]] == [1] and len(found["gradients"][0][1]) == 28
    layer = found["latent"][0][1][0]
    assert sum(layer["histogram"]) == first.numel() and len(layer["histogram"]) == len(EDGES) - 1
    assert layer["beyond_1"] == pytest.approx((first.abs() > 1).float().mean().item(), rel=1e-3)
    json.dumps(found)
    assert describe_weights(build_network("resnet18", 3)) == []


def test_a_float_network_has_nothing_to_watch(tmp_path):
    Watch(build_network("resnet18", 3), pictures(8), 4, SIZE, tmp_path / "watch.jsonl")(1)
    assert read_watch(tmp_path / "watch.jsonl") == {}
