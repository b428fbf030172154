"""Checkpoints: everything that a run needs to go on, and an exporter needs to know. They are small: latent weights whose
signs count are kept as float16, an optimizer's moments as bfloat16, and a run that has ended keeps no moments."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .binary import BinaryConv2d
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
        for module in network.modules():
            if isinstance(module, BinaryConv2d):
                module.real_weights = recipe.weights == "real"
        return network.eval()


def small_weights(state: dict[str, Tensor], latent: set[str]) -> dict[str, Tensor]:
    """A network's state with latent weights as float16, none of which changes its sign."""
    return {name: _half(value) if name in latent else value for name, value in state.items()}


def _half(weights: Tensor) -> Tensor:
    half = weights.half()
    return torch.where((half == 0) & (weights < 0), -(2.0**-24), half)  # the smallest: -0 would count as +1


def small_training(training: dict, latent: set[str]) -> dict:
    """A run's state with the optimizer's moments as bfloat16: they need range, and load_state_dict makes them float32 again."""
    optimizer = dict(training["optimizer"])
    optimizer["state"] = {
        parameter: {name: value.bfloat16() if value.ndim > 0 else value for name, value in moments.items()}
        for parameter, moments in optimizer["state"].items()
    }
    network = {"network": small_weights(training["network"], latent)} if "network" in training else {}
    return training | {"optimizer": optimizer} | network


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    values = vars(checkpoint) | {"recipe": recipe_to_dict(checkpoint.recipe)}
    write_whole(path, lambda temporary: torch.save(values, temporary))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Completely, or not at all: `write` gets another path beside it."""
    temporary = path.with_suffix(".tmp")
    write(temporary)
    os.replace(temporary, path)


def load_checkpoint(path: Path) -> Checkpoint:
    values = torch.load(path, map_location="cpu", weights_only=True)
    return Checkpoint(**values | {"recipe": recipe_from_dict(values["recipe"])})
