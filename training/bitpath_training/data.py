"""Pictures and labels. A whole training set is kept on the device as uint8: 100 000 pictures of 64×64 are 1.2 GB."""

import hashlib
import json
import os
import struct
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from .recipe import Data

RECORD = struct.Struct("<HI")  # label, bytes of the picture
EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}
CHUNK = 512


@dataclass(frozen=True)
class Pictures:
    """`images` is uint8 [n, 3, size, size], RGB; `labels` is int64 [n]."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Pictures":
        return Pictures(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> "Pictures":
        return Pictures(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """`holdout` is kept back from the training pictures: choices are made by it, so that `validation` stays a test."""

    pictures: Pictures
    validation: Pictures
    classes: int
    holdout: Pictures | None = None

    @property
    def watched(self) -> Pictures:
        """What a run is measured on while it trains."""
        return self.validation if self.holdout is None else self.holdout


def load_dataset(data: Data, root: Path) -> Dataset:
    ids = [label["id"] for label in load_labels(data, root)]
    pictures, holdout = load_training_pictures(data, root, ids)
    return Dataset(pictures, load_pictures(data.validation, root, data.stored_size, ids), len(ids), holdout)


def load_training_pictures(data: Data, root: Path, ids: list[str]) -> tuple[Pictures, Pictures | None]:
    """What is trained on, and what is held out of it, if anything is."""
    pictures = load_pictures(data.train, root, data.stored_size, ids)
    if data.holdout_per_class == 0:
        return pictures, None
    kept, held = split_holdout(pictures.labels, data.holdout_per_class)
    return pictures.take(kept), pictures.take(held)


def split_holdout(labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Indices of what stays and of `count` pictures of each class, both in order.

    Of the pictures of a class, counted from 0 in the order of the sources, those whose SHA-256 of "label/number" comes first:
    the same on every machine and in every version, and no neighbours, which folders sorted by name would give.
    """
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique().tolist():
        members = (labels == label).nonzero().flatten()
        if len(members) <= count:
            raise ValueError(f"class {label} has {len(members)} pictures: {count} cannot be held out")
        ranked = sorted(range(len(members)), key=lambda i: hashlib.sha256(f"{label}/{i}".encode()).digest())
        held[members[ranked[:count]]] = True
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def load_labels(data: Data, root: Path) -> list[dict[str, str]]:
    """[{"id", "name"}, …] in label order, as a model file has them."""
    if data.classes:
        return [{"id": item["wnid"], "name": item["name"]} for item in json.loads((root / data.classes).read_text())]
    names = sorted(folder.name for folder in (root / data.train[0]).iterdir() if folder.is_dir())
    return [{"id": name, "name": name} for name in names]


def load_pictures(sources: tuple[str, ...], root: Path, size: int, ids: list[str]) -> Pictures:
    """Decodes packs and folders on all cores. Call it before anything touches CUDA: the workers are forks."""
    encoded: list[bytes | Path] = []
    labels: list[int] = []
    for source in sources:
        path = root / source
        read = _read_folder(path, ids) if path.is_dir() else read_pack(path)
        for label, picture in read:
            if not 0 <= label < len(ids):
                raise ValueError(f"{path}: label {label} of {len(ids)} classes")
            labels.append(label)
            encoded.append(picture)
    if not encoded:
        raise ValueError(f"no pictures in {', '.join(sources)} under {root}")
    chunks = [encoded[i : i + CHUNK] for i in range(0, len(encoded), CHUNK)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        decoded = list(pool.map(_decode, chunks, [size] * len(chunks)))
    images = torch.from_numpy(np.concatenate(decoded)).permute(0, 3, 1, 2).contiguous()
    return Pictures(images, torch.tensor(labels))


def read_pack(path: Path) -> list[tuple[int, bytes]]:
    """The (label, encoded picture) pairs of a .bin pack: u32 count, then count × (u16 label, u32 bytes), then the pictures."""
    pack = path.read_bytes()
    (count,) = struct.unpack_from("<I", pack)
    offset = 4 + count * RECORD.size
    pictures = []
    for i in range(count):
        label, size = RECORD.unpack_from(pack, 4 + i * RECORD.size)
        pictures.append((label, pack[offset : offset + size]))
        offset += size
    if offset != len(pack):
        raise ValueError(f"{path}: its records need {offset} bytes, but it has {len(pack)}")
    return pictures


def write_pack(path: Path, pictures: list[tuple[int, bytes]]) -> None:
    records = b"".join(RECORD.pack(label, len(picture)) for label, picture in pictures)
    path.write_bytes(struct.pack("<I", len(pictures)) + records + b"".join(picture for _, picture in pictures))


def _read_folder(path: Path, ids: list[str]) -> list[tuple[int, Path]]:
    pictures = []
    for label, name in enumerate(ids):
        folder = path / name
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in EXTENSIONS) if folder.is_dir() else []
        pictures.extend((label, file) for file in files)
    return pictures


def _decode(pictures: list[bytes | Path], size: int) -> np.ndarray:
    """uint8 [n, size, size, 3]. A picture of another size: shorter side to `size`, centre crop."""
    return np.stack([_square(_open(picture), size) for picture in pictures])


def _open(picture: bytes | Path) -> Image.Image:
    """RGB as the engine decodes it (lib/images/decode.ts): turned as EXIF says, transparency on white."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _square(image: Image.Image, size: int) -> np.ndarray:
    if image.size != (size, size):
        shorter = min(image.size)
        width, height = (side * size // shorter for side in image.size)
        left, top = (round((side - size) / 2) for side in (width, height))  # halves to the even number, as the engine does it
        image = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
    return np.asarray(image)
