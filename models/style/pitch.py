"""Pitch without a network: YIN finds it, pitch-synchronous overlap-add moves it and leaves the formants in place.

The fundamental frequency comes from the cumulative mean normalised difference (de Cheveigne and Kawahara 2002, "YIN, a
fundamental frequency estimator for speech and music", sections II.B to II.E). `PitchMover` takes grains of two periods
and lays them down again at another distance (Moulines and Charpentier 1990), piece by piece: the result does not depend
on how the sound comes in. What has no pitch passes through unchanged.

Letters: N samples, T frames; frame t is centred on sample t * hop_length.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

LOW_HZ, HIGH_HZ = 60.0, 600.0
WINDOW = 1024
ABSOLUTE_THRESHOLD = 0.15
VOICED_BELOW = 0.25
SILENT_BELOW_DB = -60.0
MEDIAN_FRAMES = 5
UNVOICED_STEP = 128
"""Distance of the grains where there is no pitch, in samples."""
LEVEL_S, MOST_LEVEL = 0.04, 4.0
STEADY_CENTS, STEADY_SHARE = 8.0, 0.8
"""Of six voices at most 0.6 of the frames are so steady, of 20 instruments at least 0.95."""


def count_yin_reach(sample_rate: int) -> int:
    """Count the samples to either side of a frame's centre that its pitch depends on, before the median."""
    return (WINDOW + math.ceil(sample_rate / LOW_HZ) + 2) // 2 + 1


def run_yin(frames: FloatArray, sample_rate: int) -> NDArray[np.float32]:
    """Return F0 in Hz of frames (T, 2 * count_yin_reach), 0 where there is none."""
    longest = math.ceil(sample_rate / LOW_HZ) + 1
    shortest = int(sample_rate / HIGH_HZ)
    x = frames[:, : WINDOW + longest].astype(np.float64)
    size = 2048
    head = np.fft.rfft(x[:, :WINDOW], size)
    correlation = np.fft.irfft(np.fft.rfft(x, size) * head.conj(), size)[:, : longest + 1]
    squares = np.concatenate([np.zeros((len(x), 1)), np.cumsum(x**2, axis=1)], axis=1)
    lags = np.arange(longest + 1)
    energy = squares[:, np.minimum(lags + WINDOW, x.shape[1])] - squares[:, lags]
    difference = np.maximum(energy[:, :1] + energy - 2 * correlation, 0.0)
    total = np.cumsum(difference[:, 1:], axis=1)
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] * lags[1:] / np.maximum(total, 1e-12)
    inner = normal[:, shortest:longest]
    dips = (inner <= normal[:, shortest - 1 : longest - 1]) & (inner <= normal[:, shortest + 1 : longest + 1])
    first_dip = dips & (inner < ABSOLUTE_THRESHOLD)
    lag = shortest + np.where(first_dip.any(axis=1), first_dip.argmax(axis=1), inner.argmin(axis=1))
    rows = np.arange(len(x))
    a, b, c = (normal[rows, np.clip(lag + k, 0, longest)] for k in (-1, 0, 1))
    curve = a - 2 * b + c
    shift = np.where(curve > 1e-9, 0.5 * (a - c) / np.where(curve > 1e-9, curve, 1.0), 0.0)
    level_db = 10 * np.log10(energy[:, 0] / WINDOW + 1e-12)
    voiced = (b < VOICED_BELOW) & (level_db > SILENT_BELOW_DB)
    return np.where(voiced, sample_rate / (lag + np.clip(shift, -0.5, 0.5)), 0.0).astype(np.float32)


