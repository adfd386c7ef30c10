"""Slips: stretches of a steady song where what lies between its beats was followed.

Music that was made to a click keeps one grid of half beats from end to end. Where the followed beats lie on that grid
all along, but some of them on its other half, they slipped for a while: a guitar between the beats was louder than the
beats. Those stretches are laid on the grid that most of the song is on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.beats.decoding import DECODE_RATE, follow_median, read_activation, upsample

Floats = NDArray[np.float64]

LEAST_BEATS = 48
LONGEST_S = 1200.0
SEARCH_SHARE = 0.015  # how far the tempo may be from the median one
STEADY = 0.75  # length of the mean resultant of the beats on the grid of half beats
NEAR = 0.18  # beats: what lies as near to a line of the grid is on it
LATENESS_BEATS = 17  # over so many beats the median lateness is taken
MOST_SLIPPED = 0.45  # of the beats; with more nobody knows which half is right
BETWEEN_SHARE = 0.65  # of the beats off the grid, that are on its other half; a drifting tempo has fewer
HEARD_SHARE = 0.1  # of the activation of what was followed, that the beats of a slipped stretch must have at least


def fit_grid(times_s: Floats) -> tuple[float, float, float]:
    """Fit an even grid of half beats: the beat in seconds, the time of a line, and how well it fits in [0, 1]."""
    lag = min(8, len(times_s) - 1)
    middle = float(np.median(times_s[lag:] - times_s[:-lag])) / lag
    length_s = float(times_s[-1] - times_s[0])
    count = int(np.ceil(2 * SEARCH_SHARE * length_s / (0.03 * middle))) | 1
    best = (0.0, middle, 0.0)
    for beats_s in np.array_split(middle * np.linspace(1 - SEARCH_SHARE, 1 + SEARCH_SHARE, count), 1 + count // 256):
        turned = np.exp(4j * np.pi * times_s[None] / beats_s[:, None]).mean(axis=1)
        at = int(np.abs(turned).argmax())
        found = (float(np.abs(turned[at])), float(beats_s[at]), float(np.angle(turned[at])))
        best = max(best, found)
    fit, beat_s, angle = best
    return beat_s, angle / (4 * np.pi) * beat_s, fit


def mend_slips(activation: Floats, rate: float, times_s: Floats) -> Floats:
    """Lay stretches that slipped by half a beat on the grid of the rest of a steady song; else return the same beats.

    Args:
        activation: (T,) at `rate` frames a second.
        times_s: the beats (n,) that were followed.
    """
    if len(times_s) < LEAST_BEATS or times_s[-1] - times_s[0] > LONGEST_S:
        return times_s
    beat_s, line_s, fit = fit_grid(times_s)
    if fit < STEADY:
        return times_s
    place = (times_s - line_s) / beat_s
    odd_wrong, even_wrong = _is_off(place - 0.5), _is_off(place)
    wrong = even_wrong if even_wrong.sum() <= odd_wrong.sum() else odd_wrong
    place -= 0.0 if wrong is even_wrong else 0.5
    between = np.abs(place[wrong] % 1 - 0.5) < NEAR
    if not wrong.any() or wrong.mean() > MOST_SLIPPED or between.mean() < BETWEEN_SHARE:
        return times_s
    numbers, first = np.unique(np.round(place[~wrong]), return_index=True)
    kept = times_s[~wrong][first]
    lines = np.setdiff1d(np.concatenate([np.floor(place[wrong]), np.ceil(place[wrong])]), numbers)
    lines = lines[(lines >= place[0] - NEAR) & (lines <= place[-1] + NEAR)]
    late = follow_median(kept - numbers * beat_s, LATENESS_BEATS)  # follows a tempo a little off
    laid = lines * beat_s + np.interp(lines, numbers, late)
    fine = upsample(np.asarray(activation, dtype=np.float64), rate)
    heard = read_activation(fine, DECODE_RATE, laid, 4)
    if not len(heard) or heard.mean() < HEARD_SHARE * read_activation(fine, DECODE_RATE, times_s[wrong], 4).mean():
        return times_s
    return np.sort(np.concatenate([kept, laid[laid >= 0]]))


def _is_off(place: Floats) -> NDArray[np.bool_]:
    """Tell which places in beats are no whole numbers."""
    off: NDArray[np.bool_] = np.abs(place - np.round(place)) >= NEAR
    return off
