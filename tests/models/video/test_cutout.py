"""Characters are cut out of their paper: what is outside goes, what is inside stays."""

from __future__ import annotations

import numpy as np
import pytest

from models.video.cutout import PAPER, build_sprite_sheet, cut_out, find_paper
from training.video.characters import lay_on_background


def figure() -> np.ndarray:
    """Return a ring with a paper-coloured hole on transparency, uint8 (3, 64, 64, 4), moving to the right."""
    frames = np.zeros((3, 64, 64, 4), np.uint8)
    y, x = np.mgrid[:64, :64]
    for index in range(3):
        distance = np.hypot(y - 32, x - 28 - 2 * index)
        frames[index, distance < 16] = (160, 30, 60, 255)
        frames[index, distance < 6] = (*PAPER, 255)
    return frames


def test_a_figure_comes_back_from_noisy_paper() -> None:
    wanted = figure()
    rng = np.random.default_rng(0)
    seen = lay_on_background(wanted, PAPER).astype(np.float32) + rng.normal(0, 3, (3, 64, 64, 3))
    frames = seen.clip(0, 255).round().astype(np.uint8)
    ground = find_paper(frames)
    assert ground is not None and np.abs(ground - PAPER).max() < 3
    cut = cut_out(frames, ground)
    assert cut.shape == (3, 64, 64, 4)
    assert (cut[..., 3] == wanted[..., 3]).mean() > 0.995
    assert cut[0, 32, 28, 3] == 255  # the enclosed paper stays
    assert not cut[cut[..., 3] == 0].any()


def test_an_edge_that_mixes_with_the_paper_is_parted_again() -> None:
    frames = np.full((1, 16, 16, 3), PAPER, np.uint8)
    frames[0, 4:12, 4:12] = (40, 60, 80)
    frames[0, 4:12, 3] = np.round(0.2 * np.array((40, 60, 80)) + 0.8 * np.array(PAPER))
    cut = cut_out(frames, np.asarray(PAPER, np.float32))
    assert 0 < cut[0, 8, 3, 3] < 255 and cut[0, 8, 8, 3] == 255
    assert cut[0, 8, 3, :3].astype(int).sum() < frames[0, 8, 3].astype(int).sum() - 20  # less paper in it


@pytest.mark.parametrize("colour", [(10, 20, 60), (255, 255, 255)])
def test_other_grounds_are_not_paper(colour: tuple[int, int, int]) -> None:
    assert find_paper(np.full((2, 32, 32, 3), colour, np.uint8)) is None


def test_a_busy_border_is_not_paper() -> None:
    frames = np.full((2, 32, 32, 3), PAPER, np.uint8)
    frames[:, :20] = (80, 140, 200)
    assert find_paper(frames) is None


@pytest.mark.parametrize(("frames", "shape"), [(3, (4, 18)), (8, (4, 48)), (9, (8, 48)), (17, (12, 48))])
def test_a_sheet_holds_all_frames_in_order(frames: int, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(1, 255, (frames, 4, 6, 4)).astype(np.uint8)
    sheet = build_sprite_sheet(pixels)
    assert sheet.shape == (*shape, 4)
    for index, frame in enumerate(pixels):
        row, column = divmod(index, 8)
        assert np.array_equal(sheet[row * 4 : row * 4 + 4, column * 6 : column * 6 + 6], frame)
