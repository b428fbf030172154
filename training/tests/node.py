"""Runs bitpath itself, where `npm run build:ts` has built it."""

import json
import shutil
import subprocess

import pytest

from bitpath_training.model_file import REPOSITORY

needs_bitpath = pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "dist" / "index.js").exists(),
    reason="NOT COMPARED WITH bitpath: it needs node and `npm run build:ts`",
)


def run_node(script: str, *arguments: str) -> object:
    """The JSON that an ES module prints; run in the repository, so that '#lib/…' resolves."""
    command = ["node", "--input-type=module", "-e", script, "--", *arguments]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout)
