"""Both sides have the same networks, with the same tensors."""

import re

import pytest
from node import needs_bitpath, run_node

from bitpath_training.export import model_tensors
from bitpath_training.model_file import REPOSITORY
from bitpath_training.networks import NETWORKS, NOT_BUILT, build_network

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
def test_the_same_networks_but_for_those_said_to_be_missing(graphs):
    assert {key.split()[0] for key in graphs} == set(NETWORKS) | set(NOT_BUILT)
    assert not set(NETWORKS) & set(NOT_BUILT)
    readme = (REPOSITORY / "training" / "README.md").read_text()
    missing = readme.split("## Not built here yet")[1].split("##")[0]
    assert re.findall(r"`([a-z0-9-]+)`", missing) == sorted(NOT_BUILT)


@pytest.mark.parametrize("name", ["reactnet-resnet18", "igp-resnet37-41+reactnet", "ir-resnet18+si"])
def test_what_is_missing_says_so(name):
    with pytest.raises(ValueError, match="not trained here yet"):
        build_network(name, 10)


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
