"""The form of a piece, measured from itself: which earlier bar a bar returns to, and how nearly.

Two bars are as alike as the notes that they share (onset in the bar and pitch), all melodic parts and the first part
counting equally: the F1 measure of the two sets. As in Museformer (Yu et al. 2022) and MuseMorphose (Wu and Yang 2021)
likeness is measured and not labelled; as in popular forms, distances of four and eight bars win where bars are equally
alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.music.musical_context import NEW, SAME, VARIED
from models.music.score import InstrumentTrack, Piece

FURTHEST_BARS = 64
VARIED_AT, SAME_AT = 0.5, 0.95
USUAL_DISTANCES = {1: -0.02, 2: 0.01, 4: 0.03, 8: 0.05, 12: 0.02, 16: 0.05, 24: 0.02, 32: 0.05}
Likeness = NDArray[np.float64]


def measure_track_likeness(notes: list[list[tuple[int, int]]]) -> Likeness:
    """Measure how alike each two bars are, float (bars, bars), given the (onset in the bar, pitch) of each."""
    rows = [(bar, note) for bar, some in enumerate(notes) for note in set(some)]
    columns = {note: index for index, note in enumerate(sorted({note for _, note in rows}))}
    table = np.zeros((len(notes), max(1, len(columns))), dtype=np.float32)
    for bar, note in rows:
        table[bar, columns[note]] = 1.0
    sizes = table.sum(axis=1)
    both = sizes[:, None] + sizes[None, :]
    return np.where(both > 0, 2.0 * (table @ table.T) / np.maximum(both, 1.0), 1.0).astype(np.float64)


def group_by_bar(piece: Piece, tracks: tuple[InstrumentTrack, ...]) -> list[list[tuple[int, int]]]:
    """Group the notes of some tracks by bars, as (onset in the bar, pitch)."""
    starts = np.array(piece.list_bar_starts())
    groups: list[list[tuple[int, int]]] = [[] for _ in piece.bars]
    for track in tracks:
        for note in track.notes:
            bar = int(np.searchsorted(starts, note.start, side="right")) - 1
            groups[bar].append((note.start - int(starts[bar]), note.pitch))
    return groups


def measure_likeness(piece: Piece) -> Likeness:
    """Measure how alike each two bars of a piece are, float (bars, bars); drums count only where nothing else plays."""
    tracks = piece.melodic or piece.tracks
    together = measure_track_likeness(group_by_bar(piece, tracks))
    if len(tracks) < 2:
        return together
    return 0.5 * (together + measure_track_likeness(group_by_bar(piece, tracks[:1])))


def find_references(piece: Piece) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find for each bar how many bars back the bar lies that it returns to, and how nearly it does.

    Returns:
        distances int64 (bars,), 0 for what is new; likenesses int64 (bars,): `musical_context.NEW`, VARIED or SAME.
    """
    likeness = measure_likeness(piece)
    sounding = np.array([bool(group) for group in group_by_bar(piece, piece.tracks)])
    distances, kinds = np.zeros(len(piece.bars), dtype=np.int64), np.full(len(piece.bars), NEW)
    for bar in range(1, len(piece.bars)):
        back = np.arange(1, min(bar, FURTHEST_BARS) + 1)
        alike = np.where(sounding[bar - back], likeness[bar, bar - back], 0.0)
        usual = np.array([USUAL_DISTANCES.get(int(distance), 0.0) for distance in back])
        best = int(np.argmax(alike + usual))
        if sounding[bar] and alike[best] >= VARIED_AT:
            distances[bar], kinds[bar] = back[best], SAME if alike[best] >= SAME_AT else VARIED
    return distances, kinds
