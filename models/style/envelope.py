"""Spectral envelopes of voices: what the mouth does, without the harmonics of the pitch.

The envelope is CheapTrick's (Morise 2015, "CheapTrick, a spectral envelope estimator for high-quality speech
synthesis", sections 3.1 to 3.3): a window of three periods, a power spectrum averaged over two thirds of the pitch, and
a lifter that takes the harmonics out of its logarithm and gives back what the averaging took. It is kept as its first
cosine coefficients (cepstra), in which it is short and its averages are averages of log magnitudes.

Letters: N samples, T frames, F = n_fft / 2 + 1 frequency bins, Q coefficients.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio import MelConfig

FloatArray = NDArray[np.float32]

COEFFICIENTS = 80
LOW_HZ, HIGH_HZ, NO_PITCH_HZ = 71.0, 600.0, 160.0
"""The window of a lower pitch would not fit; without any pitch the window is that of the last."""
RECOVERY = -0.15
FLOOR = 1e-10


@lru_cache(maxsize=4)
def build_cosine_basis(bins: int, coefficients: int = COEFFICIENTS) -> Tensor:
    """Build the orthonormal cosine transform (Q, F)."""
    angle = math.pi * torch.arange(coefficients)[:, None] * (torch.arange(bins) + 0.5)[None] / bins
    basis = torch.cos(angle) * math.sqrt(2.0 / bins)
    basis[0] /= math.sqrt(2.0)
    return basis


def cepstra_to_log_magnitude(cepstra: Tensor, bins: int) -> Tensor:
    """Turn cepstra (..., Q) into the natural log of magnitude (..., F)."""
    return cepstra @ build_cosine_basis(bins, cepstra.shape[-1])


def fill_gaps(f0: FloatArray) -> FloatArray:
    """Give F0 (T,) a value in every frame: lines across what has no pitch, the first and last value at the ends."""
    voiced = np.flatnonzero(f0)
    if not len(voiced):
        return np.full(len(f0), NO_PITCH_HZ, np.float32)
    filled = np.interp(np.arange(len(f0)), voiced, f0[voiced])
    return np.clip(filled, LOW_HZ, HIGH_HZ).astype(np.float32)


def compute_cepstra(frames: FloatArray, f0: FloatArray, config: MelConfig) -> Tensor:
    """Compute envelopes of frames.

    Args:
        frames: (T, n_fft) samples around each frame's centre, no window.
        f0: pitch of each frame in Hz, (T,), LOW_HZ to HIGH_HZ.

    Returns:
        float32 (T, Q).
    """
    size, rate = config.n_fft, config.sample_rate
    bins, width = size // 2 + 1, rate / size
    place = (np.arange(size) - size // 2)[None] / rate
    hz = f0.astype(np.float64)[:, None]
    window = np.where(np.abs(place) < 1.5 / hz, 0.5 + 0.5 * np.cos(np.pi * place * hz / 1.5), 0.0)
    window /= np.sqrt((window**2).sum(axis=1, keepdims=True))
    windowed = frames * window
    windowed -= window * (windowed.sum(axis=1, keepdims=True) / window.sum(axis=1, keepdims=True))
    power = np.abs(np.fft.rfft(windowed, axis=1)) ** 2 + FLOOR
    power = _average_over_width(_fill_low_end(power, hz / width), hz * (2.0 / 3.0) / width)
    lags = np.arange(bins)[None] * hz / rate
    lifter = np.sinc(lags) * (1 - 2 * RECOVERY + 2 * RECOVERY * np.cos(2 * np.pi * lags))
    cepstrum = np.fft.irfft(np.log(power + FLOOR), axis=1)
    full = np.concatenate([lifter, lifter[:, -2:0:-1]], axis=1)
    log_power = np.fft.rfft(cepstrum * full, axis=1).real
    return torch.from_numpy((0.5 * log_power).astype(np.float32)) @ build_cosine_basis(bins).T


def _interpolate_at(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read rows of values (T, K) between their points at places (T, L)."""
    low = np.clip(places.astype(np.int64), 0, values.shape[1] - 2)
    share = places - low
    return (1 - share) * np.take_along_axis(values, low, 1) + share * np.take_along_axis(values, low + 1, 1)


def _fill_low_end(power: NDArray[np.float64], pitch_bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill power (T, F) below the pitch with what lies above zero, mirrored at the pitch."""
    count = int(pitch_bins.max()) + 1
    mirrored = _interpolate_at(power, np.maximum(pitch_bins - np.arange(count)[None], 0.0))
    low = np.where(np.arange(count)[None] < pitch_bins, mirrored, 0.0)
    return np.concatenate([power[:, :count] + low, power[:, count:]], axis=1)


def _average_over_width(power: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average power (T, F) over a width (T, 1) in bins around each; the ends are mirrored."""
    edge = int(width.max()) + 2
    padded = np.concatenate([power[:, edge:0:-1], power, power[:, -2 : -2 - edge : -1]], axis=1)
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(padded, axis=1)], axis=1)
    centre = np.arange(power.shape[1])[None] + edge + 0.5
    return (_interpolate_at(sums, centre + width / 2) - _interpolate_at(sums, centre - width / 2)) / width
