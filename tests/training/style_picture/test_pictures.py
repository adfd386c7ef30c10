"""Pictures of the recipe: told apart by their folders, held out by name, cut to squares, drawn as crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.style_picture import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of small pictures of all kinds."""
    rng = np.random.default_rng(0)
    names = {"art_museum": "abcde", "flowers_a": "abcd", "wallpapers": ["roman-colosseum", "hill"], "styles": "gw"}
    for name, files in names.items():
        (tmp_path / name).mkdir()
        for file in files:
            pixels = rng.integers(0, 255, (40, 100, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{file}.png")
    return tmp_path


def test_kinds_are_told_by_folders_and_some_are_held_out(folder: Path) -> None:
    counts = {name: len(files) for name, files in pictures.sort_files(folder).items()}
    assert counts == {"paintings": 5, "photos": 4, "scenes": 2, "gallery": 2}
    trained = {name: [file.stem for file in files] for name, files in pictures.list_trained(folder).items()}
    assert trained["paintings"] == list("abce") and trained["photos"] == list("abc") and trained["scenes"] == ["hill"]
    assert len(pictures.list_trained(folder, holds_out=False)["paintings"]) == 5
    with pytest.raises(ValueError, match="holds no pictures"):
        pictures.sort_files(folder / "empty")


def test_a_long_picture_becomes_squares_that_cover_it(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8)[None, :, None], (40, 100, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / "ramp.png")
    squares = pictures._read_squares((tmp_path / "ramp.png", 40))
    assert [square.shape for square in squares] == [(40, 40, 3)] * 3
    assert squares[0][0, 0, 0] == 0 and squares[1][0, 0, 0] == 30 and squares[2][0, -1, 0] == 99


def test_crops_come_by_their_shares_in_range_and_the_same_for_a_seed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "SIDES", dict.fromkeys(pictures.SIDES, 32))
    shelf = pictures.load_shelf(pictures.list_trained(folder), patterns=2)
    assert len(shelf.squares["patterns"]) == 2 and shelf.squares["paintings"].shape == (12, 3, 32, 32)
    flat = {name: torch.full_like(squares, value) for value, (name, squares) in enumerate(shelf.squares.items())}
    batch = pictures.SquareShelf(flat).draw({"photos": 0.5, "scenes": 0.5}, 8, 24, torch.Generator().manual_seed(0))
    values = (batch * 255).round().unique(return_counts=True)
    assert batch.shape == (8, 3, 24, 24) and values[1].tolist() == [4 * 3 * 24 * 24] * 2
    draws = [shelf.draw(pictures.STYLE_SHARES, 7, 24, torch.Generator().manual_seed(3)) for _ in "ab"]
    assert torch.equal(*draws) and draws[0].min() >= 0 and draws[0].max() <= 1
