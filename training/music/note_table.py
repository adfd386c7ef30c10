"""The training pieces as columns of numbers: small to carry, and quick to arrange and tokenise on any device."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.music.form import find_references
from models.music.score import MAX_TRACKS
from models.music.vocabulary import STYLES, find_duration
from training.music.source import Source, round_velocity

VELOCITY_BINS = 6  # velocities are told apart in steps of 24: finer ones cost many tokens and are hardly heard
MIN_BARS = 2
Column = NDArray[np.int64]


@dataclass(frozen=True)
class NoteTable:
    """Pieces, their bars and their notes; each an int64 column, in order.

    Attributes:
        collection: of each piece, a row of STYLES.
        held_out: 1 for pieces that are never learned from.
        tempo: of each piece, a row of TEMPI.
        bars, notes: how many each piece has.
        meter: of each bar, a row of METERS.
        distance: of each bar, how many bars back it returns; 0 where it is new.
        likeness: of each bar, how nearly (see `models.music.form`).
        part: of each note, its track in the source; MAX_TRACKS for drums.
        start: of each note, in grid positions from the start of its piece.
        pitch, duration, velocity: of each note; duration as a row of DURATIONS.
    """

    collection: Column
    held_out: Column
    tempo: Column
    bars: Column
    notes: Column
    meter: Column
    distance: Column
    likeness: Column
    part: Column
    start: Column
    pitch: Column
    duration: Column
    velocity: Column

    @classmethod
    def from_sources(cls, sources: Iterable[Source]) -> NoteTable:
        """Lay out pieces; those of fewer than MIN_BARS bars are left out."""
        columns: dict[str, list[int]] = {field.name: [] for field in fields(cls)}
        for source in sources:
            piece = source.piece
            if len(piece.bars) < MIN_BARS:
                continue
            notes = sorted(
                (MAX_TRACKS if track.is_drum else part, note.start, note.pitch, note.duration, note.velocity)
                for part, track in enumerate(piece.tracks)
                for note in track.notes
            )
            distances, likenesses = find_references(piece)
            for name, value in (
                ("collection", STYLES.index(source.collection)),
                ("held_out", int(source.held_out)),
                ("tempo", piece.bars[0].tempo),
                ("bars", len(piece.bars)),
                ("notes", len(notes)),
            ):
                columns[name].append(value)
            columns["meter"] += [bar.meter for bar in piece.bars]
            columns["distance"] += distances.tolist()
            columns["likeness"] += likenesses.tolist()
            for part, start, pitch, duration, velocity in notes:
                columns["part"].append(part)
                columns["start"].append(start)
                columns["pitch"].append(pitch)
                columns["duration"].append(find_duration(duration))
                columns["velocity"].append(round_velocity(velocity, VELOCITY_BINS))
        return cls(**{name: np.array(values, dtype=np.int64) for name, values in columns.items()})

    def select(self, pieces: NDArray[np.bool_]) -> NoteTable:
        """Return some of the pieces, bool (pieces,), with their bars and notes."""
        chosen = {
            "notes": np.repeat(pieces, self.notes),
            "bars": np.repeat(pieces, self.bars),
            "pieces": pieces,
        }
        kind = {"meter": "bars", "distance": "bars", "likeness": "bars"}
        kind |= dict.fromkeys(("part", "start", "pitch", "duration", "velocity"), "notes")
        return NoteTable(
            **{field.name: getattr(self, field.name)[chosen[kind.get(field.name, "pieces")]] for field in fields(self)}
        )

    def save(self, path: Path) -> None:
        """Write one compressed file."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        columns["start"] = np.diff(columns["start"], prepend=0)
        small = {name: column.astype(_find_type(column)) for name, column in columns.items()}
        raw = io.BytesIO()
        np.savez(raw, **small)  # type: ignore[arg-type]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(raw.getvalue(), preset=9))

    @classmethod
    def load(cls, path: Path) -> NoteTable:
        """Read what `save` wrote."""
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as file:
            columns = {name: file[name].astype(np.int64) for name in file.files}
        columns["start"] = np.cumsum(columns["start"])
        return cls(**columns)


def _find_type(column: Column) -> type[np.integer]:
    """Find the smallest type that holds a column."""
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    if low >= 0:
        return np.uint8 if high < 2**8 else np.uint16 if high < 2**16 else np.uint32
    return np.int16 if low >= -(2**15) and high < 2**15 else np.int32
