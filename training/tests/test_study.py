"""Studies: a small one from pictures to tables, what is kept of it, the studies of the repository, the costs."""

import dataclasses
import json
import shutil
from io import BytesIO

import numpy as np
import pytest
import torch
from node import needs_bitpath, run_node
from PIL import Image

from bitpath_training.__main__ import main
from bitpath_training.blocks import BinaryUnit
from bitpath_training.checkpoint import write_whole
from bitpath_training.costs import count_costs
from bitpath_training.data import write_pack
from bitpath_training.model_file import REPOSITORY, graph_json
from bitpath_training.networks import build_network
from bitpath_training.report import describe, gradients_table
from bitpath_training.results import collect, is_resolved, mcnemar, over_seeds, pack_scores, unpack_scores
from bitpath_training.study import curve, load_study, parse_run

STUDIES = REPOSITORY / "training" / "studies"
RESULTS = REPOSITORY / "training" / "results"
SMALL = """
name = "small"
title = "A small study"
protocol = "Made of nothing."
pairs = [["one", "two"], ["two", "three"]]
plan = ["two:0", "one:3", "two:3"]
watched = ["two"]
[recipe]
epochs = 1
input_size = 32
batch_size = 4
[recipe.data]
name = "d"
train = ["all.bin"]
validation = ["all.bin"]
classes = "classes.json"
stored_size = 16
holdout_per_class = 1
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
    study, runs, results = (tmp_path / name for name in ("small.toml", "runs", "results"))

    def call(command, *more):
        return main([command, str(study), *more, "--runs", str(runs), "--results", str(results)])

    def train(*more):
        return call("study", *more, "--data", str(tmp_path), "--device", "cpu", "--slots", "2", "--commit", "abc")

    assert call("study", "four") == 1 and "'four' is not one of" in capsys.readouterr().err
    assert train("--stop-after", "0") == 1 and not list(runs.glob("*/output.txt"))
    assert train() == 0
    finished = runs / "small-one-seed3" / "result.json"
    before = finished.stat().st_mtime_ns
    assert train("one:3") == 0 and finished.stat().st_mtime_ns == before
    results.mkdir()
    assert call("results") == 0

    found = json.loads((results / "small.json").read_text())
    assert [(run["network"], run["seed"]) for run in found["runs"]] == [("one", 3), ("two", 0), ("two", 3)]
    for run in found["runs"]:
        assert run["commit"] == "abc" and (run["validation"]["images"], run["holdout"]["images"]) == (8, 2)
    assert [(d["set"], d["seed"]) for d in found["differences"]] == [("validation", 3), ("holdout", 3)]
    for difference in found["differences"]:
        accuracies = {run["network"]: run[difference["set"]]["top1"] for run in found["runs"] if run["seed"] == 3}
        assert difference["points"] == pytest.approx(accuracies["one"] - accuracies["two"])
    assert found["means"] == [
        {"a": "one", "b": "two", "set": d["set"], "seeds": 1, "points": d["points"], "error": pytest.approx(d["error"])}
        for d in found["differences"]
    ]
    text = (results / "small.md").read_text()
    assert text.count("| Two |") == 5 and "Not trained yet: Three." in text and str(tmp_path) not in text

    # Another machine has the kept results alone, and trains none of them again.
    shutil.rmtree(runs)
    (results / "small.json").unlink()
    assert train("one:3") == 0 and not runs.exists()
    assert call("results") == 0 and json.loads((results / "small.json").read_text()) == found
    kept = json.loads((results / "runs" / "small" / "small-two-seed0.json").read_text())
    assert [epoch for epoch, _ in kept["watched"]["gradients"]] == [1] and len(kept["watched"]["flips"]) == 1
    assert not json.loads((results / "runs" / "small" / "small-two-seed3.json").read_text())["watched"]

    study.write_text(SMALL.replace("unit_scale = 0.5", "unit_scale = 0.25"))
    assert call("results") == 1  # trained by another recipe


def test_a_curve_has_no_epoch_that_a_run_was_stopped_after(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    recipe = dataclasses.replace(load_study(tmp_path / "small.toml").recipe("one", 0), epochs=7, evaluate_every=3)
    log = [{"epoch": epoch, "loss": 1.0} | ({"top1": 10.0 * epoch} if epoch != 1 else {}) for epoch in (1, 2, 3, 6, 7)]
    assert curve(log, recipe) == [[3, 30.0], [6, 60.0], [7, 70.0]]


def test_files_are_written_whole(tmp_path):
    """A run that is cut off while it writes leaves no half of a result, which would count as one."""
    path = tmp_path / "result.json"

    def cut_off(temporary):
        temporary.write_text('{"epochs"')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, cut_off)
    assert not path.exists()
    write_whole(path, lambda temporary: temporary.write_text("{}"))
    assert path.read_text() == "{}" and list(tmp_path.iterdir()) == [path]


def test_the_paired_test():
    a, b = np.array([1, 1, 1, 1, 0, 0, 1, 0], bool), np.array([1, 0, 0, 0, 1, 0, 1, 0], bool)
    assert mcnemar(a, b) == {"points": 25, "error": 25, "only_a": 3, "only_b": 1, "z": 1, "p": pytest.approx(0.3173, abs=1e-4)}
    assert mcnemar(a, a)["z"] == 0


def test_pictures_are_packed_whole():
    random = np.random.default_rng(0)
    first, five = random.random((2, 5003)) < 0.4
    packed = json.loads(json.dumps(pack_scores(first, five)))
    assert np.array_equal(unpack_scores(packed), [first, five]) and len(json.dumps(packed)) < 1800


def test_means_over_seeds():
    one, same, other = ({"points": points, "error": 0.5} for points in (1.0, 1.0, 2.0))
    assert over_seeds([one]) == {"seeds": 1, "points": 1, "error": 0.5}
    # Seeds that lie together do not make a difference surer than its pictures do, which are the same for all.
    assert over_seeds([one, same]) == {"seeds": 2, "points": 1, "error": 0.5}
    assert over_seeds([one, same | {"error": 0.6}])["error"] == 0.6
    assert over_seeds([one, other])["error"] == pytest.approx(0.5)
    assert is_resolved(-1.0, 0.5) and not is_resolved(0.99, 0.5) and not is_resolved(0, 0)


def test_sampling_moves_all_seeds_together():
    """20 pictures: seed by seed 4 that only the first gets right, the same ones or others."""
    seeds, other = np.zeros((2, 20), int), np.zeros(20, int)
    seeds[:, :4] = 1
    other[4:8] = 1
    one = mcnemar(seeds[0] == 1, np.zeros(20, bool))
    assert one["error"] == pytest.approx(10)
    assert over_seeds([one], [seeds[0]])["error"] == pytest.approx(10)
    assert over_seeds([one, one], seeds)["error"] == pytest.approx(10)
    assert over_seeds([one, one], [seeds[0], other])["error"] == pytest.approx(10 / 2**0.5)
    assert over_seeds([one, one], [seeds[0]])["error"] == pytest.approx(10)  # a seed whose pictures are not kept


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_studies_of_the_repository(path, tmp_path):
    study = load_study(path)
    assert study.name == path.stem and len(set(study.plan)) == len(study.plan)
    assert {run.split(":")[0] for run in study.plan} == set(study.networks)
    for name in study.networks:
        recipe = parse_run(study, f"{name}:1")
        assert (recipe.name, recipe.seed) == (f"{study.name}-{name}-seed1", 1)
        with torch.device("meta"):
            build_network(recipe.network, 3, recipe.join, recipe.unit_scale)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(path.read_text().replace('["igp-37-41", "chain-41"]', '["igp-37-41", "chain-42"]'))
    with pytest.raises(ValueError, match="no networks chain-42"):
        load_study(wrong)


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_results_of_the_repository_are_those_of_its_runs(path):
    """By hand or by a forgotten command they could come apart: `python -m bitpath_training results studies/…` mends it."""
    times = RESULTS / f"{path.stem}-times.json"
    found = collect(load_study(path), RESULTS / "runs", json.loads(times.read_text()) if times.exists() else None)
    assert json.loads((RESULTS / f"{path.stem}.json").read_text()) == json.loads(json.dumps(found))
    assert (RESULTS / f"{path.stem}.md").read_text() == describe(found)


def test_gradients_are_medians_over_units():
    units = [
        {"input": [[cosine, 1.0, 1.0], [-0.001, 1.0, 1.0]], "weight": [[None, 1.0, 1.0], [0.5, 1.0, 1.0]], "batches": -0.001}
        for cosine in (0.1, 0.7, 0.9)
    ]
    units[0]["weight"][0][0] = 0.25
    watched = {"sharpness": [1.0, 2.0], "flips": [[1, [0.01, 0.02, 0.5]]], "gradients": [[1, units]]}
    table = gradients_table({"networks": {"one": {"title": "One"}}, "watched": {"one": watched}})
    assert table[2:] == ["| One | 1 | 0.70 / 0.00 | 1.00 | 0.25 / 0.50 | 0.00 | 2.00 |"]
    assert gradients_table({"networks": {}, "watched": {}}) == ["*Nothing measured yet.*"]


def test_the_page_of_the_repository_has_its_results(tmp_path):
    docs = REPOSITORY / "docs"
    (tmp_path / "claim.md").write_text((docs / "claim.md").read_text())
    assert main(["page", str(tmp_path / "claim.md"), "--studies", str(STUDIES), "--results", str(RESULTS)]) == 0
    assert (tmp_path / "claim.md").read_text() == (docs / "claim.md").read_text()
    made = sorted((tmp_path / "images").iterdir())
    assert made and all(path.read_text() == (docs / "images" / path.name).read_text() for path in made)


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


def test_sums_need_joins():
    for name in ("resnet18", "bireal-resnet18-64", "bireal-chain-41", "binary-densenet51-32"):
        with pytest.raises(ValueError, match=f"{name} has no joins"):
            build_network(name, 3, "sum")


@needs_bitpath
def test_costs_are_those_of_the_graph():
    script = """
    import { graphCost, graphFromJson } from '#lib/graph/index.js';
    const { binaryMacs, realMacs } = graphCost(graphFromJson(JSON.parse(process.argv[1])));
    console.log(JSON.stringify({ binary_macs: binaryMacs, real_macs: realMacs }));
    """
    for name in ("igp-resnet37-41", "tbn-resnet18", "reactnet18-bn-free", "bnas-e", "real-to-bin-resnet18"):
        costs = count_costs(build_network(name, 7), 64)
        assert run_node(script, graph_json(name, 7, 64)) == {key: costs[key] for key in ("binary_macs", "real_macs")}
