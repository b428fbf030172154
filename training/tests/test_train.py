"""From pictures to a model file on a synthetic set, on the CPU."""

import json
import subprocess
from io import BytesIO

import numpy as np
import pytest
import torch
from node import needs_bitpath, run_node
from PIL import Image

from bitpath_training import __main__ as main_module
from bitpath_training import binary
from bitpath_training import train as train_module
from bitpath_training.__main__ import main
from bitpath_training.checkpoint import load_checkpoint
from bitpath_training.data import Dataset, Pictures, write_pack
from bitpath_training.recipe import load_recipe, recipe_from_dict

CLASSES = 3
RECIPE = """
name = "{name}"
title = "Test"
network = "{network}"
epochs = 2
input_size = 32
batch_size = 8
evaluate_every = 1
ema_decay = {ema}
unit_scale = {scale}
[data]
name = "synthetic"
train = ["train.bin"]
validation = ["validation.bin"]
classes = "classes.json"
stored_size = 16
[optimizer]
warmup_steps = 2
[teacher]
checkpoint = "{teacher}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures whose class is their brightest channel."""
    path = tmp_path_factory.mktemp("training")
    random = np.random.default_rng(0)
    for name, count in (("train", 24), ("validation", 9)):
        pack = []
        for i in range(count):
            pixels = random.integers(0, 120, (16, 16, 3), np.uint8)
            pixels[:, :, i % CLASSES] += 130
            encoded = BytesIO()
            Image.fromarray(pixels).save(encoded, "WEBP", quality=90)
            pack.append((i % CLASSES, encoded.getvalue()))
        write_pack(path / f"{name}.bin", pack)
    (path / "classes.json").write_text(json.dumps([{"wnid": f"c{i}", "name": f"class {i}"} for i in range(CLASSES)]))
    recipes = (("teacher", "resnet18", 0.9, 1, ""), ("student", "igp-resnet21-53", 0, 0.5, "teacher/checkpoint.pt"))
    for name, network, ema, scale, teacher in recipes:
        (path / f"{name}.toml").write_text(RECIPE.format(name=name, network=network, ema=ema, scale=scale, teacher=teacher))
    return path


def call(command, folder, recipe, *more):
    places = ["--data", str(folder), "--runs", str(folder / "runs"), "--device", "cpu"]
    return main([command, str(folder / f"{recipe}.toml"), *more, *places])


@pytest.fixture(scope="module")
def trained(folder):
    assert call("train", folder, "teacher") == 0
    assert call("train", folder, "student") == 0
    return folder


def test_a_run_leaves_a_log_and_a_checkpoint(trained):
    for name in ("teacher", "student"):
        log = [json.loads(line) for line in (trained / "runs" / name / "log.jsonl").read_text().splitlines()]
        assert [line["epoch"] for line in log] == [1, 2]
        assert log[1]["images"] == 9 and log[1]["loss"] > 0
        checkpoint = load_checkpoint(trained / "runs" / name / "checkpoint.pt")
        assert checkpoint.epoch == 2 and checkpoint.recipe == load_recipe(trained / f"{name}.toml")


def test_resuming_goes_on(folder, trained, capsys):
    (folder / "piece.toml").write_text((folder / "teacher.toml").read_text().replace('"teacher"', '"piece"'))
    assert call("train", folder, "piece", "--stop-after", "0") == 0
    path = folder / "runs" / "piece" / "checkpoint.pt"
    first = load_checkpoint(path)
    assert first.epoch == 1 and first.training["steps"] == 3
    assert call("train", folder, "piece") == 0
    second = load_checkpoint(path)
    assert second.epoch == 2 and second.training == {}  # it has ended
    assert not torch.equal(first.model["fc.weight"], second.model["fc.weight"])
    assert call("train", folder, "piece", "--set", "seed=1") == 1  # of another recipe
    capsys.readouterr()
    assert call("train", folder, "piece") == 0 and "piece has been trained" in capsys.readouterr().out
    for command, *more in (("evaluate",), ("export", str(folder / "piece.safetensors"))):
        with pytest.raises(SystemExit):  # they take the checkpoint's recipe, which no word here can change
            call(command, folder, "piece", *more, "--set", "input_size=999")


