"""Every network computes what its graph does in bitpath, layer by layer: some of each kind, all with -m slow."""

import pytest
import torch
from layers import compare, randomise
from node import needs_bitpath

from bitpath_training.networks import NETWORKS, build_network
from bitpath_training.units import UNITS

CLASSES = 7
SIZE = 36  # 9×9 after the stem: odd sizes where a block halves
IMAGES = 2

# All blocks and all units are in these; a network of its own costs seconds, most of them in node.
QUICK = {
    "bireal-resnet18-64",
    "igp-resnet37-41",
    "igp-densenet51-53",
    "xnor-net-pp-resnet18",
    "tbn-resnet18",
    "bnas-e",
    "binaryduo-resnet18",
    "reactnet18-bn-free",
    "rbnn-resnet18",
    "ci-net-resnet18-binary-downsample",
    "real-to-bin-resnet18",
    "igp-resnet37-41+reactnet",
}
CASES = [(name, "mean") for name in NETWORKS]
CASES += [(f"igp-resnet21-53-c3d4+{unit}", join) for unit in UNITS for join in ("mean", "sum")]
CASES += [(name, "sum") for name in ("ebireal-resnet18-64", "igp-resnet37-41", "igp-densenet51-53")]
CASES += [(f"{name}+reactnet", "mean") for name in ("binary-resnet18", "bireal-resnet18-64", "igp-resnet37-41")]
CASES += [("igp-densenet51-53+ternary", "sum")]
MARKED = [
    pytest.param(name, join, marks=[] if name in QUICK and join == "mean" else [pytest.mark.slow]) for name, join in CASES
]


@needs_bitpath
@pytest.mark.parametrize(("name", "join"), MARKED)
def test_each_layer_is_the_engines(name, join, tmp_path):
    torch.manual_seed(0)
    network = build_network(name, CLASSES, join, input_size=SIZE)
    inputs = torch.randn(IMAGES, 3, SIZE, SIZE)
    randomise(network, torch.cat([inputs, torch.randn(6, 3, SIZE, SIZE)]))
    found = compare(network, name, inputs, join, tmp_path)
    print(f"{name} {join}: {found}")
    assert found["wrong"] == []
    assert found["covered"] == found["nodes"]
    assert found["worst"] < 1e-4
