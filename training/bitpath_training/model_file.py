"""Writes and reads bitpath's model files (safetensors). Needs NumPy, and node for the graphs, which lib/architectures owns."""

import json
import struct
import subprocess
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]


def pack_rows(bits: np.ndarray) -> np.ndarray:
    """[out, in, kh, kw] of 0 and 1 -> uint8 [out, ceil(kh*kw*in / 8)], K in (kh, kw, in) order, lowest bit first."""
    taps = bits.transpose(0, 2, 3, 1).reshape(len(bits), -1)
    return np.packbits(taps, axis=1, bitorder="little")


def preprocessing(input_size: int) -> dict:
    """Shorter side to `input_size`, centre crop. Antialiasing changes nothing where a picture is enlarged."""
    return {
        "resize": {"shorterSide": input_size, "interpolation": "bilinear", "antialias": True},
        "crop": {"height": input_size, "width": input_size},
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
    }


def graph_json(architecture: str, classes: int, input_size: int, join: str = "mean", unit_scale: float = 1.0) -> str:
    """The graph as lib/graph/json.ts writes it; needs `npm run build:ts`."""
    command = ["node", "training/print_graph.mjs", architecture, str(classes), str(input_size), join, str(unit_scale)]
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout


def write_model(
    path: Path, tensors: dict[str, np.ndarray], *, name: str, graph: str, labels: list, input_size: int, provenance: dict
) -> None:
    """`graph` is JSON text; `labels` are [{"id", "name"}, …] in the order of the outputs; `provenance` is flat."""
    metadata = {
        "bitpath.format": "1",
        "bitpath.name": name,
        "bitpath.graph": graph,
        "bitpath.labels": compact_json(labels),
        "bitpath.preprocessing": compact_json(preprocessing(input_size)),
        "bitpath.provenance": compact_json(provenance),
    }
    write_safetensors(path, tensors, metadata)


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """The same bytes as lib/formats/safetensors.ts: larger elements first, then by name; metadata by name."""
    dtypes = {"float32": "F32", "int32": "I32", "uint8": "U8"}
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header = {"__metadata__": dict(sorted(metadata.items()))}
    begin = 0
    for name in names:
        tensor = tensors[name]
        end = begin + tensor.nbytes
        header[name] = {"dtype": dtypes[str(tensor.dtype)], "shape": list(tensor.shape), "data_offsets": [begin, end]}
        begin = end
    text = compact_json(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(tensors[name].astype(tensors[name].dtype.newbyteorder("<")).tobytes())


DTYPES = {"F32": np.float32, "U8": np.uint8, "I32": np.int32}


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors and metadata of a model file."""
    data = path.read_bytes()
    if len(data) < 8:
        raise ValueError(f"{path} is no model file")
    (length,) = struct.unpack_from("<Q", data)
    header, data = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header.pop("__metadata__")
    tensors = {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }
    return tensors, metadata


def compact_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
