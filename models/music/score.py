"""A piece of music on the grid of the vocabulary: what tokens and MIDI files are both turned into.

Times are whole grid positions (POSITIONS_PER_QUARTER a quarter) from the start of the piece; velocities and tempi are
the vocabulary's bins. Two pieces that sound alike are equal: notes are sorted, an overlap of equal pitches in a track
is cut, the drums are one track at the end.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from models.music.vocabulary import (
    DRUM_DURATION,
    DURATIONS,
    MAX_TRACKS,
    METERS,
    POSITIONS_PER_QUARTER,
    TEMPI,
    VELOCITY,
    count_positions,
    find_duration,
    find_meter,
    find_tempo,
    fit_duration,
)

MAX_BARS = 2000
COMMON_TIME = find_meter(4, 4)
DEFAULT_TEMPO = find_tempo(120.0)


@dataclass(frozen=True, order=True)
class Note:
    """A note: onset `start` and `duration` in grid positions, `velocity` as a bin."""

    start: int
    pitch: int
    duration: int
    velocity: int


@dataclass(frozen=True)
class Bar:
    """A bar: its row of METERS and its row of TEMPI."""

    meter: int = COMMON_TIME
    tempo: int = DEFAULT_TEMPO

    @property
    def positions(self) -> int:
        """Return how many grid positions the bar has."""
        return count_positions(self.meter)


@dataclass(frozen=True)
class InstrumentTrack:
    """One instrument's notes; `program` is General MIDI's, 0 for drums. Build it with `from_notes`, which sorts."""

    program: int
    is_drum: bool
    notes: tuple[Note, ...]

    @classmethod
    def from_notes(cls, program: int, is_drum: bool, notes: Iterable[Note]) -> InstrumentTrack:
        """Build a track with its notes as the vocabulary can say them.

        Notes of one pitch and one onset become one, the longest and loudest; a note ends where its pitch is struck
        again; durations are the vocabulary's. A drum lasts DRUM_DURATION or until it is struck again.
        """
        heard: dict[tuple[int, int], Note] = {}
        for note in notes:
            same = heard.get((note.pitch, note.start), note)
            heard[note.pitch, note.start] = Note(
                note.start, note.pitch, max(note.duration, same.duration), max(note.velocity, same.velocity)
            )
        ordered = [heard[key] for key in sorted(heard)]
        cleaned = []
        for note, following in itertools.zip_longest(ordered, ordered[1:]):
            duration = DRUM_DURATION if is_drum else DURATIONS[find_duration(note.duration)]
            if following is not None and following.pitch == note.pitch:
                duration = min(duration, fit_duration(following.start - note.start))
            cleaned.append(Note(note.start, note.pitch, duration, note.velocity))
        return cls(0 if is_drum else program, is_drum, tuple(sorted(cleaned)))


@dataclass(frozen=True)
class TempoMap:
    """The exact tempi of a piece, which the bars of the vocabulary only come near.

    Args:
        starts: grid positions from which each tempo holds, rising, the first 0; they may lie between positions.
        tempi: quarters a minute; the last one holds beyond the end.

    Raises:
        ValueError: no tempo, unequal numbers, starts that do not rise from 0, a tempo that is not positive.
    """

    starts: tuple[float, ...]
    tempi: tuple[float, ...]
    _begun_s: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rising = all(before < after for before, after in itertools.pairwise(self.starts))
        if len(self.starts) != len(self.tempi) or not self.starts or self.starts[0] != 0 or not rising:
            raise ValueError("a tempo map needs as many starts as tempi, and starts that rise from 0.")
        if not all(tempo > 0 for tempo in self.tempi):
            raise ValueError("a tempo must be positive.")
        lengths = (
            (after - before) * _seconds_a_position(tempo)
            for (before, after), tempo in zip(itertools.pairwise(self.starts), self.tempi, strict=False)
        )
        object.__setattr__(self, "_begun_s", (0.0, *itertools.accumulate(lengths)))

    @classmethod
    def from_bars(cls, bars: Sequence[Bar]) -> TempoMap:
        """Build the map that the bars' own tempi make."""
        starts = [0, *itertools.accumulate(bar.positions for bar in bars)]
        changes = [
            (float(start), TEMPI[bar.tempo])
            for index, (start, bar) in enumerate(zip(starts, bars, strict=False))
            if not index or bar.tempo != bars[index - 1].tempo
        ] or [(0.0, TEMPI[DEFAULT_TEMPO])]
        return cls(*zip(*changes, strict=True))

    def to_seconds(self, position: float) -> float:
        """Return when a grid position is reached, in seconds from the start."""
        index = max(0, bisect_right(self.starts, position) - 1)
        return self._begun_s[index] + (position - self.starts[index]) * _seconds_a_position(self.tempi[index])

    def find_tempo(self, position: float) -> float:
        """Return the quarters a minute that hold at a grid position."""
        return self.tempi[max(0, bisect_right(self.starts, position) - 1)]

    def cut(self, first: float) -> TempoMap:
        """Return the map of what begins at position `first`."""
        index = max(0, bisect_right(self.starts, first) - 1)
        starts = (0.0, *(start - first for start in self.starts[index + 1 :]))
        return TempoMap(starts, self.tempi[index:])


