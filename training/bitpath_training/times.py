"""How long bitpath takes for the networks of a study: measured by training/measure_times.mjs, on the machine at hand."""

import json
import subprocess

from .model_file import REPOSITORY
from .study import Study

CLASSES = 200  # the classifier's cost hardly counts, and a study's data may not lie here


def measure_times(study: Study, threads: int) -> dict:
    networks = {}
    for name in study.networks:
        r = study.recipe(name, 0)
        networks[name] = {"architecture": r.network, "join": r.join, "unitScale": r.unit_scale}
    size = study.recipe(next(iter(study.networks)), 0).input_size
    request = {"networks": networks, "classes": CLASSES, "inputSize": size, "threads": threads}
    command = ["node", "training/measure_times.mjs"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def format_times(measured: dict) -> str:
    """JSON with a line for each network."""
    lines = [f"  {json.dumps(name)}: {json.dumps(time)}" for name, time in measured["networks"].items()]
    head = json.dumps({key: value for key, value in measured.items() if key != "networks"}, indent=1, ensure_ascii=False)
    return head.removesuffix("\n}") + ',\n "networks": {\n' + ",\n".join(lines) + "\n }\n}\n"
