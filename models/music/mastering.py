"""From the bare sum of the notes to what is heard: a small room, an even loudness, and no peak over the limit.

All of it is causal and works block by block on a grid of its own, so that sound pushed in any portions comes out the
same: the room by overlap-add (equal to rounding), loudness and limiter in blocks of BLOCK samples (equal). Loudness is
measured as ITU-R BS.1770-4 does.

Letters: N samples, always of two channels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, sosfilt

FloatArray = NDArray[np.float32]

BLOCK = 1024
TARGET_LUFS = -14.0
EXPECTED_LUFS = -23.0  # of the bare sum of a few instruments: where the loudness control begins
EXPECTED_S = 1.5  # how long this expectation weighs against what is heard
MEMORY_S = 8.0
MAX_GAIN_DB, MIN_GAIN_DB = 22.0, -20.0
GATE_DB = -20.0  # blocks quieter than this against the running loudness do not count
CEILING = 10.0 ** (-1.4 / 20)  # of samples; what lies between them stays under -1 dB
RECOVERY_DB_S = 24.0
ROOM_S, ROOM_DB, PREDELAY_S = 0.9, -16.0, 0.012
OFFSET_LU = -0.691


def design_k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Design the two filters of BS.1770 as sections (2, 6), derived anew for any rate from their analogue forms."""
    sections = []
    gain = 10.0 ** (3.999843853973347 / 20)
    shelf_at, shelf_q = 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * shelf_at / sample_rate)
    middle = gain**0.4996667741545416
    a0 = 1 + k / shelf_q + k * k
    sections.append(
        [
            (gain + middle * k / shelf_q + k * k) / a0,
            2 * (k * k - gain) / a0,
            (gain - middle * k / shelf_q + k * k) / a0,
            1.0,
            2 * (k * k - 1) / a0,
            (1 - k / shelf_q + k * k) / a0,
        ]
    )
    pass_at, pass_q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * pass_at / sample_rate)
    a0 = 1 + k / pass_q + k * k
    sections.append([1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / pass_q + k * k) / a0])
    return np.array(sections)


def measure_loudness(samples: FloatArray, sample_rate: int) -> float:
    """Measure the loudness of a whole sound (2, N) in LUFS (BS.1770-4: blocks of 400 ms, both gates); -70 is
    silence.
    """
    weighted = sosfilt(design_k_weighting(sample_rate), samples, axis=-1)
    size, hop = round(0.4 * sample_rate), round(0.1 * sample_rate)
    power = [
        float(np.square(weighted[:, at : at + size]).mean(axis=1).sum())
        for at in range(0, max(1, samples.shape[1] - size + 1), hop)
    ]
    blocks = np.array(power)
    loud = blocks[blocks > 10 ** ((-70.0 - OFFSET_LU) / 10)]
    if loud.size == 0:
        return -70.0
    gated = loud[loud > loud.mean() / 10]
    return OFFSET_LU + 10 * math.log10(gated.mean())


def make_room_response(sample_rate: int) -> FloatArray:
    """Make noise that dies away, darker and darker, always the same, float32 (2, N)."""
    random = np.random.default_rng(1770)
    count = round(ROOM_S * sample_rate)
    at = np.arange(count) / sample_rate
    noise = random.standard_normal((2, count))
    bright = sosfilt([[0.35, 0.0, 0.0, 1.0, -0.65, 0.0]], noise, axis=-1)
    dark = sosfilt([[0.08, 0.0, 0.0, 1.0, -0.92, 0.0]], noise, axis=-1)
    mix = np.exp(-at / 0.15)
    tail = (bright * mix + 2.0 * dark * (1 - mix)) * np.exp(-at * 6.9 / ROOM_S)
    tail *= 10.0 ** (ROOM_DB / 20) / np.sqrt(np.square(tail).sum(axis=1, keepdims=True))
    delayed = np.zeros((2, count + round(PREDELAY_S * sample_rate)))
    delayed[:, -count:] = tail
    return delayed.astype(np.float32)


