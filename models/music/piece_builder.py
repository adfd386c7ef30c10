"""A piece while it is written: bars and notes, and how likely the model thought each of them.

Tokens come bar by bar; `read_bar` turns one bar's tokens into notes. A builder places them so that what was there
before stays exactly as it was: a new note never cuts an old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from models.music.contracts import BarSpan, TimedNote
from models.music.instrument_ranges import is_bass, plays_one_line
from models.music.score import Bar, InstrumentTrack, Note, Piece, TempoMap
from models.music.vocabulary import (
    DRUM,
    DRUM_DURATION,
    DRUMS,
    DURATION,
    DURATIONS,
    METER,
    PITCH,
    POSITION,
    POSITIONS_PER_QUARTER,
    TEMPI,
    TEMPO,
    TRACK,
    VELOCITY,
    fit_duration,
    split_token,
    to_velocity,
)

if TYPE_CHECKING:
    from models.music.rendering import NoteEvent

DRUM_TRACK = -1  # as a note's track while it is read: the last one of the piece


@dataclass(frozen=True)
class WrittenNote:
    """A note of a builder: `start` and `duration` in grid positions, `track` an index of the builder's tracks."""

    start: int
    pitch: int
    duration: int
    velocity: int
    track: int
    probability: float = 1.0


def read_bar(tokens: Sequence[int], probabilities: Sequence[float], bar: Bar) -> tuple[Bar, list[WrittenNote]]:
    """Read one bar's tokens, without Bar itself, as notes that start from 0; what makes no sense is passed over.

    Args:
        bar: the meter and tempo that hold before.
    """
    notes: list[WrittenNote] = []
    track, position, pitch, chance = None, None, None, 1.0
    velocities: dict[int, int] = {}
    for token, probability in zip(tokens, probabilities, strict=True):
        kind, value = split_token(token)
        if kind is METER:
            bar = replace(bar, meter=value)
        elif kind is TEMPO:
            bar = replace(bar, tempo=value)
        elif kind is POSITION:
            position = value if value < bar.positions else None
        elif kind in (TRACK, DRUMS):
            track = value if kind is TRACK else DRUM_TRACK
        elif kind is VELOCITY and track is not None:
            velocities[track] = value
        elif kind is PITCH:
            pitch, chance = value, probability
            continue
        elif kind in (DURATION, DRUM) and track is not None and position is not None and track in velocities:
            if kind is DRUM and track == DRUM_TRACK:
                notes.append(WrittenNote(position, value, DRUM_DURATION, velocities[track], track, probability))
            elif kind is DURATION and pitch is not None and track != DRUM_TRACK:
                notes.append(WrittenNote(position, pitch, DURATIONS[value], velocities[track], track, chance))
        pitch = None
    return bar, notes


