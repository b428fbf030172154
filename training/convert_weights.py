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

import numpy as np

from bitpath_training.model_file import REPOSITORY, graph_json, pack_rows, write_model

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


def repack_bits(packed, shape):
    """numpy.packbits of [out, in, kh, kw] -> uint8 [out, ceil(kh*kw*in / 8)] in (kh, kw, in) order, lowest bit first."""
    outputs, inputs, height, width = shape
    bits = np.unpackbits(packed, count=outputs * inputs * height * width)
    return pack_rows(bits.reshape(outputs, inputs, height, width))


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
        provenance |= {"images": 10000, "dataset": "Tiny-ImageNet-200", "recipe": RECIPE, "license": "Apache-2.0"}
        path = arguments.output / f"{facts['name']}.safetensors"
        write_model(
            path,
            tensors,
            name=facts["name"],
            graph=graph_json(facts["architecture"], len(labels), INPUT_SIZE),
            labels=labels,
            input_size=INPUT_SIZE,
            provenance=provenance,
        )
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
