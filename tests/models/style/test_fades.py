"""Fades from and to black: their light, and frames that are brought up and back."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.media.clip_info import probe
from models.style.fades import FadeReader, lift, lower


def read_shares(levels: list[int], folder: Path) -> list[float]:
    """Write a clip of plain frames, 20 a second, and return the share of the light of each."""
    frames = [Image.new("RGB", (32, 24), (level, level, level)) for level in levels]
    path = folder / "clip.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    reader = FadeReader(str(path), probe(path))
    try:
        return [reader.measure_next() for _ in levels]
    finally:
        reader.close()


def test_a_fade_is_told_from_a_dark_scene(tmp_path: Path) -> None:
    rise = [0, 5, 10, 20, 40, 60, 80, 100, 120, 130, 130, 130, 130]
    fade = read_shares(rise, tmp_path)
    assert fade[0] == 0 and fade[-1] == 1
    assert fade == pytest.approx([level / 130 for level in rise], abs=0.05)
    assert read_shares(rise[::-1], tmp_path) == pytest.approx(fade[::-1], abs=0.05)
    for level in (30, 90):
        assert read_shares([level, level + 1] * 3, tmp_path) == [1] * 6
    after_a_cut = read_shares([200, 201, 120, 100, 80, 60, 40, 20, 10, 5, 0], tmp_path)
    assert after_a_cut[:3] == [1, 1, 1]
    assert after_a_cut[-1] == 0 and all(a > b for a, b in itertools.pairwise(after_a_cut[3:]))


def test_what_becomes_brighter_without_black_does_not_fade(tmp_path: Path) -> None:
    """A lamp is turned up in a room: the painting of the dark room must not become dimmer before."""
    lit = [60] * 8 + list(range(60, 240, 15)) + [240] * 4
    assert read_shares(lit, tmp_path) == [1] * len(lit)
    assert read_shares(lit[::-1], tmp_path) == [1] * len(lit)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.13, 0.01, 0.0])
def test_what_is_lifted_comes_back(share: float) -> None:
    source = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    lifted = lift(source, share)
    assert lifted.dtype == np.uint8 and lifted.mean() >= source.mean()
    back = lower(np.asarray(lifted / 255, dtype=np.float32), lifted, source, share)
    assert np.array_equal(np.round(255 * back), source)


def test_nothing_is_painted_on_black() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert not lower(np.ones((4, 4, 3), np.float32), lift(black, 0.0), black, 0.0).any()
