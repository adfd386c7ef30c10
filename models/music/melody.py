"""Harmonising: a given melody is laid into what the model writes, note by note, and all else is the model's.

The melody is track 0. Before each of its notes the grammar lets nothing pass that would skip it; at its onset it
leaves one choice, so that the sampler writes the melody's own tokens and goes on from there.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from models.music.constraints import Constraints
from models.music.grammar import Allowed
from models.music.guided_grammar import Guide, GuidedGrammar
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import (
    BAR,
    DURATION,
    EOS,
    KIND_OF,
    METER,
    PITCH,
    POSITION,
    TEMPO,
    TRACK,
    VELOCITY,
    find_duration,
)

_IN_FRONT = ("Start", "Controls", "Header", "Track in front", "Drums in front")


def find_melody_track(piece: Piece) -> int:
    """Find the melodic track that sounds most like a melody: high, and mostly one note at a time.

    Raises:
        ValueError: there is no melodic track with notes.
    """

    def score(track: InstrumentTrack) -> float:
        onsets = len({note.start for note in track.notes})
        mean_pitch = sum(note.pitch for note in track.notes) / len(track.notes)
        return mean_pitch + 24.0 * onsets / len(track.notes)

    candidates = [index for index, track in enumerate(piece.melodic) if track.notes]
    if not candidates:
        raise ValueError("There is no melody to harmonise: the music holds drums alone.")
    return max(candidates, key=lambda index: score(piece.tracks[index]))


def extract_top_line(track: InstrumentTrack) -> InstrumentTrack:
    """Extract the highest note of each onset, each cut where the next begins."""
    highest: dict[int, Note] = {}
    for note in track.notes:
        if note.start not in highest or note.pitch > highest[note.start].pitch:
            highest[note.start] = note
    ordered = [highest[start] for start in sorted(highest)]
    cut = [
        Note(note.start, note.pitch, min(note.duration, following.start - note.start), note.velocity)
        for note, following in itertools.pairwise(ordered)
    ]
    return InstrumentTrack.from_notes(track.program, track.is_drum, [*cut, *ordered[-1:]])


class Melody:
    """A melody by bars: for each bar its notes, starts counted from the bar."""

    def __init__(self, bars: Sequence[Bar], track: InstrumentTrack) -> None:
        self.bars = tuple(bars)
        self.notes: list[list[Note]] = [[] for _ in bars]
        start, bar = 0, 0
        for note in track.notes:
            while note.start >= start + self.bars[bar].positions:
                start += self.bars[bar].positions
                bar += 1
            self.notes[bar].append(Note(note.start - start, note.pitch, note.duration, note.velocity))


class MelodyGrammar(GuidedGrammar):
    """The grammar with a melody that must be said.

    Args:
        first_bar: which bar of the melody is the first one sampled.
        guide: see `GuidedGrammar`; the melody itself follows none.
    """

    def __init__(
        self, constraints: Constraints, melody: Melody, first_bar: int = 0, guide: Guide | None = None
    ) -> None:
        super().__init__(constraints, guide)
        self.melody, self.first_bar = melody, first_bar
        self.free = frozenset((0,))
        self.sampling = False
        self.said = 0  # of this bar's melody notes

    def start_sampling(self) -> None:
        """Begin with the first note of the melody."""
        super().start_sampling()
        self.sampling, self.said = True, 0

    def _find_bar(self) -> int:
        return self.first_bar + self.bars - 1

    def _find_next_note(self) -> Note | None:
        """Find the melody's next note in this bar."""
        index = self._find_bar()
        if not self.bars or index >= len(self.melody.notes):
            return None
        notes = self.melody.notes[index]
        return notes[self.said] if self.said < len(notes) else None

    def allow(self, allowed: Allowed) -> None:
        """Mark what the grammar allows and the melody leaves open."""
        super().allow(allowed)
        if self.ended or self.after in _IN_FRONT or not self.sampling:
            return
        note = self._find_next_note()
        forced = self._force_timeline()
        if forced is None and note is not None:
            forced = self._force_note(note)
        if forced is not None:
            allowed[:] = False
            allowed[forced] = True
            return
        allowed[TRACK.first] = False
        if self.track == 0:
            allowed[VELOCITY.first : VELOCITY.stop] = False
            allowed[PITCH.first : PITCH.stop] = False
        if note is not None and self.after in ("Bar", "Meter", "Tempo", "Note"):
            allowed[POSITION.first + note.start + 1 : POSITION.stop] = False
            allowed[POSITION.first + note.start] = True
            allowed[BAR.first] = allowed[EOS.first] = False

    def _force_timeline(self) -> int | None:
        """Return Meter or Tempo of the melody's bar where it differs from what holds."""
        index = self._find_bar()
        if self.after not in ("Bar", "Meter") or not self.bars or index >= len(self.melody.bars):
            return None
        bar = self.melody.bars[index]
        if self.after == "Bar" and bar.meter != self.meter:
            return METER.to_token(bar.meter)
        return TEMPO.to_token(bar.tempo) if bar.tempo != self.tempo else None

    def _force_note(self, note: Note) -> int | None:
        """Return the next token of the melody's note if it is due now."""
        here = self.position == note.start and (self.after == "Position" or self.track == 0)
        if not here or self.after not in ("Position", "Track", "Velocity", "Pitch", "Note"):
            return None
        if self.track != 0:
            return TRACK.to_token(0)
        if self.after == "Pitch":
            return DURATION.to_token(find_duration(note.duration))
        if self.velocities[0] != note.velocity:
            return VELOCITY.to_token(note.velocity)
        return PITCH.to_token(note.pitch)

    def advance(self, token: int) -> None:
        """Take the chosen token, and count the notes of the melody that are said."""
        super().advance(token)
        kind = KIND_OF[token]
        if kind is BAR:
            self.said = 0
        elif kind is DURATION and self.track == 0:
            self.said += 1