def test_what_goes_wrong_is_a_line(folder, monkeypatch, capsys):
    (folder / "wrong.toml").write_text((folder / "teacher.toml").read_text().replace('"teacher"', '"wrong"'))
    assert call("train", folder, "wrong", "--set", "optimizer.lr=1e30") == 1
    assert capsys.readouterr().err.splitlines()[-1] == "bitpath_training: the loss is not a number: lower the learning rate"
    monkeypatch.setattr(binary, "clipped_sign", lambda x: torch.where(x >= 0, 1.0, -1.0) + 0 * x)
    assert call("train", folder, "wrong", "--set", "network='bireal-resnet18-64'") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("bitpath_training: no gradient reaches body.0")

    def fail(*_arguments):
        raise subprocess.CalledProcessError(1, ["node", "training/print_graph.mjs"])

    monkeypatch.setattr(main_module, "run_evaluate", fail)
    assert call("evaluate", folder, "teacher") == 1
    assert "bitpath_training: Command '['node', 'training/print_graph.mjs']'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "optimizer", "ema"),
    [
        ("resnet18", {"lr": 1e-3}, 0.0),
        ("resnet18", {"kind": "sgd", "lr": 0.01}, 0.5),
        ("igp-resnet21-53-c3d4", {"lr": 1e-3}, 0.5),
    ],
)
def test_pieces_add_up_to_the_whole_run(network, optimizer, ema, tmp_path, monkeypatch):
    """Without what makes them differ: random crops, the order of pictures, and the rounding of checkpoints."""
    monkeypatch.setattr(train_module, "small_weights", lambda state, _latent: {k: v.clone() for k, v in state.items()})
    monkeypatch.setattr(train_module, "small_training", lambda training, _latent: training)
    monkeypatch.setattr(torch, "randperm", lambda count, device=None: torch.arange(count, device=device))
    torch.manual_seed(0)
    pictures = Pictures(torch.randint(0, 256, (16, 3, 32, 32), dtype=torch.uint8), torch.arange(16) % 4)
    changes = {
        "title": "t",
        "network": network,
        "epochs": 3,
        "input_size": 32,
        "batch_size": 16,
        "evaluate_every": 3,
        "ema_decay": ema,
        "optimizer": optimizer | {"warmup_steps": 1},
        "augmentation": {"crop": [1, 1], "aspect": [1, 1], "flip": False},
        "data": {"name": "d", "train": [], "validation": []},
    }

    def run(name, calls, **options):
        for _ in range(calls):
            recipe = recipe_from_dict(changes | {"name": name})
            checkpoint = train_module.train(recipe, Dataset(pictures, pictures, 4), tmp_path, torch.device("cpu"), **options)
        losses = [json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        assert checkpoint.epoch == len(losses) == 3
        return losses, checkpoint.model

    whole, pieces = run("whole", 1), run("pieces", 3, stop_after=0)
    torch.testing.assert_close(pieces[0], whole[0])
    torch.testing.assert_close(pieces[1], whole[1])


def test_two_stages_by_sgd_with_mixup_a_teacher_and_small_pictures(trained):
    sizes = ["small_epochs = 1", "small_size = 48"]
    changes = ["optimizer.kind = 'sgd'", "optimizer.lr = 0.01", "augmentation.mixup = 0.4", *sizes]
    sets = [word for change in changes for word in ("--set", change)]
    for name, more in (("one", ["weights = 'real'"]), ("two", ["start = 'one/checkpoint.pt'"])):
        (trained / f"{name}.toml").write_text((trained / "student.toml").read_text().replace('"student"', f'"{name}"'))
        assert call("train", trained, name, *sets, "--set", more[0], "--stop-after", "0") == 0
        half_way = load_checkpoint(trained / "runs" / name / "checkpoint.pt")
        assert half_way.epoch == 1
        moments = half_way.training["optimizer"]["state"][0]["momentum_buffer"]
        assert moments.dtype == torch.bfloat16
        assert half_way.model["body.0.u.conv.weight"].dtype == torch.float16
        assert call("train", trained, name, *sets, "--set", more[0]) == 0
        assert load_checkpoint(trained / "runs" / name / "checkpoint.pt").epoch == 2


def test_evaluate(trained, capsys):
    assert call("evaluate", trained, "student", "--recalibrate", "2") == 0
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["images"] == 9 and 0 <= metrics["top1"] <= metrics["top5"] == 100 and 0 <= metrics["ece"] <= 100


@needs_bitpath
def test_the_exported_model_is_the_trained_network(trained):
    path = trained / "student.safetensors"
    assert call("export", trained, "student", str(path)) == 0
    script = """
    import { loadModel } from '#lib/model.js';
    const model = await loadModel(process.argv[1]);
    const [name, tensor] = [...model.params].find(([name]) => name.endsWith('.bits'));
    console.log(JSON.stringify({
      name: model.name, provenance: model.provenance, labels: model.labels, crop: model.preprocessing.crop,
      first: [name, [...tensor.data]], scale: [...model.params.get(name.replace('bits', 'scale')).data],
    }));
    """
    model = run_node(script, str(path))
    assert model["name"] == "student" and model["crop"] == {"height": 32, "width": 32}
    assert model["labels"][2] == {"id": "c2", "name": "class 2"} and model["provenance"]["architecture"] == "igp-resnet21-53"

    checkpoint = load_checkpoint(trained / "runs" / "student" / "checkpoint.pt")
    name, packed = model["first"]
    weight = checkpoint.model[name.replace(".bits", ".weight")]
    bits = np.unpackbits(np.array(packed, np.uint8).reshape(len(weight), -1), axis=1, bitorder="little")
    taps = (weight >= 0).permute(0, 2, 3, 1).flatten(1).numpy()
    assert np.array_equal(bits[:, : taps.shape[1]], taps) and not bits[:, taps.shape[1] :].any()
    np.testing.assert_allclose(model["scale"], weight.abs().mean((1, 2, 3)), rtol=2**-8)


def test_stage_one_is_not_served(trained, tmp_path, capsys):
    """A model file has 1-bit weights alone: it would hold another network than the one that was measured."""
    text = (trained / "student.toml").read_text().replace('name = "student"', 'name = "real"\nweights = "real"\nepochs = 1')
    (trained / "real.toml").write_text(text.replace("epochs = 2\n", ""))
    assert call("train", trained, "real") == 0
    assert call("export", trained, "real", str(tmp_path / "real.safetensors"), "--graph", str(trained / "real.toml")) == 1
    assert "real weights" in capsys.readouterr().err and not list(tmp_path.iterdir())


@needs_bitpath
def test_the_engine_computes_what_pytorch_does(trained):
    """Logits of float pictures. Sums in another order can turn a sign that is nearly a tie; in so small a network none is."""
    path = trained / "engine.safetensors"
    assert call("export", trained, "student", str(path)) == 0
    network = load_checkpoint(trained / "runs" / "student" / "checkpoint.pt").build()
    torch.manual_seed(1)
    inputs = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        expected = network(inputs)
    (trained / "inputs.json").write_text(json.dumps(inputs.flatten().tolist()))
    script = """
    import { readFileSync } from 'node:fs';
    import { loadModel } from '#lib/model.js';
    import { Tensor } from '#lib/tensor.js';
    const model = await loadModel(process.argv[1]);
    const data = new Float32Array(JSON.parse(readFileSync(process.argv[2], 'utf8')));
    const executor = await model.compile({ threads: 1 });
    const output = await executor.run(new Tensor('float32', [4, 3, 32, 32], data));
    const { logits } = output;
    executor.dispose();
    console.log(JSON.stringify([...logits.data]));
    """
    logits = torch.tensor(run_node(script, str(path), str(trained / "inputs.json"))).view(4, CLASSES)
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)
