"""Noise that moves: still Gaussian, moving as told, whole on a ring, untouched where nothing is said."""

from __future__ import annotations

import pytest
import torch

from models.video.noise_warping import SHIFTS, SLIDES, TURNS, ZOOMS, draw_warped_noise, trace_pixels

DIRECTIONS = (*SLIDES, *TURNS, *ZOOMS)


def noise(frames: int = 8, side: int = 32) -> torch.Tensor:
    return torch.randn(1, 3, frames, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_it_stays_gaussian_in_every_frame(direction: str) -> None:
    moved = draw_warped_noise(noise(), direction, "normal", torch.Generator().manual_seed(1))
    assert moved.shape == (1, 3, 8, 32, 32)
    for frame in range(8):
        assert float(moved[:, :, frame].mean()) == pytest.approx(0, abs=0.1)
        assert float(moved[:, :, frame].std()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("direction", SLIDES)
def test_what_slides_is_the_same_picture_further_on(direction: str) -> None:
    still = torch.zeros(1, 3, 6, 64, 64)
    moved = draw_warped_noise(still, direction, "normal", torch.Generator().manual_seed(1), share=1.0)[0]
    right, down = SLIDES[direction]
    for frame in range(5):
        assert torch.equal(torch.roll(moved[:, frame], (2 * down, 2 * right), (1, 2)), moved[:, frame + 1])


def test_opposite_ways_are_each_other_backwards() -> None:
    for one, other in (("left", "right"), ("up", "down"), ("clockwise", "counterclockwise")):
        first, second = (
            draw_warped_noise(torch.zeros(1, 1, 5, 32, 32), way, "slow", torch.Generator().manual_seed(3), share=1.0)
            for way in (one, other)
        )
        assert torch.equal(first[:, :, 0], second[:, :, 0]) and not torch.equal(first[:, :, 4], second[:, :, 4])


def test_a_zoom_in_takes_from_nearer_the_middle() -> None:
    row, column = trace_pixels(9, (33, 33), "in", "fast")
    spread = (row - 16).abs().float().mean(dim=(1, 2))
    assert (spread.diff() < 0).all() and (column[-1] - 16).abs().max() < 16


@pytest.mark.parametrize("direction", [*SLIDES, *TURNS])
@pytest.mark.parametrize("speed", ["slow", "normal", "fast"])
def test_a_ring_closes(direction: str, speed: str) -> None:
    """From the last frame to the first it goes on as from any frame to the next."""
    frames = 24
    row, column = trace_pixels(frames, (32, 32), direction, speed, ring=True)
    middle = torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(2))
    clip = middle[:, row, column]

    def likeness(first: int, second: int) -> float:
        return float((clip[:, first] * clip[:, second % frames]).mean())

    seam, elsewhere = likeness(frames - 1, frames), [likeness(at, at + 1) for at in range(frames - 1)]
    assert min(elsewhere) - 0.15 < seam < max(elsewhere) + 0.15


def test_nothing_said_leaves_the_noise_and_the_same_seed_gives_the_same() -> None:
    own = noise()
    assert draw_warped_noise(own, "", "normal", torch.Generator()) is own
    first, second = (draw_warped_noise(own, "left", "fast", torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second) and not torch.equal(first, own)


def test_every_shift_of_the_camera_is_a_way_to_move() -> None:
    assert set(SHIFTS.values()) <= set(DIRECTIONS)
