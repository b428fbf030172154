"""What is held out of the training pictures."""

import dataclasses
from io import BytesIO

import pytest
import torch
from PIL import Image

from bitpath_training.data import load_dataset, split_holdout, write_pack
from bitpath_training.recipe import Data


def test_so_many_of_each_class_and_the_same_each_time():
    torch.manual_seed(0)
    labels = torch.arange(600) % 3
    labels = labels[torch.randperm(600)]
    kept, held = split_holdout(labels, 20)
    assert labels[held].bincount().tolist() == [20, 20, 20] and len(kept) == 540
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(600))
    assert all(torch.equal(a, b) for a, b in zip((kept, held), split_holdout(labels, 20), strict=True))
    # More hold-out holds the same and more; other classes do not matter.
    assert set(held.tolist()) < set(split_holdout(labels, 30)[1].tolist())
    only = labels == 1
    assert torch.equal(only.nonzero().flatten()[split_holdout(labels[only], 20)[1]], held[labels[held] == 1])
    with pytest.raises(ValueError, match="200 cannot be held out"):
        split_holdout(labels, 200)


def test_the_split_is_this_one():
    """Results in the repository were made with it."""
    held = split_holdout(torch.zeros(500, dtype=torch.long), 50)[1]
    assert held[:8].tolist() == EXPECTED


EXPECTED = [10, 16, 31, 46, 74, 82, 87, 92]


def test_a_data_set_with_holdout(tmp_path):
    pack = []
    for i in range(12):
        encoded = BytesIO()
        Image.new("RGB", (8, 8), (20 * i, 0, 0)).save(encoded, "PNG")
        pack.append((i % 2, encoded.getvalue()))
    write_pack(tmp_path / "all.bin", pack)
    (tmp_path / "classes.json").write_text('[{"wnid": "a", "name": "a"}, {"wnid": "b", "name": "b"}]')
    data = Data("d", ("all.bin",), ("all.bin",), "classes.json", 8)
    whole = load_dataset(data, tmp_path)
    assert whole.holdout is None and whole.watched is whole.validation and len(whole.pictures) == 12
    split = load_dataset(dataclasses.replace(data, holdout_per_class=2), tmp_path)
    assert (len(split.pictures), len(split.holdout), len(split.validation)) == (8, 4, 12) and split.watched is split.holdout
    reds = [set(p.images[:, 0, 4, 4].tolist()) for p in (split.pictures, split.holdout)]
    assert not reds[0] & reds[1] and len(reds[0] | reds[1]) == 12
