"""What a study's runs leave behind: one small JSON file a run, with which pictures it got right, and what follows from them.

The files are kept in the repository (`results/runs/<study>/`), so more seeds can be added at any time, and every difference can
be computed again.
"""

import base64
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .recipe import recipe_from_dict

RESULT = "result.json"
SETS = ("validation", "holdout")


def pack_scores(first: object, five: object) -> dict[str, object]:
    """bool [pictures] each: right with the first guess, within five. As base64 of packed bits, first picture in the top bit."""
    first, five = np.asarray(first, bool), np.asarray(five, bool)
    texts = [base64.b64encode(np.packbits(right).tobytes()).decode() for right in (first, five)]
    return {"images": len(first), "first": texts[0], "five": texts[1]}


def unpack_scores(packed: dict) -> np.ndarray:
    """bool [2, pictures]."""
    rows = [np.frombuffer(base64.b64decode(packed[key]), np.uint8) for key in ("first", "five")]
    return np.stack([np.unpackbits(row, count=packed["images"]).astype(bool) for row in rows])


def stored_runs(folder: Path, study: str) -> list[Path]:
    return sorted((folder / study).glob("*.json"))


def store_runs(study, runs: Path, folder: Path) -> list[str]:
    """Copies finished runs of `study` (study.Study) from the folder of checkpoints, and returns the names of the new ones."""
    new = []
    for path in sorted(runs.glob(f"{study.name}-*-seed*/{RESULT}")):
        target = folder / study.name / f"{path.parent.name}.json"
        if not target.exists() and _network_of(study, path.parent.name) is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_compact(json.loads(path.read_text())))
            new.append(path.parent.name)
    return new


def _compact(result: dict) -> str:
    """A line for each key: small, and a difference of two versions can be read."""
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in result.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _network_of(study, name: str) -> str | None:
    network, _, _ = name.removeprefix(f"{study.name}-").rpartition("-seed")
    return network if network in study.networks else None


def collect(study, folder: Path, times: dict | None = None) -> dict:
    """All that `folder` holds of the study: runs with their figures, and the paired differences of its pairs.

    A run without its pictures has the differences that were computed while they were there. `times` are of measure_times.mjs.
    Raises ValueError for a run that was trained by another recipe.
    """
    found, right, kept = [], {}, {}
    for path in stored_runs(folder, study.name):
        network = _network_of(study, path.stem)
        if network is None:
            raise ValueError(f"{path} is of no network of the study")
        result = json.loads(path.read_text())
        seed = result["recipe"]["seed"]
        if recipe_from_dict(result["recipe"]) != study.recipe(network, seed):
            raise ValueError(f"{path} is of another recipe than the study's")
        for name, packed in result.pop("right", {}).items():
            right[name, network, seed] = unpack_scores(packed)[0]
        for difference in result.pop("differences", []):
            kept[network, difference["b"], difference["set"], seed] = difference
        del result["recipe"]
        result.pop("watched", None)
        found.append({"network": network, "seed": seed} | result)
    order = list(study.networks)
    found.sort(key=lambda run: (order.index(run["network"]), run["seed"]))
    differences, means = [], []
    for a, b in study.pairs:
        for name in SETS:
            seeds, pictures = [], []
            for seed in sorted({run["seed"] for run in found}):
                one, other = right.get((name, a, seed)), right.get((name, b, seed))
                if one is not None and other is not None:
                    seeds.append({"a": a, "b": b, "set": name, "seed": seed} | mcnemar(one, other))
                    pictures.append(one.astype(int) - other)
                elif (a, b, name, seed) in kept:
                    seeds.append({"a": a, **kept[a, b, name, seed]})
            if seeds:
                differences += seeds
                means.append({"a": a, "b": b, "set": name} | over_seeds(seeds, pictures))
    return {
        "study": study.name,
        "title": study.title,
        "protocol": study.protocol,
        "recipe": study.common,  # as the study has it: each run's file has all of it, defaults included
        "networks": study.networks,
        "plan": list(study.plan),
        "times": times,
        "runs": found,
        "differences": differences,
        "means": means,
    }


def watched_runs(study, folder: Path) -> dict[str, dict]:
    """What was measured while the networks trained, by network: of seed 0."""
    found = {}
    for network in study.networks:
        path = folder / study.name / f"{study.run_name(network, 0)}.json"
        values = json.loads(path.read_text()).get("watched") if path.exists() else None
        if values:
            found[network] = values
    return found


def mcnemar(a: np.ndarray, b: np.ndarray) -> dict:
    """a's accuracy less b's in points, its standard error, and the test of the pictures that one of the two gets right."""
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    z = (only_a - only_b) / math.sqrt(only_a + only_b) if only_a + only_b else 0.0
    return {
        "points": 100 * (only_a - only_b) / len(a),
        "error": 100 * math.sqrt(only_a + only_b) / len(a),
        "only_a": only_a,
        "only_b": only_b,
        "z": z,
        "p": math.erfc(abs(z) / math.sqrt(2)),
    }


def over_seeds(differences: list[dict], pictures: Sequence[np.ndarray] = ()) -> dict:
    """Mean and standard error of one pair's differences, a seed each, on one set of pictures.

    The standard error is that of the seeds' spread, or, where this is less, what the sampling of pictures alone gives the
    mean: two or three seeds may lie together by chance. All seeds are tested on the same pictures, so sampling moves them
    together and more seeds do not average it away. It is computed from `pictures`, for each seed which of the two is right (1,
    0 or -1), about 0 as McNemar's test has it; where a seed has none, it is the largest that a seed alone has.
    """
    points = [difference["points"] for difference in differences]
    count = len(points)
    if len(pictures) == count:
        sampling = 100 * float(np.sqrt(np.square(np.mean(pictures, axis=0)).sum())) / len(pictures[0])
    else:
        sampling = max(difference["error"] for difference in differences)
    spread = statistics.stdev(points) / math.sqrt(count) if count > 1 else 0.0
    return {"seeds": count, "points": statistics.mean(points), "error": max(sampling, spread)}


def is_resolved(points: float, error: float) -> bool:
    """At least two standard errors from 0."""
    return abs(points) >= 2 * error and points != 0
