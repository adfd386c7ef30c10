"""Frame interpolation: counts, given frames kept, motion met half-way, loops, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.video.interpolation import interpolate
from models.video.scenes import draw_spec, render


def blend(frames: np.ndarray, factor: int) -> np.ndarray:
    """Mix both neighbours, the baseline; hold the last frame."""
    following = np.concatenate([frames[1:], frames[-1:]]).astype(np.float32)
    parts = [frames + (following - frames) * (step / factor) for step in range(factor)]
    return np.stack(parts, axis=1).reshape(-1, *frames.shape[1:]).round().astype(np.uint8)


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(first.astype(np.float32) - second).mean()))


def moving_disc(frames: int, step: float) -> np.ndarray:
    """Return a soft disc that goes to the right over a soft ground."""
    y, x = np.mgrid[:48, :64].astype(np.float32)
    ground = 60 + 30 * np.sin(x / 9) * np.cos(y / 7)
    made = []
    for index in range(frames):
        inside = np.clip(9.5 - np.hypot(x - 16 - step * index, y - 24), 0, 1)
        made.append(ground + (210 + 20 * np.sin(x - step * index) - ground) * inside)
    return np.stack(made)[..., None].repeat(3, axis=-1).round().astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 4), st.integers(1, 4), st.booleans(), st.integers(4, 30), st.integers(4, 30))
def test_every_size_and_the_given_frames_are_kept(
    frames: int, factor: int, loop: bool, rows: int, columns: int
) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (frames, rows, columns, 3)).astype(np.uint8)
    made = interpolate(clip, factor, loop)
    assert made.shape == (frames * factor, rows, columns, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made[::factor], clip)


def test_a_moving_disc_is_met_half_way_better_than_by_blending() -> None:
    fine = moving_disc(13, 1.5)
    coarse = fine[::3]
    made, plain = interpolate(coarse, 3), blend(coarse, 3)
    between = [index for index in range(12) if index % 3]
    assert psnr(made[between], fine[between]) > psnr(plain[between], fine[between]) + 2


def test_a_loop_runs_from_the_last_frame_to_the_first_and_else_the_last_is_held() -> None:
    clip = moving_disc(3, 2.0)
    held, looped = interpolate(clip, 3), interpolate(clip, 3, loop=True)
    assert np.array_equal(held[:6], looped[:6])
    assert np.array_equal(held[6], held[8])
    assert not np.array_equal(looped[7], looped[6])
    around = interpolate(np.concatenate([clip[2:], clip[:1]]), 3)
    assert np.array_equal(looped[6:9], around[:3])


def test_a_still_clip_stays_still_and_the_world_gains() -> None:
    still = np.repeat(moving_disc(1, 0), 3, axis=0)
    assert np.array_equal(interpolate(still, 3), np.repeat(moving_disc(1, 0), 9, axis=0))
    gains = []
    for kind in ("plasma", "boat", "ink"):
        spec = replace(draw_spec(np.random.default_rng(5), kind), camera="still")
        fine = render(spec, 10, 64, 24.0).frames
        gains.append(psnr(interpolate(fine[::3], 3)[:10], fine) - psnr(blend(fine[::3], 3)[:10], fine))
    assert min(gains) > 0.5


@pytest.mark.parametrize("factor", [0, 1.5, True, 100, "3"])
def test_a_wrong_factor_is_named(factor: object) -> None:
    with pytest.raises(ValueError, match="factor is"):
        interpolate(moving_disc(2, 1), factor)  # type: ignore[arg-type]


def test_no_frames_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="frames are"):
        interpolate(np.zeros((2, 8, 8), np.uint8), 3)
