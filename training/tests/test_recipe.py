"""Recipes say what they mean or are refused."""

import re
from pathlib import Path

import pytest
import torch

from bitpath_training.model_file import REPOSITORY
from bitpath_training.networks import NETWORKS, build_network
from bitpath_training.recipe import load_recipe, recipe_from_dict, recipe_to_dict

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
SMALL = {"name": "n", "title": "t", "network": "resnet18", "epochs": 1, "data": {"name": "d", "train": [], "validation": []}}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_of_the_repository(path):
    recipe = load_recipe(path)
    assert recipe.name == path.stem and recipe.data.name == "Tiny-ImageNet-200"
    with torch.device("meta"):
        build_network(recipe.network, 3, recipe.join, recipe.unit_scale, recipe.input_size)
    assert recipe_from_dict(recipe_to_dict(recipe)) == recipe
    changed = load_recipe(path, ["epochs = 7", "speed.compile = false", "optimizer.lr = 1"])
    assert (changed.epochs, changed.speed.compile, changed.optimizer.lr) == (7, False, 1.0)
    assert changed.optimizer.warmup_steps == recipe.optimizer.warmup_steps


def test_the_recipe_of_the_documentation(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", (REPOSITORY / "docs" / "training.md").read_text(), re.DOTALL)
    (tmp_path / "my.toml").write_text(text)
    recipe = load_recipe(tmp_path / "my.toml")
    assert recipe.network in NETWORKS and recipe.data.holdout_per_class == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 1}, "did you mean epochs"),
        ({"epochs": "1"}, "expected int"),
        ({"epochs": 0}, "at least 1"),
        ({"join": "max"}, "expected one of mean, sum"),
        ({"optimizer": {"lr": -1.0}}, "lr"),
        ({"augmentation": {"crop": [0.5]}}, "expected a list"),
        ({"data": {"name": "d"}}, "lacks the key 'train'"),
    ],
)
def test_wrong_recipes(change, message):
    recipe_from_dict(SMALL)
    with pytest.raises(ValueError, match=message):
        recipe_from_dict(SMALL | change)
