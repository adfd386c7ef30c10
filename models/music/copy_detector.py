"""Find runs of notes copied from the training pieces, by an index small enough to ship.

A melody is known by its steps: from one note to the next, how far the pitch moves and how long it takes (in
sixteenths), so that a copy in another key or tempo is found as well. Every run of RUN_NOTES notes of every melodic
track of the training pieces, and of all melodic tracks together, is hashed into a Bloom filter (Bloom 1970). Runs of
fewer than MIN_DIFFERENT kinds of steps (repeated notes, an Alberti bass) belong to everybody and are left out. What is
reported can be a little too long (neighbouring runs of different pieces, about one wrong answer in a hundred) and is
never too short. Drums are not indexed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import ModelError
from models.music.score import Note, Piece, merge_tracks
from models.music.vocabulary import POSITIONS_PER_QUARTER
from models.weights_io import load_safetensors, save_safetensors

COPY_INDEX_FILE = "music_guard.safetensors"
RUN_NOTES = 10
MIN_DIFFERENT = 5
CHECKED_BARS = 12  # at the end of a piece
MAX_SHARED_NOTES = 24  # a longer run is composed anew
INDEX_BITS = 2**26
_HASHES = 5
_SIXTEENTH = POSITIONS_PER_QUARTER // 4
_LONGEST_STEP = 63  # sixteenths; longer waits count as this


@dataclass(frozen=True)
class SharedRun:
    """The longest run found: how many notes, and the grid position of its first; (0, 0) where there is none."""

    notes: int = 0
    start: int = 0


def _mix_bits(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits well (the finaliser of splitmix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def hash_runs(notes: Iterable[Note]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Hash each run of RUN_NOTES notes, uint64 (runs,), and tell which have enough different steps to count."""
    ordered = sorted((note.start, note.pitch) for note in notes)
    if len(ordered) < RUN_NOTES:
        return np.zeros(0, np.uint64), np.zeros(0, np.bool_)
    starts, pitches = np.array(ordered).T
    waits = np.minimum(np.rint(np.diff(starts) / _SIXTEENTH), _LONGEST_STEP).astype(np.int64)
    steps = ((np.diff(pitches) + 128) * (_LONGEST_STEP + 1) + waits).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(steps, RUN_NOTES - 1)
    hashes = np.zeros(len(windows), np.uint64)
    for column in windows.T:
        hashes = _mix_bits(hashes + column + np.uint64(0x9E3779B97F4A7C15))
    ranked = np.sort(windows, axis=1)
    different = 1 + (ranked[:, 1:] != ranked[:, :-1]).sum(axis=1)
    return hashes, different >= MIN_DIFFERENT


class CopyDetector:
    """The index of the training pieces' runs; `bits` is uint8 (n,), eight places each."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self.bits = bits

    @classmethod
    def from_pieces(cls, pieces: Iterable[Piece], index_bits: int = INDEX_BITS) -> CopyDetector:
        """Build the index of some pieces."""
        detector = cls(np.zeros(index_bits // 8, np.uint8))
        for piece in pieces:
            for notes in _list_melodies(piece):
                hashes, counts = hash_runs(notes)
                places = detector._find_places(hashes[counts])
                np.bitwise_or.at(detector.bits, places >> 3, (1 << (places & 7)).astype(np.uint8))
        return detector

    def _find_places(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Find where the bits of hashes are, int64 (hashes, 5)."""
        low, high = hashes & np.uint64(0xFFFFFFFF), hashes >> np.uint64(32) | np.uint64(1)
        turns = np.arange(_HASHES, dtype=np.uint64)
        return ((low[:, None] + turns * high[:, None]) % np.uint64(8 * len(self.bits))).astype(np.int64)

    def find_longest_run(self, piece: Piece) -> SharedRun:
        """Find the longest run of notes that a piece shares with a training piece, in any track or in all together."""
        best = SharedRun()
        for notes in _list_melodies(piece):
            hashes, counts = hash_runs(notes)
            places = self._find_places(hashes)
            known = ((self.bits[places >> 3] >> (places & 7)) & 1).all(axis=1) & counts
            starts = sorted((note.start, note.pitch) for note in notes)
            length = 0
            for index, found in enumerate(known):
                length = length + 1 if found else 0
                if length and length + RUN_NOTES - 1 > best.notes:
                    best = SharedRun(length + RUN_NOTES - 1, starts[index - length + 1][0])
        return best

    def is_copied(self, piece: Piece, limit: int = MAX_SHARED_NOTES) -> bool:
        """Check whether a run of more than `limit` notes is shared."""
        return self.find_longest_run(piece).notes > limit

    def save(self, path: Path) -> None:
        """Write the index."""
        save_safetensors(path, {"bits": torch.from_numpy(self.bits)}, {"run_notes": str(RUN_NOTES)})

    @classmethod
    def load(cls, path: Path) -> CopyDetector:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing, damaged, or of another kind.
        """
        state = load_safetensors(path)
        if state.keys() != {"bits"} or state["bits"].dtype != torch.uint8:
            raise ModelError(f"The file {path.name} holds no index of training pieces.", "weights")
        return cls(state["bits"].numpy())


def _list_melodies(piece: Piece) -> list[tuple[Note, ...]]:
    """List the notes of each melodic track, and of all together where there are several."""
    voices = [track.notes for track in piece.melodic]
    return [*voices, merge_tracks(piece.melodic, 0).notes] if len(voices) > 1 else voices


def ends_in_copy(detector: CopyDetector, piece: Piece) -> bool:
    """Check whether a piece's last bar made a run of notes that the detector knows too long."""
    recent = piece.slice(max(0, len(piece.bars) - CHECKED_BARS), len(piece.bars))
    after = detector.find_longest_run(recent).notes
    before = recent.slice(0, len(recent.bars) - 1)
    return after > MAX_SHARED_NOTES and after > detector.find_longest_run(before).notes
