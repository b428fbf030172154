"""Pictures of a study: well-formed, with what they are about in them."""

import xml.etree.ElementTree as ElementTree

import pytest

from bitpath_training.figures import curves, depth_of, figures, positions
from bitpath_training.gradients import EDGES, SHARPNESS
from bitpath_training.plots import log_ticks, nice_ticks
from bitpath_training.results import over_seeds

SVG = "{http://www.w3.org/2000/svg}"


def results(seeds: int) -> dict:
    runs = [
        {"network": network, "seed": seed, "curve": [[5, 20.0 + seed], [10, 30.0 - seed]]}
        for network in ("one", "two")
        for seed in range(seeds)
    ]
    differences = [
        {"a": "one", "b": "two", "set": name, "seed": seed, "points": 1.0 + seed, "error": 0.5}
        for name in ("validation", "holdout")
        for seed in range(seeds)
    ]
    titles = {"one": {"title": "One & all"}, "two": {"title": "Two"}}
    means = [
        {"a": "one", "b": "two", "set": name} | over_seeds([d for d in differences if d["set"] == name])
        for name in ("validation", "holdout")
        if seeds
    ]
    results = {"study": "small", "protocol": "Of nothing.", "networks": titles, "runs": runs}
    return results | {"differences": differences, "means": means}


def watched(units: list[str]) -> dict:
    layers = [{"name": name, "input": [[0.5, 0.9, 1.1]] * 4, "weight": [[0.4, None, 1]] * 4, "batches": 0.1} for name in units]
    histograms = [{"name": name, "std": 0.05, "beyond_1": 0, "histogram": [3] * (len(EDGES) - 1)} for name in units]
    return {
        "sharpness": SHARPNESS,
        "flips": [[epoch, [0.1] * len(units)] for epoch in (1, 2)],
        "gradients": [[1, layers]],
        "latent": [[1, histograms]],
    }


def test_all_pictures():
    units = ["body.0.u", "body.0.a.u", "body.0.b.u"]
    made = figures(results(2), {"one": watched(units), "two": watched(["body.0.u", "body.1.u"])})
    assert list(made) == ["small-differences", "small-curves", "small-gradients", "small-latent"]
    for svg in made.values():
        root = ElementTree.fromstring(svg)
        texts = [text.text for text in root.iter(f"{SVG}text")]
        assert any(text and text.startswith("One & all") for text in texts) and len(texts) > 8
    assert made["small-differences"].count("<circle") == 2 + 2 and "(2 seeds)" in made["small-differences"]


def test_without_results_there_are_no_pictures():
    assert figures(results(0), {}) == {}
    assert list(figures(results(1), {"one": {}})) == ["small-differences", "small-curves"]


def test_curves_average_epochs_of_the_same_number():
    """A run that lacks an epoch, or has one more, does not shift the others."""
    found = results(2)
    found["runs"][1]["curve"].insert(1, [7, 90.0])
    for runs in (found["runs"], found["runs"][::-1]):
        assert curves(found | {"runs": runs}) == curves(results(2))


def test_where_units_stand():
    assert depth_of("body.3.u") == (3, 0, 1) and depth_of("body.3.b.a.u") == (3, 0.5, 0.25)
    assert positions(["body.1.u", "body.1.a.u", "body.1.b.u", "body.4.u"]) == pytest.approx([0.25, 0.125, 0.375, 0.75])


def test_ticks_are_round():
    assert nice_ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert nice_ticks(-7.6, 8.4) == [-5, 0, 5]
    assert nice_ticks(3, 3) != []
    assert log_ticks(0.13, 1.2) == [0.1, 0.2, 0.5, 1, 2]
    assert log_ticks(0.01, 5) == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5] and log_ticks(3, 3) == [2, 5]
