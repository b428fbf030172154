"""Converts trained weights (NumPy .npz) into bitpath model files (safetensors).

    npm run build:ts
    python3 training/convert_weights.py --weights ../shared/weights --classes ../shared/data/tiny-imagenet-200/classes.json

needs NumPy, and node for the graphs, which lib/architectures owns. It writes every network listed in NETWORKS to models/.

The .npz has PyTorch's names, and three arrays for a 1-bit convolution's weight P: P.bits (numpy.packbits of the flattened
[out, in, kh, kw], most significant bit first), P.shape and P.scale. A model file has `<layer>.bits`: for each output channel a
row of bytes with K in (kh, kw, in) order, least significant bit first, the spare bits of the last byte zero; and
`<layer>.scale`.
"""

import argparse
import json
import pathlib
import struct
import subprocess

import numpy as np

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
INPUT_SIZE = 128

RECIPE = (
    "20 epochs at 128x128, one seed; AdamW 2e-3, cosine, 500 steps of warm-up, batch 256, bf16; ApproxSign activations, "
    "sign(w)*mean|w| weights, straight-through; random crops and flips"
)

# Accuracies: PyTorch, float32, on the 10,000 validation images.
NETWORKS = {
    "bireal18_64": {
        "name": "bireal-resnet18-64-tiny-imagenet",
        "architecture": "bireal-resnet18-64",
        "title": "Bi-Real ResNet18(64), Tiny-ImageNet-200",
        "top1": 39.31,
        "top5": 65.86,
    },
    "igp21_53m": {
        "name": "igp-resnet21-53-tiny-imagenet",
        "architecture": "igp-resnet21-53",
        "title": "IGP-ResNet21(53), Tiny-ImageNet-200",
        "top1": 40.15,
        "top5": 66.52,
    },
}

# Training pictures had 64x64 pixels and were enlarged; antialiasing makes no difference there, and is right for photographs.
PREPROCESSING = {
    "resize": {"shorterSide": INPUT_SIZE, "interpolation": "bilinear", "antialias": True},
    "crop": {"height": INPUT_SIZE, "width": INPUT_SIZE},
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}


def repack_bits(packed, shape):
    """numpy.packbits of [out, in, kh, kw] -> uint8 [out, ceil(kh*kw*in / 8)] in (kh, kw, in) order, lowest bit first."""
    outputs, inputs, height, width = shape
    bits = np.unpackbits(packed, count=outputs * inputs * height * width)
    taps = bits.reshape(outputs, inputs, height, width).transpose(0, 2, 3, 1).reshape(outputs, -1)
    return np.packbits(taps, axis=1, bitorder="little")


def read_tensors(path):
    """The tensors of a model file by name."""
    tensors = {}
    with np.load(path) as arrays:
        for name in arrays.files:
            layer = name.removesuffix(".weight.bits")
            if layer != name:
                shape = arrays[f"{layer}.weight.shape"]
                tensors[f"{layer}.bits"] = repack_bits(arrays[name], shape)
                tensors[f"{layer}.scale"] = arrays[f"{layer}.weight.scale"]
            elif not name.endswith((".weight.shape", ".weight.scale", ".num_batches_tracked")):
                tensors[name] = arrays[name]
    return tensors


def write_safetensors(path, tensors, metadata):
    """The same bytes as lib/formats/safetensors.ts: larger elements first, then by name; metadata by name."""
    dtypes = {"float32": "F32", "uint8": "U8"}
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


def compact_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def graph_json(architecture, classes):
    command = ["node", "training/print_graph.mjs", architecture, str(classes), str(INPUT_SIZE)]
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="folder of the .npz files")
    parser.add_argument("--classes", type=pathlib.Path, required=True, help="classes.json: [{wnid, name}, ...] in label order")
    parser.add_argument("--output", type=pathlib.Path, default=REPOSITORY / "models", help="default: models/")
    arguments = parser.parse_args()

    labels = [{"id": label["wnid"], "name": label["name"]} for label in json.loads(arguments.classes.read_text())]
    arguments.output.mkdir(parents=True, exist_ok=True)
    for weights, facts in NETWORKS.items():
        tensors = read_tensors(arguments.weights / f"{weights}.npz")
        provenance = {key: facts[key] for key in ("title", "architecture", "top1", "top5")}
        provenance |= {"images": 10000, "dataset": "Tiny-ImageNet-200", "recipe": RECIPE}
        metadata = {
            "bitpath.format": "1",
            "bitpath.name": facts["name"],
            "bitpath.graph": graph_json(facts["architecture"], len(labels)),
            "bitpath.labels": compact_json(labels),
            "bitpath.preprocessing": compact_json(PREPROCESSING),
            "bitpath.provenance": compact_json(provenance),
        }
        path = arguments.output / f"{facts['name']}.safetensors"
        write_safetensors(path, tensors, metadata)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
