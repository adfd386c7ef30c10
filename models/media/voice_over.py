"""A voice over music: the music makes room while the voice speaks, and comes back afterwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

DUCKED_DB = -11.0  # of the music under the voice
FADE_S = 0.35
VOICE_OVER_MUSIC_DB = 6.0  # how much louder the voice is than the music as it was
SILENCE = 1e-4


def lay_voice_over(voice: FloatArray, music: FloatArray, rate: int, start_s: float) -> FloatArray:
    """Mix a voice, (n,), into music, (2, m), from `start_s` on; both float32 at `rate` samples in a second.

    Returns:
        float32 (2, max(m, end of the voice)) in [-1, 1].

    Raises:
        ValueError: the voice has no sound.
    """
    if not voice.size or float(np.abs(voice).max()) < SILENCE:
        raise ValueError("There is no voice to lay over the music.")
    start = round(start_s * rate)
    length = max(music.shape[1], start + voice.size)
    under = np.zeros((2, length), dtype=np.float32)
    under[:, : music.shape[1]] = music
    level = _loudness(under[:, start : start + voice.size]) or _loudness(voice)
    said = voice * np.float32(level * 10 ** (VOICE_OVER_MUSIC_DB / 20) / _loudness(voice))
    said *= np.float32(min(1.0, 0.9 / float(np.abs(said).max())))
    mix = under * _room(length, start, start + voice.size, rate)
    mix[:, start : start + voice.size] += said
    peak = float(np.abs(mix).max())
    return mix / np.float32(peak) if peak > 1.0 else mix


def _loudness(samples: FloatArray) -> float:
    """Return the root mean square of what is not silent; 0 where all is."""
    heard = samples[np.abs(samples) > SILENCE]
    return float(np.sqrt(np.mean(heard.astype(np.float64) ** 2))) if heard.size else 0.0


def _room(length: int, start: int, end: int, rate: int) -> FloatArray:
    """Return the gain of the music over time, (length,): lowered from `start` to `end`, with ramps outside."""
    fade = FADE_S * rate
    at = np.arange(length, dtype=np.float32)
    outside = np.maximum(np.maximum(start - at, at - end), 0.0) / fade
    return np.asarray(10 ** (DUCKED_DB * (1.0 - np.minimum(outside, 1.0)) / 20), dtype=np.float32)