@dataclass
class PieceBuilder:
    """Bars, tracks as (program, is drums) and notes.

    Attributes:
        tempo_scale: how many times as fast as written it is played.
        tempo_map: the exact tempi of a piece that was there before, its last one also of what is added; None where the
            bars' own are exact.
        notes: for each bar the notes that begin in it, their starts counted from the start of the piece.
    """

    bars: list[Bar] = field(default_factory=list)
    tracks: list[tuple[int, bool]] = field(default_factory=list)
    notes: list[list[WrittenNote]] = field(default_factory=list)
    tempo_scale: float = 1.0
    tempo_map: TempoMap | None = None

    @classmethod
    def from_piece(cls, piece: Piece, tempo_scale: float = 1.0) -> PieceBuilder:
        """Begin with a piece that is there."""
        builder = cls(
            list(piece.bars),
            [(track.program, track.is_drum) for track in piece.tracks],
            [],
            tempo_scale,
            piece.tempo_map,
        )
        starts = piece.list_bar_starts()
        builder.notes = [[] for _ in piece.bars]
        for index, track in enumerate(piece.tracks):
            bar = 0
            for note in track.notes:
                while note.start >= starts[bar + 1]:
                    bar += 1
                builder.notes[bar].append(WrittenNote(note.start, note.pitch, note.duration, note.velocity, index))
        return builder

    def build(self) -> Piece:
        """Put the notes and bars together as a piece."""
        by_track: list[list[Note]] = [[] for _ in self.tracks]
        for note in (note for bar in self.notes for note in bar):
            by_track[note.track].append(Note(note.start, note.pitch, note.duration, note.velocity))
        tracks = [
            InstrumentTrack.from_notes(program, is_drum, notes)
            for (program, is_drum), notes in zip(self.tracks, by_track, strict=True)
        ]
        return Piece(tuple(self.bars), tuple(tracks), self.tempo_map)

    def build_bar(self, index: int) -> Piece:
        """Put bar `index` and the notes that begin in it together as a piece of one bar."""
        start = self.find_bar_start(index)
        by_track: list[list[Note]] = [[] for _ in self.tracks]
        for note in self.notes[index]:
            by_track[note.track].append(Note(note.start - start, note.pitch, note.duration, note.velocity))
        tracks = [InstrumentTrack.from_notes(*track, notes) for track, notes in zip(self.tracks, by_track, strict=True)]
        return Piece((self.bars[index],), tuple(tracks))

    def find_bar_start(self, index: int) -> int:
        """Find where bar `index` begins, in positions."""
        return sum(bar.positions for bar in self.bars[:index])

    def append(self, bar: Bar, notes: Sequence[WrittenNote]) -> int:
        """Add a bar with notes that start from 0 in it; returns its index."""
        self.bars.append(bar)
        self.notes.append([])
        self.rewrite(len(self.bars) - 1, notes)
        return len(self.bars) - 1

    def rewrite(self, index: int, notes: Sequence[WrittenNote]) -> None:
        """Put notes, starts from 0, into bar `index` in place of those that begin there; all others stay."""
        start, end = self.find_bar_start(index), self.find_bar_start(index + 1)
        drums = len(self.tracks) - 1
        others = [note for at, bar in enumerate(self.notes) if at != index for note in bar]
        kept = []
        for note in notes:
            moved = replace(note, start=note.start + start, track=drums if note.track == DRUM_TRACK else note.track)
            if not start <= moved.start < end or moved.track >= len(self.tracks):
                continue
            same = [other for other in others if (other.track, other.pitch) == (moved.track, moved.pitch)]
            if any(other.start < moved.start < other.start + other.duration for other in same):
                continue
            following = min((other.start for other in same if other.start >= moved.start), default=None)
            if following is not None and following < moved.start + moved.duration:
                moved = replace(moved, duration=fit_duration(following - moved.start))
            kept.append(moved)
        self.notes[index] = self._keep_single(kept, end)

    def _keep_single(self, notes: Sequence[WrittenNote], end: int) -> list[WrittenNote]:
        """End each note of a part that plays one line where its next one begins, and a bass's with the bar."""
        single = []
        for note in notes:
            program, is_drum = self.tracks[note.track]
            limits = [each.start for each in notes if each.track == note.track and each.start > note.start]
            limits += [end] if is_bass(program) else []
            left = min(limits, default=end + note.duration) - note.start
            is_cut = not is_drum and plays_one_line(program) and left < note.duration
            single.append(replace(note, duration=fit_duration(left)) if is_cut else note)
        return single

    def locate_bar(self, index: int) -> BarSpan:
        """Return where a bar lies in time."""
        if self.tempo_map is not None:
            start = self.find_bar_start(index)
            end = start + self.bars[index].positions
            return BarSpan(index + 1, self._to_seconds(self.tempo_map, start), self._to_seconds(self.tempo_map, end))
        start_s = sum(self._measure_bar_s(bar) for bar in self.bars[:index])
        return BarSpan(index + 1, start_s, start_s + self._measure_bar_s(self.bars[index]))

    def _to_seconds(self, tempo_map: TempoMap, position: int) -> float:
        return tempo_map.to_seconds(position) / self.tempo_scale

    def _measure_bar_s(self, bar: Bar) -> float:
        return bar.positions * self._measure_position_s(bar)

    def _measure_position_s(self, bar: Bar) -> float:
        return 60.0 / (POSITIONS_PER_QUARTER * TEMPI[bar.tempo] * self.tempo_scale)

    def _time_note(self, note: WrittenNote, index: int, line: BarSpan, start: int) -> tuple[float, float]:
        """Return onset and end in seconds of a note of bar `index`, which begins at position `start`.

        Without exact tempi the length is reckoned in the bar's own tempo.
        """
        if self.tempo_map is not None:
            end = note.start + note.duration
            return self._to_seconds(self.tempo_map, note.start), self._to_seconds(self.tempo_map, end)
        each = self._measure_position_s(self.bars[index])
        return line.start_s + (note.start - start) * each, line.start_s + (note.start - start + note.duration) * each

    def time_notes(self, index: int) -> tuple[TimedNote, ...]:
        """Return the notes of a bar in seconds."""
        line, start = self.locate_bar(index), self.find_bar_start(index)
        return tuple(
            TimedNote(
                *self._time_note(note, index, line, start),
                note.pitch,
                to_velocity(note.velocity),
                note.track,
                note.probability,
            )
            for note in self.notes[index]
        )

    def to_events(self, notes: Sequence[TimedNote], from_s: float) -> list[NoteEvent]:
        """Convert notes in seconds for the renderer, in time from `from_s`."""
        from models.music.rendering import NoteEvent

        return [
            NoteEvent(
                note.start_s - from_s,
                note.end_s - note.start_s,
                note.pitch,
                note.velocity,
                *self.tracks[note.track],
            )
            for note in notes
        ]
