"""Teachers' clips at another rate and hop, so that networks of another mel convention learn from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.audio import MelConfig, resample
from models.speech.hibari_synthesis import LEAST_F0
from training.speech.teacher_corpus import SpokenClip


def retime_clip(clip: SpokenClip, config: MelConfig) -> SpokenClip:
    """Return a clip at the rate and hop of a mel convention; whole frames, durations by the times of their ends.

    F0 is read at the beginning of each new frame, between the middles of the old ones.
    """
    if (config.sample_rate, config.hop_length) == (clip.rate, clip.hop):
        return clip
    scale = 32767.0 if clip.samples.dtype == np.int16 else 1.0
    samples = resample(clip.samples.astype(np.float32) / scale, clip.rate, config.sample_rate)
    frames = len(samples) // config.hop_length
    ratio = clip.hop / clip.rate * config.sample_rate / config.hop_length  # new frames in an old one
    ends = np.minimum(np.round(np.cumsum(clip.durations) * ratio).astype(np.int64), frames)
    ends[-1] = frames
    at = (np.arange(frames) + 0.5) / ratio - 0.5  # the middles of the new frames, in old frames
    nearest = np.clip(np.round(at).astype(int), 0, len(clip.f0) - 1)
    f0 = clip.f0.astype(np.float32)
    voiced = np.flatnonzero(f0 > 0)
    smooth = np.interp(at, voiced, f0[voiced]) if len(voiced) else np.zeros(frames)
    whole = samples[: frames * config.hop_length]
    return replace(
        clip,
        samples=(np.clip(whole, -1, 1) * 32767).astype(np.int16),
        durations=np.diff(ends, prepend=0),
        f0=np.where(f0[nearest] > 0, smooth, 0.0).astype(np.float32),
        cycles=_read_cycles(clip, np.arange(frames) / ratio),
        rate=config.sample_rate,
        hop=config.hop_length,
    )


def _read_cycles(clip: SpokenClip, at: np.ndarray) -> np.ndarray:
    """Read the share of a period that has passed at times in old frames."""
    cycles = clip.cycles.astype(np.float64)
    if np.isnan(cycles).any():
        return np.full(len(at), np.nan, np.float32)
    hz = np.maximum(clip.f0.astype(np.float64), LEAST_F0)
    expected = 0.5 * (np.concatenate([hz[:1], hz[:-1]]) + hz) * clip.hop / clip.rate
    step = np.diff(cycles, prepend=cycles[0])
    step = step + np.round(expected - step)
    step[0] = 0.0
    return (np.interp(at, np.arange(len(cycles)), cycles[0] + np.cumsum(step)) % 1.0).astype(np.float32)
