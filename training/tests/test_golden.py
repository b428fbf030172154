"""Model files read back, and golden tensors of their parts."""

from io import BytesIO

import numpy as np
import pytest
import torch
from node import needs_bitpath
from PIL import Image

from bitpath_training.__main__ import main
from bitpath_training.data import write_pack
from bitpath_training.export import model_tensors
from bitpath_training.golden import answers, golden_tensors, read_metadata, read_model
from bitpath_training.model_file import REPOSITORY, graph_json, write_model
from bitpath_training.networks import build_network
from bitpath_training.pictures import normalise

MODELS = sorted((REPOSITORY / "models").glob("*.safetensors"))
LABELS = [{"id": str(i), "name": str(i)} for i in range(3)]


def write(path, name, graph="{}", join="mean", size=128):
    torch.manual_seed(0)
    network = build_network(name, 3, join, input_size=size).eval()
    provenance = {"architecture": name}
    write_model(path, model_tensors(network), name="m", graph=graph, labels=LABELS, input_size=size, provenance=provenance)
    return network


@pytest.mark.parametrize(
    "name", ["igp-resnet21-53-c3d4+reactnet", "bireal-resnet18-64", "igp-densenet51-53", "real-to-bin-resnet18"]
)
def test_a_model_file_read_back_computes_the_same(tmp_path, name):
    network = write(tmp_path / "m.safetensors", name)
    inputs = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(read_model(tmp_path / "m.safetensors", "{}")(inputs), network(inputs))


def test_scales_that_are_not_rounded(tmp_path):
    """As in older files, which were not exported from here: read back as they are."""
    name = "bireal-resnet18-64"
    tensors = model_tensors(build_network(name, 3).eval())
    tensors = {key: value * np.float32(1.001) if key.endswith(".scale") else value for key, value in tensors.items()}
    provenance = {"architecture": name}
    path = tmp_path / "m.safetensors"
    write_model(path, tensors, name="m", graph="{}", labels=LABELS, input_size=128, provenance=provenance)
    network = read_model(path, "{}")
    x, scale = torch.randn(1, 64, 8, 8).sign(), torch.tensor(tensors["body.0.u.conv.scale"])
    conv = network.body[0].u.conv
    with torch.no_grad():
        expected = torch.nn.functional.conv2d(x, conv.weight.sign(), padding=1) * scale[:, None, None]
        torch.testing.assert_close(conv(x), expected)
    assert not torch.equal(scale, scale.bfloat16().float())


def test_a_network_of_its_own_size(tmp_path):
    network = write(tmp_path / "m.safetensors", "igp-resnet21-53-c3d4+xnor-net-pp", size=64)
    inputs = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(read_model(tmp_path / "m.safetensors", "{}")(inputs), network(inputs))


@needs_bitpath
def test_a_file_of_another_graph_is_refused(tmp_path):
    """Sums have the tensors of means: nothing else in the file tells them apart."""
    name = "igp-resnet21-53-c3d4"
    for join, scale in (("sum", 1.0), ("mean", 0.5)):
        write(tmp_path / "m.safetensors", name, graph_json(name, 3, 128, join, scale), join)
        with pytest.raises(ValueError, match="another graph"):
            read_model(tmp_path / "m.safetensors")


@needs_bitpath
def test_answers_are_of_pictures_of_the_model_s_size(tmp_path):
    name = "igp-resnet21-53-c3d4+xnor-net-pp"
    write(tmp_path / "m.safetensors", name, graph_json(name, 3, 64), size=64)
    picture = BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 90)).save(picture, "PNG")
    write_pack(tmp_path / "a.bin", [(0, picture.getvalue())])
    network = read_model(tmp_path / "m.safetensors")
    with torch.no_grad():
        expected = network(normalise(torch.tensor([200.0, 30, 90])[None, :, None, None].expand(1, 3, 64, 64))).argmax(1)
    assert (
        answers(network, tmp_path / "a.bin", read_metadata(tmp_path / "m.safetensors").input_size, 1).tolist()
        == expected.tolist()
    )


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_models_of_the_repository_name_their_licence(path):
    assert read_metadata(path).license == "Apache-2.0"


@needs_bitpath
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_models_of_the_repository_are_read(path):
    assert read_model(path).fc.out_features == 200


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
