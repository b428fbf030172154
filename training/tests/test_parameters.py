"""Both sides have the same networks, with the same tensors."""

import pytest
from node import needs_bitpath, run_node

from bitpath_training.export import model_tensors
from bitpath_training.networks import NETWORKS, build_network

CLASSES = 7
SCRIPT = """
import { buildArchitecture, listArchitectures } from '#lib/architectures/index.js';
import { graphParams, storedAs } from '#lib/graph/params.js';
const list = {};
for (const { name, options } of listArchitectures()) {
  for (const join of options.includes('join') ? ['mean', 'sum'] : ['mean']) {
    const graph = buildArchitecture(name, { classes: 7, inputSize: 128, ...(join === 'sum' ? { join } : {}) });
    list[`${name} ${join}`] = graphParams(graph).map((spec) => [spec.name, storedAs(spec).dtype, storedAs(spec).shape]);
  }
}
console.log(JSON.stringify(list));
"""


@pytest.fixture(scope="module")
def graphs():
    return run_node(SCRIPT)


@needs_bitpath
def test_the_same_networks(graphs):
    assert {key.split()[0] for key in graphs} == set(NETWORKS)


@needs_bitpath
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_tensors(graphs, name):
    for join in ("mean", "sum"):
        if f"{name} {join}" in graphs:
            tensors = model_tensors(build_network(name, CLASSES, join))
            ours = sorted([key, str(value.dtype), list(value.shape)] for key, value in tensors.items())
            assert ours == sorted(graphs[f"{name} {join}"])


def test_a_wrong_name_is_told_the_nearest():
    with pytest.raises(ValueError, match="did you mean igp-resnet37-41"):
        build_network("igp-resnet37_41", 10)
