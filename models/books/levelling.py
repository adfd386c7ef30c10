"""Sentences made even: cut to what is heard, as loud as one another, without a peak or a click.

Loudness is that of ITU-R BS.1770, by pyloudnorm; a true peak is that of the sound at four times its rate.

Letters: n samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

TARGET_LUFS = -19.0  # of one channel, as audiobooks are made
CEILING_DB = -2.0  # of true peaks; MP3 and AAC add up to a decibel
OVERSAMPLING = 4
GATE_BLOCK_S = 0.4
QUIET_DB = -45.0  # under the loudest moment: where a sentence begins and ends
KEPT_S = 0.03  # of what lies before and behind it
FADE_S = 0.008
LOOK_AHEAD_S = 0.004
FRAME_S = 0.01
SILENT = 1e-4


def finish_sentence(samples: FloatArray, sample_rate: int) -> tuple[FloatArray, float]:
    """Return a sentence (n,) cut, levelled, limited and faded, and how many seconds were cut before it."""
    samples = np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    start, end = find_sound(samples, sample_rate)
    heard = samples[start:end]
    if not heard.size:
        return np.zeros(0, np.float32), start / sample_rate
    level = measure_loudness(heard, sample_rate)
    gain = 10.0 ** ((TARGET_LUFS - level) / 20.0) if np.isfinite(level) else 1.0
    return fade(limit_peaks(heard * np.float32(gain), sample_rate), sample_rate), start / sample_rate


def find_sound(samples: FloatArray, sample_rate: int) -> tuple[int, int]:
    """Return where sound begins and ends; (0, 0) where nothing is heard."""
    width = max(1, round(FRAME_S * sample_rate))
    count = -(-samples.size // width)
    if not count:
        return 0, 0
    padded = np.zeros(count * width, np.float32)
    padded[: samples.size] = samples
    levels = np.sqrt(np.mean(np.square(padded.reshape(count, width), dtype=np.float64), axis=1))
    if levels.max() < SILENT:
        return 0, 0
    loud = np.flatnonzero(levels > levels.max() * 10.0 ** (QUIET_DB / 20.0))
    kept = round(KEPT_S * sample_rate)
    return max(0, int(loud[0]) * width - kept), min(samples.size, (int(loud[-1]) + 1) * width + kept)


def measure_loudness(samples: FloatArray, sample_rate: int) -> float:
    """Return the gated loudness of sound (n,) in LUFS; -inf for silence. Short sounds are measured as they are."""
    import pyloudnorm

    block_s = min(GATE_BLOCK_S, 0.9 * samples.size / sample_rate)
    if block_s < 0.02:
        return float("-inf")
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(sample_rate, block_size=block_s).integrated_loudness(samples.astype(np.float64)))


def true_peaks(samples: FloatArray) -> FloatArray:
    """Return the peak of each sample's surroundings at OVERSAMPLING times the rate, (n,)."""
    from scipy.signal import resample_poly

    fine = np.abs(resample_poly(samples.astype(np.float64), OVERSAMPLING, 1))
    at = fine[: samples.size * OVERSAMPLING].reshape(samples.size, OVERSAMPLING).max(axis=1)
    return np.maximum(at, np.abs(samples)).astype(np.float32)


def limit_peaks(samples: FloatArray, sample_rate: int, ceiling_db: float = CEILING_DB) -> FloatArray:
    """Return sound (n,) without true peaks over the ceiling; the gain gives way before a peak and returns after it."""
    from scipy.ndimage import minimum_filter1d

    ceiling = 10.0 ** (ceiling_db / 20.0)
    reach = max(1, round(LOOK_AHEAD_S * sample_rate))
    for _ in range(3):  # a gain that moves adds a little above what it took away
        peaks = true_peaks(samples)
        if float(peaks.max(initial=0.0)) <= ceiling:
            break
        wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
        window = np.hanning(2 * reach + 1)
        held = np.pad(minimum_filter1d(wanted, 2 * reach + 1, mode="nearest"), reach, mode="edge")
        samples = (samples * np.convolve(held, window / window.sum(), mode="valid")).astype(np.float32)
    return np.clip(samples, -ceiling, ceiling).astype(np.float32)


def fade(samples: FloatArray, sample_rate: int) -> FloatArray:
    """Return sound (n,) that begins and ends at nothing, so that no join clicks."""
    count = min(round(FADE_S * sample_rate), samples.size // 2)
    if not count:
        return samples
    faded = samples.copy()
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)
    faded[:count] *= ramp
    faded[-count:] *= ramp[::-1]
    return faded
