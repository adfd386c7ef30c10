"""Loops: windows on a ring, and that the last frame and the first are neighbours like any other two."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from models.video.diffusion import sample
from models.video.seamless_loop import draw_ring_noise, list_ring_windows, make_ring_denoiser


@settings(max_examples=60, deadline=None)
@given(frames=st.integers(1, 40), window=st.integers(1, 10), step=st.integers(0, 50))
def test_windows_cover_the_ring_in_order(frames: int, window: int, step: int) -> None:
    frames, window = 2 * frames, 2 * window
    windows = list_ring_windows(frames, window, 2, step)
    assert windows.shape == (-(-frames // min(window, frames)), min(window, frames))
    assert set(windows.flatten().tolist()) == set(range(frames))
    assert ((windows[:, 1:] - windows[:, :-1]) % frames == 1).all() or windows.shape[1] == 1
    assert (windows[:, 0] % 2 == 0).all()


def test_the_cut_moves_from_step_to_step() -> None:
    starts = {int(list_ring_windows(16, 16, 2, step)[0, 0]) for step in range(8)}
    assert starts == {0, 2, 4, 6, 8, 10, 12, 14}


@pytest.mark.parametrize("frames", [16, 40])
def test_noise_is_gaussian_and_repeats_in_part(frames: int) -> None:
    noise = draw_ring_noise((1, 3, frames, 32, 32), 16, torch.Generator().manual_seed(0))
    assert abs(float(noise.mean())) < 0.01 and abs(float(noise.std()) - 1) < 0.01
    if frames > 16:
        alike = float((noise[:, :, 3] * noise[:, :, 19]).mean())
        assert 0.4 < alike < 0.6 and abs(float((noise[:, :, 3] * noise[:, :, 18]).mean())) < 0.1


def smooth(clips: Tensor, t: float, known: Tensor) -> Tensor:
    """Return a denoiser of windows that makes neighbours alike, and knows nothing beyond its window's ends."""
    n, c, w, r, s = clips.shape
    lines = clips.permute(0, 1, 3, 4, 2).reshape(-1, 1, w)
    padded = F.pad(lines, (2, 2), mode="replicate")
    blurred = F.avg_pool1d(padded, 5, stride=1)
    return (t * lines + (1 - t) * blurred).reshape(n, c, r, s, w).permute(0, 1, 4, 2, 3)


def steps_between(clip: Tensor) -> tuple[float, np.ndarray]:
    """Mean change from the last frame to the first, and from each to the next."""
    frames = clip[0]
    changes = (frames[:, 1:] - frames[:, :-1]).abs().mean(dim=(0, 2, 3)).numpy()
    return float((frames[:, 0] - frames[:, -1]).abs().mean()), changes


@pytest.mark.parametrize("frames", [16, 40])
def test_last_and_first_are_neighbours_like_any(frames: int) -> None:
    random = torch.Generator().manual_seed(1)
    noise = torch.randn((1, 3, frames, 8, 8), generator=random)
    known = torch.zeros(1, frames, dtype=torch.bool)
    ring = list(sample(make_ring_denoiser(smooth, 16, 2, known), noise, 12))[-1]
    seam, changes = steps_between(ring)
    assert seam < 1.3 * changes.mean()
    assert changes.max() < 1.6 * changes.mean()  # nor is there a seam between two windows
    line = list(sample(lambda z, t: smooth(z, t, known), noise, 12))[-1]
    seam, changes = steps_between(line)
    assert seam > 1.8 * changes.mean()
