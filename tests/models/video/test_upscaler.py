"""The upscaler: sizes, portions, baseline, bad input, and its recipe."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.video.upscaler import Upscaler, UpscalerConfig, UpscalerNetwork, enlarge_bicubic, soften


def upscaler() -> Upscaler:
    """Return a tiny one whose weights are all random."""
    torch.manual_seed(0)
    network = UpscalerNetwork(UpscalerConfig.debug())
    torch.nn.init.normal_(network.leave.weight, std=0.02)
    return Upscaler(network)


def noise(frames: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, rows, columns, 3)).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5), st.integers(4, 40), st.integers(4, 40))
def test_every_size_becomes_four_times_as_large_and_portions_do_not_matter(
    frames: int, rows: int, columns: int
) -> None:
    model, clip = upscaler(), noise(frames, rows, columns)
    whole = model.upscale(clip)
    assert whole.shape == (frames, 4 * rows, 4 * columns, 3)
    assert whole.dtype == np.uint8
    single = [model.upscale(clip[i : i + 1]) for i in range(frames)]
    if single:
        assert np.abs(np.concatenate(single).astype(int) - whole).max() <= 1


def test_a_plain_picture_stays_plain_and_an_untrained_network_is_bicubic() -> None:
    model = Upscaler(UpscalerNetwork(UpscalerConfig.debug()))
    grey = np.full((1, 8, 8, 3), 90, np.uint8)
    assert (model.upscale(grey) == 90).all()
    clip = noise(1, 8, 8)
    plain = (
        enlarge_bicubic(torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255).mul(255).round().clamp(0, 255).byte()
    )
    assert np.array_equal(model.upscale(clip), plain.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((1, 2, 8, 3), np.uint8), "clip"]
)
def test_what_is_no_clip_is_refused_in_a_sentence(frames: object) -> None:
    with pytest.raises(ValueError, match="frames are"):
        upscaler().upscale(frames)  # type: ignore[arg-type]


def test_softening_takes_the_grid_and_leaves_the_picture() -> None:
    slope = np.broadcast_to(np.linspace(40, 200, 64), (64, 64))
    checks = np.where((np.indices((64, 64)).sum(axis=0)) % 2, 12.0, -12.0)
    clean, spoilt = (np.repeat(plane[None, ..., None], 3, axis=3).astype(np.uint8) for plane in (slope, slope + checks))
    inside = np.s_[:, 4:-4, 4:-4]
    left = np.abs(soften(spoilt).astype(int) - soften(clean))[inside].mean()
    assert left < 3
    assert np.abs(soften(clean).astype(int) - clean)[inside].max() <= 2
