"""Crops, the served view, and packs."""

from io import BytesIO

import numpy as np
import pytest
import torch
from node import needs_bitpath, run_node
from PIL import Image

from bitpath_training.data import load_labels, load_pictures, read_pack, write_pack
from bitpath_training.pictures import centre_view, normalise, random_crops
from bitpath_training.recipe import Augmentation, Data


@pytest.mark.parametrize(("stored", "size"), [(8, 16), (12, 18)])
def test_a_crop_of_everything_is_the_served_view(stored, size):
    images = torch.randint(0, 256, (3, 3, stored, stored), dtype=torch.uint8)
    whole = random_crops(images, size, Augmentation(crop=(1, 1), aspect=(1, 1), flip=False))
    served = centre_view(images, size)
    assert served.shape == whole.shape == (3, 3, size, size)
    assert (whole - served).abs().max() <= 1  # the two sum in another order, so a tie may round the other way
    assert torch.equal(served, served.round()) and served.min() >= 0 and served.max() <= 255


def test_crops_are_8_bit_and_differ():
    torch.manual_seed(0)
    image = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8).expand(6, -1, -1, -1)
    crops = random_crops(image, 16, Augmentation())
    assert torch.equal(crops, crops.round()) and crops.min() >= 0 and crops.max() <= 255
    assert len(torch.unique(crops, dim=0)) == 6


def test_flip_is_a_mirror():
    image = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
    views = random_crops(image, 16, Augmentation(crop=(1, 1), aspect=(1, 1)))
    plain = centre_view(image, 16)
    same = ((views - plain).abs().amax((1, 2, 3)) <= 1).sum().item()
    mirrored = ((views.flip(3) - plain).abs().amax((1, 2, 3)) <= 1).sum().item()
    assert same + mirrored == 40 and same > 0 and mirrored > 0


def test_normalise():
    levels = torch.zeros(1, 3, 1, 2)
    levels[..., 1] = 255
    expected = [[-0.485 / 0.229, 0.515 / 0.229], [-0.456 / 0.224, 0.544 / 0.224], [-0.406 / 0.225, 0.594 / 0.225]]
    torch.testing.assert_close(normalise(levels)[0, :, 0], torch.tensor(expected))


def bytes_of(image, kind="PNG", **options):
    encoded = BytesIO()
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def test_pictures_are_seen_as_the_engine_sees_them(tmp_path):
    """Turned as EXIF says; transparency on white; the middle cut out by the engine's rule."""
    turned = Image.new("RGB", (8, 16), (200, 0, 0))
    turned.paste((0, 0, 200), (0, 8, 8, 16))
    exif = Image.Exif()
    exif[0x112] = 6  # a quarter turn to the right: its lower half comes to the left
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([10, 200, 30])
    half = Image.new("LA", (8, 8), (55, 51))
    wide = Image.fromarray(np.arange(11, dtype=np.uint8)[None].repeat(8, 0) * 20)
    pack = [
        bytes_of(turned, "JPEG", exif=exif, quality=95),
        bytes_of(clear),
        bytes_of(palette, transparency=0),
        bytes_of(half),
        bytes_of(wide),
    ]
    write_pack(tmp_path / "a.bin", [(0, picture) for picture in pack])
    images = load_pictures(("a.bin",), tmp_path, 8, ["one"]).images.permute(0, 2, 3, 1).int()
    assert images[0, 4, 0].tolist()[2] > 150 and images[0, 4, 7].tolist()[0] > 150
    assert images[1, 4, 4].tolist() == images[2, 4, 4].tolist() == [255] * 3
    assert images[3, 4, 4].tolist() == [215] * 3
    assert images[4, 0, :, 0].tolist() == [20 * i for i in range(2, 10)]  # half of a margin of 3: to the even one


@needs_bitpath
def test_the_engine_decodes_to_the_same_pixels(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 8
    random = np.random.default_rng(0)
    opaque, clear = (Image.fromarray(random.integers(0, 256, (8, 8, channels), np.uint8)) for channels in (3, 4))
    pictures = {"turned.webp": bytes_of(opaque, "WEBP", exif=exif, lossless=True), "clear.png": bytes_of(clear)}
    (tmp_path / "one").mkdir()
    for name, encoded in pictures.items():
        (tmp_path / "one" / name).write_bytes(encoded)
    ours = load_pictures((tmp_path.name,), tmp_path.parent, 8, ["one"]).images.permute(0, 2, 3, 1).int().numpy()
    script = """
    import { decodeImage } from '#lib/images/decode.js';
    const decoded = await Promise.all(process.argv.slice(1).map((path) => decodeImage(path)));
    console.log(JSON.stringify(decoded.map(({ pixels }) => [...pixels])));
    """
    theirs = run_node(script, *(str(tmp_path / "one" / name) for name in sorted(pictures)))
    assert np.abs(ours - np.array(theirs).reshape(ours.shape)).max() <= 1  # the two blend with other roundings


def test_what_the_engine_cannot_read_is_not_trained_on(tmp_path):
    (tmp_path / "folder" / "one").mkdir(parents=True)
    for kind in ("BMP", "PNG"):
        (tmp_path / "folder" / "one" / f"a.{kind.lower()}").write_bytes(bytes_of(Image.new("RGB", (8, 8)), kind))
    assert len(load_pictures(("folder",), tmp_path, 8, ["one"])) == 1


def test_packs_and_folders(tmp_path):
    ids = ["one", "two"]
    colours = [(200, 10, 30), (5, 100, 250), (90, 90, 90)]
    pack = []
    for i, colour in enumerate(colours):
        image = Image.new("RGB", (12, 8) if i == 1 else (8, 8), colour)
        encoded = BytesIO()
        image.save(encoded, "PNG")
        pack.append((i % 2, encoded.getvalue()))
        (tmp_path / "folder" / ids[i % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / ids[i % 2] / f"{i}.png").write_bytes(encoded.getvalue())
    write_pack(tmp_path / "a.bin", pack)
    assert read_pack(tmp_path / "a.bin") == pack

    for source, order in (("a.bin", [0, 1, 2]), ("folder", [0, 2, 1])):
        pictures = load_pictures((source,), tmp_path, 8, ids)
        assert pictures.images.shape == (3, 3, 8, 8) and pictures.images.dtype == torch.uint8
        assert pictures.labels.tolist() == [i % 2 for i in order]
        assert np.array_equal(pictures.images[:, :, 4, 4].numpy(), [colours[i] for i in order])

    named = load_labels(Data("d", ("folder",), ("folder",)), tmp_path)
    assert named == [{"id": "one", "name": "one"}, {"id": "two", "name": "two"}]

    (tmp_path / "short.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"short\.bin"):
        read_pack(tmp_path / "short.bin")
    with pytest.raises(ValueError, match="label 1 of 1 classes"):
        load_pictures(("a.bin",), tmp_path, 8, ids[:1])
