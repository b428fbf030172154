"""A model file whose BatchNorm statistics are estimated again."""

import json

import numpy as np
import pytest
import torch
from node import needs_bitpath, run_node

from bitpath_training.data import Pictures
from bitpath_training.export import model_tensors
from bitpath_training.golden import read_model
from bitpath_training.model_file import IMAGENET_MEAN, IMAGENET_STD, read_safetensors, write_model
from bitpath_training.networks import build_network
from bitpath_training.pictures import normalise
from bitpath_training.recalibrate import recalibrate_model, round_stem

NAME = "bireal-resnet18-64"
IDS = ["a", "b", "c"]


def pictures(count):
    torch.manual_seed(1)
    return Pictures(torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8), torch.arange(count) % 3)


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    network = build_network(NAME, 3, input_size=32).eval()
    labels, provenance = [{"id": name, "name": name} for name in IDS], {"architecture": NAME, "top1": 1.0, "seed": 7}
    path = tmp_path / "m.safetensors"
    write_model(path, model_tensors(network), name="m", graph="{}", labels=labels, input_size=32, provenance=provenance)
    return path


def test_only_statistics_change_and_they_are_those_of_the_pictures(model, tmp_path):
    output = tmp_path / "r.safetensors"
    metrics = recalibrate_model(model, output, pictures(6), pictures(3), IDS, 2, "{}")
    before, after = read_safetensors(model), read_safetensors(output)
    changed = {name for name in before[0] if not np.array_equal(before[0][name], after[0][name])}
    assert changed == {name for name in before[0] if name.endswith(("running_mean", "running_var"))}
    provenance = json.loads(after[1].pop("bitpath.provenance"))
    assert provenance["top1"] == round(metrics["top1"], 2) and provenance["seed"] == 7 and "integer-stem" in provenance["note"]
    before[1].pop("bitpath.provenance")
    assert after[1] == before[1]

    network = read_model(model, "{}")
    chosen = torch.cat([torch.randint(6, (250,), generator=g) for g in [torch.Generator().manual_seed(0)] for _ in range(2)])
    with torch.no_grad():
        maps = network.stem[0](normalise(pictures(6).images[chosen].float()))
    (name,) = [name for name, module in network.named_modules() if module is network.stem[1]]
    np.testing.assert_allclose(after[0][f"{name}.running_mean"], maps.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)


def test_other_classes_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="other labels"):
        recalibrate_model(model, tmp_path / "r.safetensors", pictures(6), pictures(3), IDS[::-1], 1, "{}")
    assert not (tmp_path / "r.safetensors").exists()


@needs_bitpath
def test_the_stem_is_rounded_as_the_engine_rounds_it(tmp_path):
    torch.manual_seed(0)
    network = build_network(NAME, 3)
    conv = network.stem[0]
    with torch.no_grad():
        conv.weight[3] = 0
    taps = conv.weight.detach().permute(0, 2, 3, 1).clone()
    (tmp_path / "taps.json").write_text(json.dumps(taps.flatten().tolist()))
    script = """
    import { readFileSync } from 'node:fs';
    import { pixelConv } from '#lib/compiler/pixels.js';
    const [path, mean, std] = process.argv.slice(1);
    const attrs = {
      outChannels: 64, kernel: [7, 7], stride: [2, 2], padding: [3, 3, 3, 3], dilation: [1, 1], groups: 1, bias: false,
    };
    const shape = (channels, side) => ({ channels, height: side, width: side });
    const weight = Float32Array.from(JSON.parse(readFileSync(path, 'utf8')));
    const normalization = { mean: JSON.parse(mean), std: JSON.parse(std) };
    const made = pixelConv(attrs, weight, shape(3, 32), shape(64, 16), normalization);
    console.log(JSON.stringify({ weight: [...made.weight], scale: [...made.scale] }));
    """
    made = run_node(script, str(tmp_path / "taps.json"), json.dumps(IMAGENET_MEAN), json.dumps(IMAGENET_STD))
    scale = torch.tensor(made["scale"], dtype=torch.float64)[:, None, None, None]
    levels = 255 * torch.tensor(IMAGENET_STD, dtype=torch.float64)
    expected = (torch.tensor(made["weight"], dtype=torch.float64).view(taps.shape) * scale * levels).float()
    round_stem(network)
    assert torch.equal(conv.weight.permute(0, 2, 3, 1), expected) and not torch.equal(expected, taps)
