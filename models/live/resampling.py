"""Resampling of sound that arrives in portions: the same as resampling it whole, but for its last few milliseconds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
REACH_SAMPLES = 64  # more than the filter of `resample_poly` looks to either side


class StreamResampler:
    """A resampler of sound in portions. Letters: N samples in, M out.

    Raises:
        ValueError: a rate that is not positive.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        if source_rate <= 0 or target_rate <= 0:
            raise ValueError(f"rates are {source_rate} and {target_rate}; both must be more than 0.")
        divisor = math.gcd(source_rate, target_rate)
        self.up, self.down = target_rate // divisor, source_rate // divisor
        reach = max(REACH_SAMPLES, 12 * max(self.up, self.down) // self.up)
        self._margin = -(-reach // self.down)  # in steps of `down` samples in, `up` samples out
        self._pending = np.zeros(self._margin * self.down, np.float32)  # silence before the start

    def push(self, samples: FloatArray) -> FloatArray:
        """Take in some sound and return what is ready."""
        if self.up == self.down:
            return samples
        from scipy.signal import resample_poly

        self._pending = np.concatenate([self._pending, samples])
        steps = len(self._pending) // self.down - 2 * self._margin
        if steps <= 0:
            return np.zeros(0, np.float32)
        used = self._pending[: (steps + 2 * self._margin) * self.down]
        made = resample_poly(used, self.up, self.down).astype(np.float32)
        self._pending = self._pending[steps * self.down :]
        return made[self._margin * self.up : (self._margin + steps) * self.up]
