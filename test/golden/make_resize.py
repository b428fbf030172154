"""Makes resize.npz: pictures, and what PyTorch's bilinear interpolation makes of them.

    pip install torch numpy && python3 test/golden/make_resize.py

Pictures are made by code. Each case holds `pixels` (uint8, height x width x 3), `geometry` (resized height and width, crop
top, left, height and width), `resized` (float32, the crop of the resized picture, in 0 ... 255) and two wrong answers that a
check must be able to tell from the right one: `align_corners`, and `no_antialias` where the picture shrinks.

No case is one pixel wide after resizing: PyTorch 2.13 repeats rows there (its antialiased kernel misreads the strides of the
narrow picture in between), in float32 and float64 alike.
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F


def gradient(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x + y) % 256], -1).astype(np.uint8)


def checkerboard(height, width, cell):
    y, x = np.mgrid[0:height, 0:width]
    board = (y // cell + x // cell) % 2 * 255
    return np.stack([board, 255 - board, board // 2], -1).astype(np.uint8)


def noise(height, width, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# name: picture, resized height and width, crop top, left, height and width
CASES = {
    "enlarge_twice": (noise(16, 16, 1), 32, 32, 0, 0, 32, 32),
    "enlarge_odd": (gradient(13, 17), 31, 40, 0, 4, 31, 31),
    "same_size": (noise(19, 23, 2), 19, 23, 0, 2, 19, 19),
    "shrink_half": (checkerboard(40, 40, 1), 20, 20, 0, 0, 20, 20),
    "shrink_odd": (noise(61, 47, 3), 32, 24, 5, 0, 22, 24),
    "shrink_a_lot": (noise(90, 121, 4), 9, 12, 0, 1, 9, 9),
    "shrink_board": (checkerboard(55, 83, 3), 21, 31, 0, 5, 21, 21),
    "wide_crop": (gradient(30, 200), 24, 160, 0, 68, 24, 24),
    "tall_crop": (noise(150, 21, 5), 114, 16, 49, 0, 16, 16),
    "shrink_and_enlarge": (noise(12, 80, 6), 30, 33, 3, 7, 20, 24),
    "one_pixel": (noise(1, 1, 7), 8, 6, 1, 1, 5, 4),
    "one_row_out": (noise(20, 30, 8), 1, 2, 0, 0, 1, 2),
}


def resize(pixels, size, **options):
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().contiguous()
    resized = F.interpolate(image, size, mode="bilinear", **options)
    return resized[0].permute(1, 2, 0).numpy()


def main():
    arrays = {}
    for name, (pixels, rows, columns, top, left, height, width) in CASES.items():
        crop = np.s_[top : top + height, left : left + width]
        size = (rows, columns)
        arrays[f"{name}.pixels"] = pixels
        arrays[f"{name}.geometry"] = np.array([rows, columns, top, left, height, width], dtype=np.int32)
        arrays[f"{name}.resized"] = resize(pixels, size, align_corners=False, antialias=True)[crop]
        arrays[f"{name}.align_corners"] = resize(pixels, size, align_corners=True, antialias=True)[crop]
        if rows < pixels.shape[0] or columns < pixels.shape[1]:
            arrays[f"{name}.no_antialias"] = resize(pixels, size, align_corners=False, antialias=False)[crop]
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    np.savez_compressed(pathlib.Path(__file__).with_name("resize.npz"), **arrays)
    print(f"{len(CASES)} cases, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
