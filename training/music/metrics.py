"""What music is like in numbers: distributions over many pieces, and how far two of them are apart.

As in muspy (Dong et al. 2020) and in Yang and Lerch 2020, "On the evaluation of generative models in music".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.music.controls import NO_KEY, measure_key
from models.music.score import Piece
from models.music.vocabulary import DURATIONS, POSITIONS_PER_QUARTER, find_duration

Histogram = NDArray[np.float64]
MAX_POLYPHONY = 12
SIXTEENTH = POSITIONS_PER_QUARTER // 4


def measure_pitch_classes(piece: Piece) -> Histogram:
    """Count the melodic notes that begin on each pitch class from the tonic of the piece's measured key, (12,)."""
    key = measure_key(piece)
    tonic = 0 if key == NO_KEY else key % 12
    pitches = [(note.pitch - tonic) % 12 for track in piece.melodic for note in track.notes]
    return np.bincount(pitches, minlength=12).astype(float)


def measure_note_lengths(piece: Piece) -> Histogram:
    """Count the melodic notes of each length, (len(DURATIONS),)."""
    lengths = [find_duration(note.duration) for track in piece.melodic for note in track.notes]
    return np.bincount(lengths, minlength=len(DURATIONS)).astype(float)


def measure_polyphony(piece: Piece) -> Histogram:
    """Count the sixteenths on which each number of melodic notes sounds, (MAX_POLYPHONY + 1,); the last is that and
    more.
    """
    sounding = np.zeros(piece.positions + 1, dtype=int)
    for track in piece.melodic:
        for note in track.notes:
            sounding[note.start] += 1
            sounding[min(note.start + note.duration, piece.positions)] -= 1
    at = np.cumsum(sounding)[: piece.positions : SIXTEENTH]
    return np.bincount(np.minimum(at, MAX_POLYPHONY), minlength=MAX_POLYPHONY + 1).astype(float)


def measure_simultaneity(histograms: Iterable[Histogram]) -> Histogram:
    """Sum some histograms to a distribution."""
    total = np.sum(list(histograms), axis=0)
    return total / total.sum()


def measure_overlap(p: Histogram, q: Histogram) -> float:
    """Measure the common part of two distributions, 0 to 1."""
    return float(np.minimum(p, q).sum())


def compute_kl_divergence(p: Histogram, q: Histogram, floor: float = 1e-4) -> float:
    """Compute D(p || q) in nats, both with a little of the uniform distribution in them, so that no zero makes it
    infinite.
    """
    p, q = (((1 - floor) * x + floor / len(x)) for x in (p, q))
    return float((p * np.log(p / q)).sum())