def _seconds_a_position(tempo: float) -> float:
    return 60.0 / (POSITIONS_PER_QUARTER * tempo)


@dataclass(frozen=True)
class Piece:
    """Bars and the tracks that sound in them; at most MAX_TRACKS melodic tracks, then at most one of drums.

    Args:
        tempo_map: the exact tempi of a piece that was read; None where the bars' own are exact.
        remarks: what was mended or changed when it was read, as sentences for a person.

    Raises:
        ValueError: too many bars or tracks, drums that are not last, a note outside the bars or the vocabulary.
    """

    bars: tuple[Bar, ...]
    tracks: tuple[InstrumentTrack, ...]
    tempo_map: TempoMap | None = field(default=None, compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if len(self.bars) > MAX_BARS:
            raise ValueError(f"the piece has {len(self.bars):,} bars; at most {MAX_BARS:,} are possible.")
        if any(track.is_drum for track in self.tracks[:-1]):
            raise ValueError("the drums must be one track, the last.")
        if len(self.melodic) > MAX_TRACKS:
            raise ValueError(f"the piece has {len(self.melodic)} melodic tracks; at most {MAX_TRACKS} are possible.")
        if any(not (0 <= bar.meter < len(METERS) and 0 <= bar.tempo < len(TEMPI)) for bar in self.bars):
            raise ValueError("a bar's meter or tempo is not a row of METERS or TEMPI.")
        if any(not 0 <= track.program < 128 for track in self.tracks):
            raise ValueError("a track's program must be from 0 to 127.")
        end = self.positions
        for note in (note for track in self.tracks for note in track.notes):
            in_range = 0 <= note.start < end and 0 <= note.pitch < 128 and 0 <= note.velocity < VELOCITY.count
            if not in_range or note.duration < 1:
                raise ValueError(f"{note} does not fit the piece of {end} positions, or the vocabulary.")

    @property
    def melodic(self) -> tuple[InstrumentTrack, ...]:
        """Return the tracks that are not drums."""
        return tuple(track for track in self.tracks if not track.is_drum)

    @property
    def positions(self) -> int:
        """Return the length in grid positions."""
        return sum(bar.positions for bar in self.bars)

    @property
    def note_count(self) -> int:
        """Return how many notes there are in all tracks."""
        return sum(len(track.notes) for track in self.tracks)

    @property
    def timing(self) -> TempoMap:
        """Return its exact tempi, or those of its bars."""
        return self.tempo_map or TempoMap.from_bars(self.bars)

    @property
    def first_tempo(self) -> float:
        """Return the quarters a minute with which it begins."""
        return self.timing.tempi[0]

    def list_bar_starts(self) -> list[int]:
        """List where each bar begins and where the last ends: len(bars) + 1 positions."""
        return [0, *itertools.accumulate(bar.positions for bar in self.bars)]

    def slice(self, first: int, stop: int) -> Piece:
        """Cut bars first to stop - 1 out as a piece, with the notes that begin in them; all tracks are kept."""
        starts = self.list_bar_starts()
        bars = self.bars[first:stop]
        low, high = starts[min(first, len(self.bars))], starts[min(stop, len(self.bars))]
        tracks = tuple(
            InstrumentTrack.from_notes(
                track.program,
                track.is_drum,
                (
                    Note(note.start - low, note.pitch, note.duration, note.velocity)
                    for note in track.notes
                    if low <= note.start < high
                ),
            )
            for track in self.tracks
        )
        return Piece(bars, tracks, self.tempo_map and self.tempo_map.cut(low))


def weigh_pitch_classes(piece: Piece) -> list[float]:
    """Measure how long each of the 12 pitch classes sounds in the melodic tracks, in positions."""
    weights = [0.0] * 12
    for track in piece.melodic:
        for note in track.notes:
            weights[note.pitch % 12] += note.duration
    return weights


def merge_tracks(tracks: Sequence[InstrumentTrack], program: int) -> InstrumentTrack:
    """Put all notes of some tracks into one."""
    return InstrumentTrack.from_notes(program, False, (note for track in tracks for note in track.notes))


def transpose_piece(piece: Piece, semitones: int) -> Piece:
    """Move all melodic notes by `semitones`; a note that would leave MIDI's range stays inside by octaves."""

    def move(note: Note) -> Note:
        pitch = note.pitch + semitones
        while pitch > 127:
            pitch -= 12
        while pitch < 0:
            pitch += 12
        return replace(note, pitch=pitch)

    tracks = tuple(
        track
        if track.is_drum
        else InstrumentTrack.from_notes(track.program, False, [move(note) for note in track.notes])
        for track in piece.tracks
    )
    return replace(piece, tracks=tracks)
