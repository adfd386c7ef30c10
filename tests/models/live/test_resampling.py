"""Resampling in portions."""

from __future__ import annotations

import numpy as np
import pytest

from models.live.resampling import StreamResampler


@pytest.mark.parametrize(("source", "target"), [(48_000, 22_050), (22_050, 48_000), (44_100, 22_050), (16_000, 16_000)])
def test_resampling_in_portions_is_resampling_the_whole(source: int, target: int) -> None:
    from models.audio import resample

    sound = np.random.default_rng(0).standard_normal(source).astype(np.float32)
    resampler = StreamResampler(source, target)
    made, at = [], 0
    for size in (7, 4096, 1, 2048, 333, *[4096] * 20):
        made.append(resampler.push(sound[at : at + size]))
        at += size
    streamed = np.concatenate(made)
    whole = resample(sound, source, target)[: len(streamed)]
    assert len(streamed) > 0.9 * target
    assert np.abs(streamed[: len(whole)] - whole).max() < 1e-4
    with pytest.raises(ValueError, match="rates"):
        StreamResampler(0, 1)
