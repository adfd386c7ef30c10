"""What a person does to the notes of a piece by hand: pure functions from a piece to another one.

A note is named by its track, its onset in grid positions and its pitch, which no two notes share. The grid, the bars
and the vocabulary hold: a note stays inside the piece, and is cut where its pitch is struck again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.music.score import InstrumentTrack, Note, Piece, TempoMap
from models.music.vocabulary import DURATIONS, VELOCITY

NEW_VELOCITY = 20  # of a note in a track that has none
MAX_PITCH = 127


@dataclass(frozen=True)
class NoteName:
    """Names a note: index of its track, onset in grid positions, pitch."""

    track: int
    start: int
    pitch: int


def find_note(piece: Piece, name: NoteName) -> Note:
    """Return the note of this name.

    Raises:
        ValueError: there is none.
    """
    if 0 <= name.track < len(piece.tracks):
        for note in piece.tracks[name.track].notes:
            if (note.start, note.pitch) == (name.start, name.pitch):
                return note
    raise ValueError("That note is not there any more.")


def add_note(piece: Piece, name: NoteName, duration: int) -> Piece:
    """Add a note, as loud as those of its track are on the average.

    Raises:
        ValueError: there is no such track, place or pitch.
    """
    if not 0 <= name.track < len(piece.tracks):
        raise ValueError(f"Part {name.track + 1} is not there; the piece has {len(piece.tracks)}.")
    if not (0 <= name.start < piece.positions and 0 <= name.pitch <= MAX_PITCH):
        raise ValueError("A note must lie inside the piece, and its pitch must be from 0 to 127.")
    loud = [note.velocity for note in piece.tracks[name.track].notes]
    velocity = min(round(sum(loud) / len(loud)), VELOCITY.count - 1) if loud else NEW_VELOCITY
    length = min(max(1, duration), DURATIONS[-1])
    return _put(piece, name.track, (), [Note(name.start, name.pitch, length, velocity)])


def delete_notes(piece: Piece, names: Iterable[NoteName]) -> Piece:
    """Delete notes.

    Raises:
        ValueError: one of them is not there.
    """
    for name in names:
        piece = _put(piece, name.track, [find_note(piece, name)], [])
    return piece


def move_note(piece: Piece, name: NoteName, positions: int, semitones: int) -> Piece:
    """Move a note in time and pitch; at the piece's and the pitches' ends it stops.

    Raises:
        ValueError: it is not there.
    """
    note = find_note(piece, name)
    start = min(max(0, note.start + positions), piece.positions - 1)
    pitch = min(max(0, note.pitch + semitones), MAX_PITCH)
    return _put(piece, name.track, [note], [replace(note, start=start, pitch=pitch)])


def resize_note(piece: Piece, name: NoteName, duration: int) -> Piece:
    """Give a note another length; drums keep theirs.

    Raises:
        ValueError: it is not there.
    """
    note = find_note(piece, name)
    return _put(piece, name.track, [note], [replace(note, duration=min(max(1, duration), DURATIONS[-1]))])


def change_instrument(piece: Piece, track: int, program: int) -> Piece:
    """Let another General MIDI program play a melodic track.

    Raises:
        ValueError: there is no such track or program, or it is the drums.
    """
    if not 0 <= track < len(piece.tracks):
        raise ValueError(f"Part {track + 1} is not there; the piece has {len(piece.tracks)}.")
    if piece.tracks[track].is_drum:
        raise ValueError("The drums cannot become another instrument.")
    if not 0 <= program <= MAX_PITCH:
        raise ValueError(f"Instrument is {program}; it must be from 0 to 127.")
    tracks = list(piece.tracks)
    tracks[track] = replace(tracks[track], program=program)
    return replace(piece, tracks=tuple(tracks))


def join_bars(parts: Sequence[Piece], tempo_map: TempoMap | None = None) -> Piece:
    """Put pieces with the same tracks one after another, as while they were written.

    Args:
        tempo_map: the exact tempi of the whole.

    Raises:
        ValueError: there is none, or their tracks differ.
    """
    if not parts:
        raise ValueError("There are no bars to join.")
    named = [(track.program, track.is_drum) for track in parts[0].tracks]
    notes: list[list[Note]] = [[] for _ in named]
    begins = 0
    for part in parts:
        if [(track.program, track.is_drum) for track in part.tracks] != named:
            raise ValueError("The parts of a piece must have the same tracks.")
        for index, track in enumerate(part.tracks):
            notes[index] += [replace(note, start=note.start + begins) for note in track.notes]
        begins += part.positions
    tracks = [InstrumentTrack.from_notes(*name, own) for name, own in zip(named, notes, strict=True)]
    return Piece(tuple(bar for part in parts for bar in part.bars), tuple(tracks), tempo_map)


def _put(piece: Piece, track: int, old: Sequence[Note], new: Sequence[Note]) -> Piece:
    """Return the piece with notes of one track replaced; where a new one stands, an old one of its name gives way."""
    before = piece.tracks[track]
    taken = {(note.start, note.pitch) for note in (*old, *new)}
    kept = [note for note in before.notes if (note.start, note.pitch) not in taken]
    changed = InstrumentTrack.from_notes(before.program, before.is_drum, [*kept, *new])
    return replace(piece, tracks=(*piece.tracks[:track], changed, *piece.tracks[track + 1 :]))
