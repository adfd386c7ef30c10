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


@pytest.mark.parametrize(("one", "other"), [("left", "right"), ("up", "down"), ("clockwise", "counterclockwise")])
def test_opposite_ways_are_each_other_backwards(one: str, other: str) -> None:
    """On a ring the frames of one way, read backwards from the first, are those of the other."""
    first, second = (torch.stack(trace_pixels(12, (32, 32), way, "slow", ring=True)) for way in (one, other))
    assert torch.equal(first[:, 0], second[:, 0]) and not torch.equal(first[:, 4], second[:, 4])
    alike = (first[:, 1:].flip(1) == second[:, 1:]).float().mean()
    assert alike > 0.98  # but for pixels that lie half-way between two


def test_turns_go_the_way_that_they_are_called() -> None:
    """What comes to the top has been at the left side before, if it turns clockwise."""
    for direction, comes_from in (("clockwise", -1), ("counterclockwise", 1)):
        row, column = trace_pixels(6, (33, 33), direction, "normal")
        top = (column[:, 2, 16] - 16) * comes_from
        assert top[0] == 0 and (top.diff() > 0).all()
        assert (row[0, 2, 16], column[0, 2, 16]) == (2, 16)
        assert (row[:, 16, 16] == 16).all() and (column[:, 16, 16] == 16).all()


def test_zooms_take_from_nearer_the_middle_or_from_farther() -> None:
    for direction, sign in (("in", -1), ("out", 1)):
        _, column = trace_pixels(4, (33, 33), direction, "normal")
        distance = (column[:, 16, 22] - 16).float()
        assert distance[0] == 6 and distance[3] == pytest.approx(6 * 1.04 ** (3 * sign), abs=0.5)
    row, column = trace_pixels(9, (33, 33), "in", "fast")
    spread = (row - 16).abs().float().mean(dim=(1, 2))
    assert (spread.diff() < 0).all() and (column[-1] - 16).abs().max() < 16


@pytest.mark.parametrize("direction", ["right", "clockwise", "in"])
def test_faster_words_move_more(direction: str) -> None:
    moved = []
    for speed in ("slow", "normal", "fast"):
        row, column = trace_pixels(3, (65, 65), direction, speed)
        start = torch.stack([row[0], column[0]]).float()
        moved.append(float((torch.stack([row[2], column[2]]) - start)[:, 20:45, 20:45].abs().mean()))
    assert moved[0] < moved[1] < moved[2]


def test_a_slide_is_as_wide_on_every_size_of_picture() -> None:
    """Two pixels of 64 a frame; on a ring whole rounds, one at least."""
    for side in (32, 64, 128):
        _, column = trace_pixels(5, (side, side), "left", "normal")
        assert int(column[4, 0, 0]) == 8 * side // 64
    for frames, rounds in ((8, 1), (100, 3)):
        _, column = trace_pixels(frames, (64, 64), "left", "normal", ring=True)
        assert int(column[:, 0].diff(dim=0).clamp(min=0)[:, 0].sum()) == pytest.approx(64 * rounds, abs=64 * rounds / 8)
    _, column = trace_pixels(6, (32, 32), "in", "fast", ring=True)
    assert (column == torch.arange(32)).all()  # a zoom has no way back to where it began


def test_only_a_share_moves_and_the_rest_is_ones_own() -> None:
    own = noise()
    still = draw_warped_noise(torch.zeros_like(own), "left", "normal", torch.Generator().manual_seed(1))
    mixed = draw_warped_noise(own, "left", "normal", torch.Generator().manual_seed(1))
    assert torch.allclose(mixed - still, 0.8 * own, atol=1e-6)
    assert float(still.std()) == pytest.approx(0.6, abs=0.02)
    ring = draw_warped_noise(own, "left", "normal", torch.Generator().manual_seed(1), ring=True)
    assert not torch.equal(ring, mixed)


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
