"""Checkpoints: everything that a run needs to go on, and an exporter needs to know."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from .networks import build_network
from .recipe import Recipe, recipe_from_dict, recipe_to_dict


@dataclass
class Checkpoint:
    recipe: Recipe
    classes: int
    epoch: int  # epochs done
    model: dict  # state of the network that is evaluated: the moving average where there is one
    training: dict  # the rest of a run's state: optimizer, latent weights beside their average, random numbers
    metrics: dict  # of the last evaluation

    def build(self) -> nn.Module:
        """The network, in evaluation mode, on the CPU."""
        recipe = self.recipe
        network = build_network(recipe.network, self.classes, recipe.join, recipe.unit_scale, recipe.input_size)
        network.load_state_dict(self.model)
        return network.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Completely, or not at all."""
    values = vars(checkpoint) | {"recipe": recipe_to_dict(checkpoint.recipe)}
    temporary = path.with_suffix(".tmp")
    torch.save(values, temporary)
    os.replace(temporary, path)


def load_checkpoint(path: Path) -> Checkpoint:
    values = torch.load(path, map_location="cpu", weights_only=True)
    return Checkpoint(**values | {"recipe": recipe_from_dict(values["recipe"])})
