"""One training step, all of it on the device: crops, mixup, forward, backward, optimizer, moving average."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from .binary import BALANCED, BinaryConv2d
from .data import Pictures
from .loss import distillation_loss, label_loss
from .pictures import mix, normalise, random_crops
from .recipe import Optimizer, Recipe

MIXUP_DRAWS = 65_536
WARMUP_CALLS = 3  # before a CUDA graph is captured: compilers and libraries allocate in their first calls


class TrainingError(RuntimeError):
    """Training that cannot go on, by no fault of the recipe's form."""


class TrainingStep:
    """`run(indices)` trains on the pictures with these numbers; `loss` sums the losses since it was last zeroed.

    With `cuda_graph` the whole step is captured once and replayed by one launch: the layers of these networks are so small
    that launching them one by one takes longer than computing them.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, teacher: nn.Module | None, data: Pictures, total_steps: int) -> None:
        self.recipe = recipe
        self.network = network
        self.data = data
        self.device = data.labels.device
        torch.backends.cudnn.benchmark = True
        self.on_gpu = self.device.type == "cuda"
        self.total_steps = total_steps
        self.steps = 0  # of the whole run
        self.calls = 0  # in this process, since the pictures' size was set
        self.input_size = recipe.input_size
        self.loss = torch.zeros((), device=self.device)
        self.rate = torch.tensor(0.0, device=self.device)
        self.indices = torch.zeros(recipe.batch_size, dtype=torch.long, device=self.device)
        for module in network.modules():
            if isinstance(module, BinaryConv2d):
                module.channel_multiple = recipe.speed.channel_multiple
                module.real_weights = recipe.weights == "real"
        self.average = _copy_state(network) if recipe.ema_decay > 0 else None
        self.shares = _mixup_shares(recipe, self.device)
        self.optimizer = _optimizer(network, recipe.optimizer, self.rate, self.on_gpu)
        compiled = recipe.speed.compile and self.on_gpu
        self.forward = torch.compile(network, fullgraph=True, dynamic=False) if compiled else network
        self.teacher = torch.compile(teacher, fullgraph=True, dynamic=False) if compiled and teacher is not None else teacher
        self.graph: torch.cuda.CUDAGraph | None = None

    def set_size(self, input_size: int) -> None:
        """Of the pictures from now on; another one is compiled and captured anew."""
        if input_size != self.input_size:
            self.input_size, self.calls, self.graph = input_size, 0, None

    def run(self, indices: Tensor) -> None:
        self.indices.copy_(indices)
        self.rate.fill_(learning_rate(self.recipe.optimizer, self.steps, self.total_steps))
        self.steps += 1
        self.calls += 1
        self._advance()
        if self.calls == 1:
            self._check_gradients()

    def _advance(self) -> None:
        if self.graph is not None:
            self.graph.replay()
        elif not (self.on_gpu and self.recipe.speed.cuda_graph):
            self._step()
        elif self.calls <= WARMUP_CALLS:
            self._step_aside()
        else:
            self.graph = self._capture()
            self.graph.replay()

    def _step(self) -> None:
        recipe = self.recipe
        images, labels = self.data.images[self.indices], self.data.labels[self.indices]
        input_ = normalise(random_crops(images, self.input_size, recipe.augmentation))
        share = None
        if self.shares is not None:
            share = self.shares[torch.randint(MIXUP_DRAWS, (len(labels),), device=self.device)]
            input_ = mix(input_, share)
        input_ = input_.contiguous(memory_format=torch.channels_last)
        with self.autocast():
            logits = self.forward(input_)
            loss = label_loss(logits, labels, recipe.label_smoothing, share)
            if self.teacher is not None:
                with torch.no_grad():
                    target = self.teacher(input_)  # the very picture that the student sees
                loss = distillation_loss(logits, target, recipe.teacher, loss)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.loss.add_(loss.detach())
        if self.average is not None:
            _move_average(self.average, self.network, recipe.ema_decay)

    def _check_gradients(self) -> None:
        """A weight that no gradient reaches stays random, and the network still learns a little: nothing else would tell."""
        for name, parameter in self.network.named_parameters():
            if parameter.ndim > 1 and (parameter.grad is None or not parameter.grad.any()):
                raise TrainingError(f"no gradient reaches {name}")

    def autocast(self) -> torch.autocast:
        enabled = self.on_gpu and self.recipe.speed.precision == "bfloat16"
        # Its cache of cast weights must not outlive a captured step.
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)

    def _step_aside(self) -> None:
        """On a stream of its own, as capturing wants the calls before it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._step()
        torch.cuda.current_stream().wait_stream(stream)

    def _capture(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            self._step()
        return graph

    def evaluated_state(self) -> dict[str, Tensor]:
        """State of the network that counts: the moving average where there is one."""
        return self.average if self.average is not None else _copy_state(self.network)

    def latent_names(self) -> set[str]:
        """Latent weights that keep their signs where they are rounded: not the balanced ones, whose mean rounds too."""
        convs = {name: m for name, m in self.network.named_modules() if isinstance(m, BinaryConv2d)}
        return {f"{name}.weight" for name, conv in convs.items() if conv.weights not in BALANCED}

    def state(self) -> dict:
        state = {"steps": self.steps, "optimizer": self.optimizer.state_dict()}
        return state if self.average is None else state | {"network": _copy_state(self.network)}

    def load_state(self, state: dict, evaluated: dict[str, Tensor]) -> None:
        self.steps = state["steps"]
        self.network.load_state_dict(state.get("network", evaluated))
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate  # loading made a copy, which no schedule would reach
        if self.average is not None:
            for name, value in self.average.items():
                value.copy_(evaluated[name])


def learning_rate(options: Optimizer, step: int, total_steps: int) -> float:
    if step < options.warmup_steps:
        return options.lr * (step + 1) / options.warmup_steps
    progress = (step - options.warmup_steps) / max(1, total_steps - options.warmup_steps)
    return options.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _optimizer(network: nn.Module, options: Optimizer, rate: Tensor, on_gpu: bool) -> torch.optim.Optimizer:
    latent = {id(m.weight) for m in network.modules() if isinstance(m, BinaryConv2d)}
    decayed = [p for p in network.parameters() if p.ndim > 1 and id(p) not in latent]
    rest = [p for p in network.parameters() if p.ndim <= 1 or id(p) in latent]
    groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    if options.kind == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=options.momentum, nesterov=options.nesterov, fused=True)
    return torch.optim.AdamW(groups, lr=rate, betas=options.betas, fused=True, capturable=on_gpu)


def _mixup_shares(recipe: Recipe, device: torch.device) -> Tensor | None:
    """Draws of Beta(α, α) to choose from: a captured graph can index them, but not draw them."""
    alpha = recipe.augmentation.mixup
    if alpha == 0:
        return None
    draws = np.random.default_rng(recipe.seed).beta(alpha, alpha, MIXUP_DRAWS)
    return torch.tensor(draws, dtype=torch.float32, device=device)


def _copy_state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _move_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
