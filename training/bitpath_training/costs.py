"""What a network costs, counted from its modules."""

import torch
from torch import nn

from .binary import BinaryConv2d, BinaryWeightConv2d


def count_costs(network: nn.Module, input_size: int) -> dict[str, int]:
    """Trained numbers, and multiplications with additions of one picture, 1-bit and full-precision.

    A ternary one counts as two. Runs the network once.
    """
    macs = {"binary_macs": 0, "real_macs": 0}

    def count(module: nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
        products = output[0].numel() * module.weight[0].numel()
        if isinstance(module, BinaryConv2d) and not isinstance(module, BinaryWeightConv2d):
            macs["binary_macs"] += products * module.planes
        else:
            macs["real_macs"] += products

    layers = [m for m in network.modules() if isinstance(m, BinaryConv2d | nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training, parameter = network.training, next(network.parameters())
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, input_size, input_size, device=parameter.device))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return {"parameters": sum(p.numel() for p in network.parameters())} | macs
