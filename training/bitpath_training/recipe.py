"""Recipes: TOML files that say all of a training run but where its data and results lie."""

import dataclasses
import difflib
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Data:
    """Paths are relative to the data folder that the command line names."""

    name: str  # for the model file's provenance
    train: tuple[str, ...]  # .bin packs, or folders of class folders
    validation: tuple[str, ...]
    classes: str = ""  # JSON [{"wnid", "name"}, …] in label order; empty: the sorted names of the class folders
    stored_size: int = 64  # pictures are kept on the device as squares of this many pixels
    holdout_per_class: int = 0  # training pictures of each class that are kept back, to choose by: data.split_holdout


@dataclass(frozen=True)
class Optimizer:
    """AdamW, or SGD with momentum; a linear warm-up, then cosine to 0."""

    kind: typing.Literal["adamw", "sgd"] = "adamw"
    lr: float = 2e-3
    weight_decay: float = 0.0  # of the real-valued weight matrices; latent binary weights, biases and BatchNorms have none
    warmup_steps: int = 500
    betas: tuple[float, float] = (0.9, 0.999)  # of AdamW
    momentum: float = 0.9  # of SGD
    nesterov: bool = True  # of SGD


@dataclass(frozen=True)
class Augmentation:
    """Crops of `crop` of the side and `aspect` (width over height); reflection where one leaves the picture."""

    crop: tuple[float, float] = (0.65, 1.0)
    aspect: tuple[float, float] = (0.87, 1.15)
    flip: bool = True
    mixup: float = 0.0  # α: each picture is mixed with another by a share from Beta(α, α), and so are the labels; 0: none


@dataclass(frozen=True)
class Teacher:
    """Knowledge distillation: weight · T² · KL(teacher ‖ student) at temperature T + (1 - weight) · cross entropy."""

    checkpoint: str = ""  # relative to the folder of runs; empty: none
    temperature: float = 2.0
    weight: float = 0.9


@dataclass(frozen=True)
class Speed:
    """What changes the time a run takes, and results by rounding alone. On the CPU all but `channel_multiple` are off."""

    precision: typing.Literal["bfloat16", "float32"] = "bfloat16"
    compile: bool = True
    cuda_graph: bool = True  # one launch a step: these networks have many small layers
    channel_multiple: int = 8


@dataclass(frozen=True)
class Recipe:
    name: str  # of the run's folder and of the model
    title: str
    network: str  # a name in networks.NETWORKS
    data: Data
    epochs: int
    join: typing.Literal["mean", "sum"] = "mean"
    unit_scale: float = 1.0  # of what every unit adds to its shortcut
    input_size: int = 128
    small_size: int = 96
    small_epochs: int = 0  # the first so many take pictures of small_size, which is cheaper
    weights: typing.Literal["binary", "real"] = "binary"  # real: stage one of two, 1-bit activations with real weights
    start: str = ""  # stage two: a checkpoint whose weights are the first ones, relative to the folder of runs; empty: random
    batch_size: int = 256
    seed: int = 0
    label_smoothing: float = 0.0
    ema_decay: float = 0.0  # of all weights, a step; 0: none
    evaluate_every: int = 5  # epochs; a checkpoint is written then too
    optimizer: Optimizer = field(default_factory=Optimizer)
    augmentation: Augmentation = field(default_factory=Augmentation)
    teacher: Teacher = field(default_factory=Teacher)
    speed: Speed = field(default_factory=Speed)


def load_recipe(path: Path, overrides: typing.Sequence[str] = ()) -> Recipe:
    """Reads a recipe and changes it by TOML lines such as `epochs = 20` and `speed.compile = false`.

    Raises ValueError for a key or a value that it cannot mean.
    """
    values = tomllib.loads(path.read_text())
    for line in overrides:
        _merge(values, tomllib.loads(line))
    return recipe_from_dict(values)


def _merge(values: dict, changes: dict) -> None:
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(values.get(key, {}), dict):
            _merge(values.setdefault(key, {}), change)
        else:
            values[key] = change


def recipe_from_dict(values: dict) -> Recipe:
    recipe = _convert(Recipe, values, "the recipe")
    _check(recipe)
    return recipe


def recipe_to_dict(recipe: Recipe) -> dict:
    return dataclasses.asdict(recipe)


def _check(r: Recipe) -> None:
    sizes = (r.input_size, r.small_size, r.data.stored_size)
    counts = (r.epochs, r.batch_size, r.evaluate_every, *sizes, r.speed.channel_multiple)
    fractions = (r.label_smoothing, r.ema_decay, r.teacher.weight, r.optimizer.momentum)
    ranges = (r.augmentation.crop, r.augmentation.aspect)
    rules = {
        "holdout_per_class must not be below 0": r.data.holdout_per_class >= 0,
        "epochs, batch_size, evaluate_every, sizes of pictures and channel_multiple must be at least 1": min(counts) >= 1,
        "small_epochs must not be below 0": r.small_epochs >= 0,
        "label_smoothing, ema_decay, teacher.weight and momentum must lie within 0 … 1": all(0 <= x <= 1 for x in fractions),
        "augmentation.mixup must not be below 0": r.augmentation.mixup >= 0,
        "optimizer.lr, teacher.temperature and unit_scale must be above 0": min(
            r.optimizer.lr, r.teacher.temperature, r.unit_scale
        )
        > 0,
        "augmentation.crop and augmentation.aspect must be [low, high] above 0": all(0 < a <= b for a, b in ranges),
    }
    for rule, holds in rules.items():
        if not holds:
            raise ValueError(rule)


def _convert(kind: typing.Any, value: typing.Any, where: str) -> typing.Any:
    """`value`, as TOML parses it, as the type `kind`."""
    if dataclasses.is_dataclass(kind):
        return _convert_table(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        if value in arguments:
            return value
        raise ValueError(f"{where}: expected one of {', '.join(arguments)} but received {value!r}")
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis and isinstance(value, list | tuple) else arguments
        if not isinstance(value, list | tuple) or len(value) != len(kinds):
            raise ValueError(f"{where}: expected a list but received {value!r}")
        return tuple(_convert(k, v, where) for k, v in zip(kinds, value, strict=True))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{where}: expected {kind.__name__} but received {value!r}")
    return value


def _convert_table(kind: typing.Any, value: typing.Any, where: str) -> typing.Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected a table but received {value!r}")
    known = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            raise ValueError(f"{where} has no key {key!r}" + (f" (did you mean {close[0]}?)" if close else ""))
    for name, f in known.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and name not in value:
            raise ValueError(f"{where} lacks the key {name!r}")
    hints = typing.get_type_hints(kind)
    return kind(**{key: _convert(hints[key], item, f"{where}, {key}") for key, item in value.items()})