def smooth_by_median(f0: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the median over MEDIAN_FRAMES frames (T,), so that a single wrong octave or gap is gone."""
    half = MEDIAN_FRAMES // 2
    padded = np.pad(f0, half)
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_FRAMES), axis=-1).astype(np.float32)


def find_typical_pitch(f0: NDArray[np.float32], least_share: float = 0.15) -> float:
    """Return the median F0 in Hz over the voiced frames; 0 where fewer than this share of the frames are voiced."""
    voiced = f0[f0 > 0]
    if not len(f0) or len(voiced) < max(3, least_share * len(f0)):
        return 0.0
    return float(np.exp(np.median(np.log(voiced))))


def holds_notes(f0: NDArray[np.float32]) -> bool:
    """Tell whether the pitch (T,) stays from frame to frame, as of an instrument; a speaking voice's glides."""
    both = (f0[1:] > 0) & (f0[:-1] > 0)
    if both.sum() < 10:
        return False
    cents = np.abs(1200 * np.log2(f0[1:][both] / f0[:-1][both]))
    return float((cents < STEADY_CENTS).mean()) > STEADY_SHARE


class PitchMover:
    """A voice's pitch times `ratio`; as many samples come out as go in, later, and as loud.

    Grains that lie apart leave gaps, and grains that crowd cancel: the level follows that of the input.

    Args:
        ratio: new pitch over old, may be changed between pushes.
    """

    def __init__(self, ratio: float, sample_rate: int, hop_length: int) -> None:
        self.ratio, self.rate, self.hop = ratio, sample_rate, hop_length
        self.longest = math.ceil(sample_rate / LOW_HZ) + 1
        self._x = np.zeros(self.longest, np.float32)  # input from self._x_from on; before sample 0 there is silence
        self._x_from = -self.longest
        self._f0 = np.zeros(0, np.float32)  # of frames from self._f0_from on
        self._f0_from = 0
        self._received = 0
        self._end: int | None = None
        self._epochs: list[tuple[int, int, bool]] = []  # place, period, voiced; those still of use
        self._place = 0.0  # of the next grain in the output
        self._y = np.zeros(0, np.float32)  # output from self._emitted on, not yet final
        self._weight = np.zeros(0, np.float32)
        self._emitted = 0
        self._heard = np.zeros(0, np.float32)  # input from self._emitted on
        self._power = np.zeros((2, 1))  # states of the filters that follow the power of input and output

    @property
    def delay_samples(self) -> int:
        """Return how many samples at most are held back while more are to come."""
        return 4 * self.longest + 2 * self.hop

    def push(self, samples: FloatArray, f0: NDArray[np.float32], last: bool = False) -> FloatArray:
        """Add samples (n,) and the F0 of the frames that have become known; return what is final."""
        self._x = np.concatenate([self._x, samples.astype(np.float32)])
        self._heard = np.concatenate([self._heard, samples.astype(np.float32)])
        self._f0 = np.concatenate([self._f0, f0])
        self._received += len(samples)
        if last:
            self._end = self._received
            self._x = np.concatenate([self._x, np.zeros(4 * self.longest, np.float32)])
        self._find_epochs()
        self._lay_grains()
        return self._take_final()

    def _find_period(self, place: int) -> tuple[int, bool] | None:
        """Return the period in samples and whether there is a pitch; None while that is not known yet."""
        index = round(place / self.hop) - self._f0_from
        if index >= len(self._f0):
            if self._end is None:
                return None
            return UNVOICED_STEP, False
        hz = float(self._f0[max(0, index)])
        return (round(self.rate / hz), True) if hz > 0 else (UNVOICED_STEP, False)

    def _find_epochs(self) -> None:
        """Follow the sound from period to period; voiced ones are centred where the energy of the period is."""
        known = self._x_from + len(self._x)
        while True:
            if self._epochs:
                place, period, _ = self._epochs[-1]
                guess = place + period
            else:
                guess = 0
            if self._end is not None and guess > self._end + 2 * self.longest:
                return
            found = self._find_period(guess)
            if found is None or guess + 2 * self.longest > known:
                return
            period, voiced = found
            if voiced and self._epochs:
                reach = max(1, period // 6)
                near = self._x[guess - reach - 27 - self._x_from : guess + reach + 28 - self._x_from].astype(np.float64)
                energy = np.convolve(near**2, np.hanning(55), mode="valid")
                guess += int(np.argmax(energy * np.hanning(len(energy) + 2)[1:-1] ** 0.25)) - reach
            self._epochs.append((guess, period, voiced))

    def _lay_grains(self) -> None:
        epochs, index = self._epochs, 0
        while index + 1 < len(epochs):
            place = self._place
            while index + 1 < len(epochs) and abs(epochs[index + 1][0] - place) <= abs(epochs[index][0] - place):
                index += 1
            if index + 1 >= len(epochs):
                break
            at, period, voiced = epochs[index]
            if not voiced:
                place = float(at)
            self._add_grain(round(place), at, period)
            step = epochs[index + 1][0] - at
            self._place = place + (step / self.ratio if voiced else step)
        del epochs[:index]
        if epochs:
            keep_from = epochs[0][0] - 2 * self.longest
            drop = keep_from - self._x_from
            if drop > 0:
                self._x, self._x_from = self._x[drop:], keep_from
            frames = max(0, keep_from // self.hop - 2 - self._f0_from)
            self._f0, self._f0_from = self._f0[frames:], self._f0_from + min(frames, len(self._f0))

    def _add_grain(self, place: int, at: int, period: int) -> None:
        """Add one grain of two periods around input sample `at`, centred on output sample `place`."""
        window = np.hanning(2 * period + 1)[:-1].astype(np.float32)
        grain = self._x[at - period - self._x_from : at + period - self._x_from] * window
        start = place - period - self._emitted
        need = start + 2 * period - len(self._y)
        if need > 0:
            self._y = np.pad(self._y, (0, need + 4096))
            self._weight = np.pad(self._weight, (0, need + 4096))
        skip = max(0, -start)
        if skip < 2 * period:
            self._y[start + skip : start + 2 * period] += grain[skip:]
            self._weight[start + skip : start + 2 * period] += window[skip:]

    def _take_final(self) -> FloatArray:
        final = math.floor(self._place) - self.longest
        if self._end is not None:
            final = self._end
        count = max(0, min(final, self._received) - self._emitted)
        if count > len(self._y):
            self._y = np.pad(self._y, (0, count - len(self._y)))
            self._weight = np.pad(self._weight, (0, count - len(self._weight)))
        made = (self._y[:count] / np.maximum(self._weight[:count], 1.0)).astype(np.float32)
        self._y, self._weight = self._y[count:], self._weight[count:]
        self._emitted += count
        heard, self._heard = self._heard[:count], self._heard[count:]
        return self._match_loudness(made, heard)

    def _match_loudness(self, made: FloatArray, heard: FloatArray) -> FloatArray:
        """Bring the output to the level of the input, both followed over LEVEL_S; the states go from piece to piece."""
        if not len(made):
            return made
        from scipy.signal import lfilter

        pole = math.exp(-1 / (LEVEL_S * self.rate))
        powers = []
        for row, x in enumerate((heard, made)):
            power, self._power[row] = lfilter([1 - pole], [1, -pole], x.astype(np.float64) ** 2, zi=self._power[row])
            powers.append(power + 1e-9)
        gain = np.clip(np.sqrt(powers[0] / powers[1]), 1 / MOST_LEVEL, MOST_LEVEL)
        return (made * gain).astype(np.float32)
