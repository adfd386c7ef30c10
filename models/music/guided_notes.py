"""Notes of bars as a grammar meets them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.music.grammar import DRUM_TRACK
from models.music.score import Piece
from models.music.vocabulary import find_duration


class GuidedNote(NamedTuple):
    """A note of a bar, in the order of its tokens: DRUM_TRACK is the drums' track, duration a row of DURATIONS."""

    position: int
    track: int
    pitch: int
    velocity: int
    duration: int


def list_played(piece: Piece) -> dict[int, list[GuidedNote]]:
    """List the notes of each bar of a piece, by its number."""
    starts = piece.list_bar_starts()
    bars: dict[int, list[GuidedNote]] = {number: [] for number in range(len(piece.bars))}
    for index, track in enumerate(piece.tracks):
        for note in track.notes:
            bar = int(np.searchsorted(starts, note.start, side="right")) - 1
            row = 0 if track.is_drum else find_duration(note.duration)
            at = DRUM_TRACK if track.is_drum else index
            bars[bar].append(GuidedNote(note.start - starts[bar], at, note.pitch, note.velocity, row))
    return {number: sorted(notes) for number, notes in bars.items()}