class Room:
    """A small room, whose reflections are added to a stream of sound."""

    def __init__(self, sample_rate: int) -> None:
        self.response = make_room_response(sample_rate)
        self.carried = np.zeros((2, 0), np.float32)

    @property
    def tail_samples(self) -> int:
        """Return how long the room sounds on."""
        return self.response.shape[1]

    def push(self, samples: FloatArray) -> FloatArray:
        """Add its reflections to sound (2, N)."""
        count = samples.shape[1]
        if count == 0:
            return samples
        wet = fftconvolve(samples, self.response, axes=1).astype(np.float32)  # (2, N + tail - 1)
        wet[:, :count] += samples
        overlap = min(self.carried.shape[1], wet.shape[1])
        wet[:, :overlap] += self.carried[:, :overlap]
        rest = self.carried[:, wet.shape[1] :]
        self.carried = np.concatenate([wet[:, count:], rest], axis=1)
        return wet[:, :count]


class Master:
    """A loudness control to TARGET_LUFS, and a limiter under CEILING with a look-ahead of one block.

    Attributes:
        gains: what each sample was multiplied by, block by block, where `keeps_gains`.
    """

    def __init__(self, sample_rate: int, keeps_gains: bool = False) -> None:
        self.gains: list[FloatArray] | None = [] if keeps_gains else None
        self.sample_rate = sample_rate
        self._sections = design_k_weighting(sample_rate)
        self._state = np.zeros((len(self._sections), 2, 2))
        self._power = 10 ** ((EXPECTED_LUFS - OFFSET_LU) / 10)
        self._weight = EXPECTED_S * sample_rate / BLOCK
        self._memory = MEMORY_S * sample_rate / BLOCK
        self._gain = self._compute_gain()
        self._recovery = 10 ** (RECOVERY_DB_S * BLOCK / sample_rate / 20)
        self._limit = 1.0  # at the border before the waiting block
        self._waiting: FloatArray | None = None
        self._waiting_gains = np.zeros(0, np.float32)
        self._pending = np.zeros((2, 0), np.float32)

    def _compute_gain(self) -> float:
        decibels = TARGET_LUFS - (OFFSET_LU + 10 * math.log10(self._power))
        return 10 ** (min(max(decibels, MIN_GAIN_DB), MAX_GAIN_DB) / 20)

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """Take sound (2, N) in, give what is ready; with `last`, all that remains."""
        pending = np.concatenate([self._pending, samples], axis=1)
        whole = pending.shape[1] // BLOCK * BLOCK
        if last and pending.shape[1] > whole:
            remaining = pending.shape[1] - whole
            pending = np.pad(pending, ((0, 0), (0, BLOCK - remaining)))
            whole = pending.shape[1]
            cut = BLOCK - remaining
        else:
            cut = 0
        ready = [
            self._level_block(pending[:, at : at + BLOCK], power)
            for at, power in zip(range(0, whole, BLOCK), self._measure_powers(pending[:, :whole]), strict=True)
        ]
        self._pending = pending[:, whole:]
        if last:
            ready.append(self._limit_block(None))
            self._waiting = None
        joined = np.concatenate([np.zeros((2, 0), np.float32), *ready], axis=1)
        return joined[:, : joined.shape[1] - cut] if cut else joined

    def _measure_powers(self, samples: FloatArray) -> list[float]:
        """Measure the weighted power of each block of sound (2, blocks * BLOCK)."""
        if not samples.shape[1]:
            return []
        weighted, self._state = sosfilt(self._sections, samples, axis=-1, zi=self._state)
        return np.square(weighted).reshape(2, -1, BLOCK).mean(axis=2).sum(axis=0).tolist()

    def _level_block(self, block: FloatArray, power: float) -> FloatArray:
        """Level a new block and give the one before it, limited."""
        if power > self._power * 10 ** (GATE_DB / 10):
            self._weight = min(self._weight + 1, self._memory)
            self._power += (power - self._power) / self._weight
        gain, self._gain = self._gain, self._compute_gain()
        gains = np.linspace(gain, self._gain, BLOCK, endpoint=False, dtype=np.float32)
        levelled = block * gains
        ready = self._limit_block(levelled)
        self._waiting, self._waiting_gains = levelled, gains
        return ready

    def _limit_block(self, following: FloatArray | None) -> FloatArray:
        """Give the waiting block a gain that runs from border to border, low enough for the blocks on both sides."""
        if self._waiting is None:
            return np.zeros((2, 0), np.float32)
        needed = [CEILING / max(float(np.abs(b).max()), CEILING) for b in (self._waiting, following) if b is not None]
        border = min(*needed, 1.0, self._limit * self._recovery)
        start = min(self._limit, needed[0])
        ramp = np.linspace(start, border, BLOCK, dtype=np.float32)
        self._limit = border
        if self.gains is not None:
            self.gains.append(self._waiting_gains * ramp)
        return self._waiting * ramp
