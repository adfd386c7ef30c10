"""When the frames of a clip are shown, and the constant rate that shows them all.

Letters: n frames.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.media.limits import MAX_RATE

Times = NDArray[np.float64]

SLOWEST = Fraction(1, 10)  # frames a second
FASTEST_VARIABLE = Fraction(60)  # of clips whose frames come at no constant rate
DISCARDED = 0x4  # flag of a packet that an edit list hides
USUAL = tuple(
    Fraction(rate) for rate in (10, 12, Fraction(25, 2), 15, 20, Fraction(24_000, 1001), 24, 25,
                                Fraction(30_000, 1001), 30, 48, 50, Fraction(60_000, 1001), 60, 100, 120)
)  # fmt: skip

_TICK = re.compile(rb"#tb 0: (\d+)/(\d+)")
_FLAGS = re.compile(rb"F=0x([0-9A-Fa-f]+)")
_NO_TIME = -(2**62)


class Shown(NamedTuple):
    """When frames are shown, in seconds from the beginning of the file.

    Attributes:
        starts: of each frame, in order, float64 (n,).
        end_s: of the last one, as far as the file tells.
    """

    starts: Times
    end_s: float


def read_listing(listing: bytes) -> Shown:
    """Return the times of ffmpeg's framecrc listing of one stream, without frames that edit lists hide."""
    tick = _TICK.search(listing)
    if tick is None:
        return Shown(np.zeros(0), 0.0)
    unit = int(tick.group(1)) / int(tick.group(2))
    starts: list[int] = []
    end = 0
    for line in listing.splitlines():
        if line.startswith(b"#"):
            continue
        fields = line.split(b",")
        if len(fields) < 5:
            continue
        flags = _FLAGS.search(line)
        if flags and int(flags.group(1), 16) & DISCARDED:
            continue
        decoded, shown, length = (int(field) for field in fields[1:4])
        if shown < _NO_TIME:
            shown = decoded
        if shown < _NO_TIME:
            continue
        starts.append(shown)
        end = max(end, shown + max(0, length))
    return Shown(np.unique(np.array(starts, np.float64) * unit), end * unit)


def exact_rate(named: float) -> Fraction:
    """Return the rate of which `named` is the rounded number."""
    for rate in (Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)):
        if abs(float(rate) - named) < 0.011:
            return rate
    return min(max(Fraction(named).limit_denominator(1001), SLOWEST), Fraction(MAX_RATE))


def choose_rate(starts: Times, named: float) -> Fraction:
    """Return the constant rate that a clip is read at.

    It is the one that the file names, where the frames lie on it; else the one at which all but the very shortest
    frames are shown.

    Args:
        named: what the container says, 0 where it says nothing.
    """
    if len(starts) < 2:
        return exact_rate(named or 25.0)
    measured = (len(starts) - 1) / (starts[-1] - starts[0])
    for rate in (exact_rate(named) if named else None, _usual(measured), Fraction(measured).limit_denominator(1001)):
        if rate is not None and SLOWEST <= rate <= MAX_RATE and _is_constant(starts, float(rate)):
            return rate
    intervals = np.diff(starts)
    short = np.quantile(intervals, 0.05, method="lower")
    fast = 1.0 / float(intervals[intervals <= 1.25 * short].mean())
    return min(max(_usual(fast) or Fraction(fast).limit_denominator(1001), SLOWEST), FASTEST_VARIABLE)


def shift_onto(starts: Times, rate: Fraction) -> float:
    """Return how many seconds later frames of that rate are to be shown to lie on whole places of it, under half a one.

    Without it, times that were rounded would fall now on one place, now on the next.
    """
    if not len(starts) or not _is_constant(starts, float(rate)):
        return 0.0
    lag = float(np.median(starts * float(rate) - np.arange(len(starts))))
    shift = (round(lag) - lag) / float(rate)
    return shift if abs(shift) > 1e-4 else 0.0


def _is_constant(starts: Times, rate: float) -> bool:
    """Tell whether every frame lies nearer to its own place than to another's."""
    places = (starts - starts[0]) * rate
    return bool(np.abs(places - np.arange(len(starts))).max() < 0.45)


def _usual(rate: float) -> Fraction | None:
    """Return the usual rate that is within 1 % of it, the nearest."""
    nearest = min(USUAL, key=lambda usual: abs(float(usual) - rate))
    return nearest if abs(float(nearest) - rate) < 0.01 * rate else None


def count_frames(shown: Shown, rate: Fraction) -> int:
    """Return how many frames of that rate last from the beginning of the file to the end of its pictures."""
    if not len(shown.starts):
        return 0
    starts = shown.starts
    whole = _is_constant(starts, float(rate))
    end_s = starts[-1] + 1.0 / float(rate) if whole else max(shown.end_s, starts[-1] + 0.5 / float(rate))
    return max(1, round(max(0.0, end_s) * float(rate)))
