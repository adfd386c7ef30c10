"""Where people are: nowhere in a sky; any size; edges along those of the picture; a damaged file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelError
from models.style import people


def test_nobody_is_in_a_sky() -> None:
    sky = np.broadcast_to(np.linspace(90, 230, 120)[:, None, None], (120, 160, 3)).astype(np.uint8)
    found = people.find_people(sky)
    assert found.shape == (120, 160, 1) and found.dtype == np.float32 and not found.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (256, 256)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    found = people.find_people(np.full((*size, 3), 128, np.uint8))
    assert found.shape == (*size, 1) and 0 <= found.min() <= found.max() <= 1


def test_a_coarse_edge_goes_along_that_of_the_picture() -> None:
    guide = np.zeros((60, 60), np.float32)
    guide[:, 27:] = 0.8
    ramp = np.clip((np.arange(60) - 20) / 20, 0, 1).astype(np.float32)
    coarse = np.repeat(ramp[None], 60, axis=0)
    sharp = people._filter_along(guide, coarse, 8)
    assert abs(sharp[30, 28] - sharp[30, 25]) > 2 * abs(coarse[30, 28] - coarse[30, 25])


def test_a_damaged_file_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"nothing of the kind")
    monkeypatch.setattr(people, "FILE", tmp_path / "bad.tflite")
    people._load_network.cache_clear()
    with pytest.raises(ModelError, match=r"bad\.tflite is missing or damaged"):
        people.find_people(np.zeros((20, 20, 3), np.uint8))
    people._load_network.cache_clear()
