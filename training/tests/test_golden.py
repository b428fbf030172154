"""Model files read back, and golden tensors of their parts."""

import numpy as np
import pytest
import torch
from node import needs_bitpath

from bitpath_training.__main__ import main
from bitpath_training.export import model_tensors
from bitpath_training.golden import golden_tensors, read_model
from bitpath_training.model_file import graph_json, write_model
from bitpath_training.networks import build_network

LABELS = [{"id": str(i), "name": str(i)} for i in range(3)]


def write(path, name, graph="{}"):
    torch.manual_seed(0)
    network = build_network(name, 3).eval()
    provenance = {"architecture": name}
    write_model(path, model_tensors(network), name="m", graph=graph, labels=LABELS, input_size=128, provenance=provenance)
    return network


@pytest.mark.parametrize("name", ["igp-resnet21-53-c3d4+reactnet", "bireal-resnet18-64", "igp-densenet51-53"])
def test_a_model_file_read_back_computes_the_same(tmp_path, name):
    network = write(tmp_path / "m.safetensors", name)
    inputs = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(read_model(tmp_path / "m.safetensors")(inputs), network(inputs))


def test_parts(tmp_path):
    network = write(tmp_path / "m.safetensors", "igp-resnet21-53-c3d4+reactnet")
    golden = golden_tensors(network)
    parts = {name.removesuffix(".in") for name in golden if name.endswith(".in")}
    assert {"stem", "body.0.u", "body.0.a.b.u.rprelu", "body.1", "end"} <= parts and "body" not in parts
    assert len(golden) == 2 * len(parts)
    x = torch.tensor(golden["body.0.u.in"])
    assert x.shape == (1, 53, 4, 4) and torch.equal(x, x.half().float())
    with torch.no_grad():
        assert np.array_equal(network.body[0].u.branch(x).numpy(), golden["body.0.u.out"])
    assert golden["end.out"].shape == (1, 3)


@needs_bitpath
def test_the_command(tmp_path):
    name = "bireal-resnet18-64"
    write(tmp_path / "m.safetensors", name, graph_json(name, 3, 128))
    assert main(["golden", str(tmp_path / "m.safetensors"), str(tmp_path / "g.npz")]) == 0
    assert "body.4.down.out" in np.load(tmp_path / "g.npz").files
    (tmp_path / "m.safetensors").write_bytes(b"")
    assert main(["golden", str(tmp_path / "m.safetensors"), str(tmp_path / "g.npz")]) == 1
