"""Both sides have the same networks, with the same tensors."""

import math

import pytest
import torch
from node import needs_bitpath, run_node

from bitpath_training.export import model_tensors, served_tensors
from bitpath_training.networks import NETWORKS, ROWS, TOPOLOGIES, build_network
from bitpath_training.units import UNITS

CLASSES = 7
# One of each kind of block: units are the blocks' business.
WITH_UNITS = (
    "binary-resnet18-binary-downsample",
    "bireal-resnet18-64",
    "ebireal-resnet18-64",
    "igp-resnet37-41",
    "bireal-chain-53",
    "binary-densenet51-32",
    "igp-densenet51-53",
)
SCRIPT = """
import { buildArchitecture, listArchitectures } from '#lib/architectures/index.js';
import { listUnits } from '#lib/blocks/units/index.js';
import { graphParams, storedAs } from '#lib/graph/params.js';
const combined = JSON.parse(process.argv[1]);
const networks = {}, topologies = [];
for (const { name, options } of listArchitectures()) {
  if (options.includes('unit')) topologies.push(name);
  const names = combined.includes(name) ? [name, ...listUnits().map((unit) => `${name}+${unit.name}`)] : [name];
  for (const one of names)
    for (const join of options.includes('join') ? ['mean', 'sum'] : ['mean']) {
      const graph = buildArchitecture(one, { classes: 7, inputSize: 128, ...(join === 'sum' ? { join } : {}) });
      networks[`${one} ${join}`] = graphParams(graph).map((spec) => [spec.name, storedAs(spec).dtype, storedAs(spec).shape]);
    }
}
console.log(JSON.stringify({ networks, topologies, units: listUnits().map(({ name }) => name) }));
"""


@pytest.fixture(scope="module")
def bitpath():
    return run_node(SCRIPT, "[" + ",".join(f'"{name}"' for name in WITH_UNITS) + "]")


@needs_bitpath
def test_the_same_networks_and_units(bitpath):
    assert {key.split()[0] for key in bitpath["networks"] if "+" not in key} == set(NETWORKS)
    assert sorted(bitpath["topologies"]) == sorted(TOPOLOGIES)
    assert bitpath["units"] == list(UNITS)


def stored(name: str, tensor: torch.Tensor) -> list:
    """[name, dtype, shape] as in a model file."""
    if tensor.dtype != torch.bool:
        return [name, "float32" if tensor.is_floating_point() else "int32", list(tensor.shape)]
    return [name, "uint8", [len(tensor), math.ceil(tensor[0].numel() / 8)]]


@needs_bitpath
@pytest.mark.parametrize("name", [*NETWORKS, *(f"{name}+{unit}" for name in WITH_UNITS for unit in UNITS)])
def test_the_same_tensors(bitpath, name):
    for join in ("mean", "sum"):
        if f"{name} {join}" in bitpath["networks"]:
            with torch.device("meta"):
                network = build_network(name, CLASSES, join)
            ours = sorted(stored(*item) for item in served_tensors(network).items())
            assert ours == sorted(bitpath["networks"][f"{name} {join}"])


def test_tensors_of_a_model_file():
    network = build_network("igp-resnet21-53-c3d4", CLASSES)
    served, written = served_tensors(network), model_tensors(network)
    assert sorted(stored(*item) for item in served.items()) == sorted(
        [name, str(value.dtype), list(value.shape)] for name, value in written.items()
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("igp-resnet37_41", "did you mean igp-resnet37-41"),
        ("igp-resnet37-41+reaktnet", "did you mean reactnet"),
        ("ir-resnet18+si", "ir-resnet18 takes no other unit"),
    ],
)
def test_wrong_names(name, message):
    with pytest.raises(ValueError, match=message):
        build_network(name, 10)


def test_the_rows_of_table_1_are_no_topologies():
    assert not set(ROWS) & set(TOPOLOGIES) and set(ROWS) | set(TOPOLOGIES) == set(NETWORKS)
