"""Studies: a small one from pictures to tables, the paired test, the costs."""

import json
from io import BytesIO

import numpy as np
import pytest
import torch
from node import needs_bitpath, run_node
from PIL import Image

from bitpath_training.__main__ import main
from bitpath_training.blocks import BinaryUnit
from bitpath_training.costs import count_costs
from bitpath_training.data import write_pack
from bitpath_training.model_file import REPOSITORY, graph_json
from bitpath_training.networks import build_network
from bitpath_training.study import load_study, mcnemar, parse_run

CLAIM = REPOSITORY / "training" / "studies" / "claim.toml"
SMALL = """
name = "small"
title = "A small study"
pairs = [["one", "two"], ["two", "three"]]
[recipe]
epochs = 1
input_size = 32
batch_size = 4
data = { name = "d", train = ["all.bin"], validation = ["all.bin"], classes = "classes.json", stored_size = 16 }
[networks]
one = { title = "One", network = "binary-resnet18" }
two = { title = "Two", network = "bireal-resnet18-64", unit_scale = 0.5 }
three = { title = "Three", network = "bireal-resnet18-64" }
"""


def test_a_small_study(tmp_path, capsys):
    pack = []
    for i in range(8):
        encoded = BytesIO()
        Image.fromarray(np.full((16, 16, 3), 25 * i, np.uint8)).save(encoded, "PNG")
        pack.append((i % 2, encoded.getvalue()))
    write_pack(tmp_path / "all.bin", pack)
    (tmp_path / "classes.json").write_text(json.dumps([{"wnid": f"c{i}", "name": f"class {i}"} for i in range(2)]))
    (tmp_path / "small.toml").write_text(SMALL)
    study, runs = str(tmp_path / "small.toml"), str(tmp_path / "runs")

    def train(*networks):
        places = ["--data", str(tmp_path), "--runs", runs, "--device", "cpu"]
        return main(["study", study, *networks, *places, "--slots", "2", "--commit", "abc"])

    assert main(["study", study, "four", "--runs", runs]) == 1 and "'four' is not one of" in capsys.readouterr().err
    assert train("one:3", "two:3", "two") == 0
    finished = tmp_path / "runs" / "small-one-seed3" / "result.json"
    before = finished.stat().st_mtime_ns
    assert train("one:3") == 0 and finished.stat().st_mtime_ns == before
    assert main(["results", study, str(tmp_path / "small"), "--runs", runs]) == 0

    results = json.loads((tmp_path / "small.json").read_text())
    assert [(run["network"], run["seed"]) for run in results["runs"]] == [("one", 3), ("two", 0), ("two", 3)]
    assert all(run["commit"] == "abc" and run["validation"]["images"] == 8 for run in results["runs"])
    (difference,) = results["differences"]
    accuracies = {run["network"]: run["validation"]["top1"] for run in results["runs"] if run["seed"] == 3}
    assert difference["points"] == pytest.approx(accuracies["one"] - accuracies["two"])
    text = (tmp_path / "small.md").read_text()
    assert text.count("| Two |") == 3 and "Not trained: Three." in text and str(tmp_path) not in text

    (tmp_path / "small.toml").write_text(SMALL.replace("unit_scale = 0.5", "unit_scale = 0.25"))
    assert main(["results", study, str(tmp_path / "small"), "--runs", runs]) == 1  # trained by another recipe


def test_the_paired_test():
    a, b = np.array([1, 1, 1, 1, 0, 0, 1, 0], bool), np.array([1, 0, 0, 0, 1, 0, 1, 0], bool)
    assert mcnemar(a, b) == {"points": 25, "error": 25, "only_a": 3, "only_b": 1, "z": 1, "p": pytest.approx(0.3173, abs=1e-4)}
    assert mcnemar(a, a)["z"] == 0


def test_the_study_of_the_repository(tmp_path):
    study = load_study(CLAIM)
    for name in study.networks:
        recipe = parse_run(study, f"{name}:1")
        assert (recipe.name, recipe.seed) == (f"claim-{name}-seed1", 1)
        build_network(recipe.network, 3, recipe.join, recipe.unit_scale)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(CLAIM.read_text().replace('["igp-37-41", "chain-41"]', '["igp-37-41", "chain-42"]'))
    with pytest.raises(ValueError, match="unknown networks chain-42"):
        load_study(wrong)


def gains(network: torch.nn.Module, block: torch.nn.Module) -> list[float]:
    """How far each unit of `block` moves its output, where every unit adds its own constant."""
    x = torch.zeros(1, 41, 4, 4)
    units = [m for m in block.modules() if isinstance(m, BinaryUnit)]
    result = []
    with torch.no_grad():
        for unit in units:
            for other in units:
                other.bn.weight.zero_()
                other.bn.bias.fill_(float(other is unit))
            result.append(block(x).mean().item())
    return result


def test_controls_have_the_gain_of_a_mean_join():
    for name, join, scale in (
        ("igp-resnet37-41", "mean", 1),
        ("igp-resnet37-41", "sum", 0.299),
        ("bireal-chain-41", "mean", 0.299),
    ):
        network = build_network(name, 3, join, scale).eval()
        blocks = network.body[:7] if name.startswith("bireal") else network.body[0]
        found = gains(network, blocks)
        assert len(found) == 7 and sum(gain * gain for gain in found) == pytest.approx(0.625, abs=1e-3)


def test_a_scale_needs_units():
    with pytest.raises(ValueError, match="no units"):
        build_network("resnet18", 3, unit_scale=0.5)


@needs_bitpath
def test_costs_are_those_of_the_graph():
    script = """
    import { graphCost, graphFromJson } from '#lib/graph/index.js';
    const { binaryMacs, realMacs } = graphCost(graphFromJson(JSON.parse(process.argv[1])));
    console.log(JSON.stringify({ binary_macs: binaryMacs, real_macs: realMacs }));
    """
    for name in ("bireal-resnet18-64", "igp-resnet37-41"):
        costs = count_costs(build_network(name, 7), 64)
        assert run_node(script, graph_json(name, 7, 64)) == {key: costs[key] for key in ("binary_macs", "real_macs")}
