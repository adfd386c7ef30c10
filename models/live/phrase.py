"""Call and response: a person's phrase becomes the prompt, its continuation by the model the answer.

A phrase ends PAUSE_S after its last key was let go. The answer is written as soon as all keys are up, before it is
known whether the phrase has ended; if another key comes first, it is thrown away. It begins on the beat's grid, at the
first place that is not rendered yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from models.live.bar_generator import BarGenerator
from models.live.controls import LiveControls
from models.live.music_stream import BarMark, ExtraNote
from models.music.piece_builder import WrittenNote
from models.music.score import InstrumentTrack, Note, Piece
from models.music.vocabulary import VELOCITY_STEP, to_velocity

PAUSE_S = 0.25
MAX_PHRASE_NOTES = 64
MAX_ANSWER_BARS = 2
GRID_S = 0.2  # the answer begins on the coarsest of quarters, eighths and sixteenths that is no coarser than this


@dataclass
class PlayedNote:
    """A key that was pressed, in seconds of the stream as the person heard it; `end_s` None while it is held."""

    pitch: int
    velocity: int
    start_s: float
    end_s: float | None = None


@dataclass
class Phrase:
    """The keys of a phrase; `revision` changes with every key."""

    notes: list[PlayedNote] = field(default_factory=list)
    revision: int = 0
    released_at: float = 0.0  # on the caller's clock: when the last key was let go

    @property
    def is_open(self) -> bool:
        """Return whether a key is held."""
        return any(note.end_s is None for note in self.notes)

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """Take a key that goes down; of a phrase too long forget the oldest notes."""
        self.release(pitch, at_s, self.released_at)
        self.notes = [*self.notes, PlayedNote(pitch, velocity, at_s)][-MAX_PHRASE_NOTES:]
        self.revision += 1

    def release(self, pitch: int, at_s: float, now: float) -> PlayedNote | None:
        """Take a key that comes up and return its note, None if it was not held."""
        for note in reversed(self.notes):
            if note.pitch == pitch and note.end_s is None:
                note.end_s = max(at_s, note.start_s + 0.03)
                self.revision += 1
                self.released_at = now
                return note
        return None

    def take(self) -> list[PlayedNote]:
        """Return the finished notes and empty the phrase."""
        notes, self.notes = self.notes, []
        self.revision += 1
        return notes


def place_on_grid(notes: list[PlayedNote], controls: LiveControls, program: int) -> tuple[Piece, int]:
    """Place a phrase on the grid so that it ends at a bar line, and count its bars.

    It ends a quarter's length after its last onset, or with its last note, on a quarter counted from its first onset.
    """
    each = controls.second_a_position
    first_s = notes[0].start_s
    placed = [
        (round((n.start_s - first_s) / each / 6) * 6, max(6, round(((n.end_s or n.start_s) - n.start_s) / each)), n)
        for n in notes
    ]
    last = max(start for start, _, _ in placed)
    end = max(last + 24, *(start + min(length, 48) for start, length, _ in placed))
    end = -(-end // 24) * 24
    positions = controls.bar.positions
    bars = max(1, -(-end // positions))
    shift = bars * positions - end
    made = [
        Note(shift + start, note.pitch, min(length, bars * positions - shift - start), note.velocity // VELOCITY_STEP)
        for start, length, note in placed
    ]
    return Piece((controls.bar,) * bars, (InstrumentTrack.from_notes(program, False, made),)), bars


def write_answer(
    bar_generator: BarGenerator, notes: list[PlayedNote], controls: LiveControls, program: int, seed: int, number: int
) -> list[WrittenNote]:
    """Write the answer's notes, their starts counted from its beginning."""
    piece, bars = place_on_grid(notes, controls, program)
    written = bar_generator.generate_answer(piece, min(bars, MAX_ANSWER_BARS), controls, seed, number)
    positions = controls.bar.positions
    found = [
        WrittenNote(index * positions + n.start, n.pitch, n.duration, n.velocity, 0, n.probability)
        for index, bar in enumerate(written)
        for n in bar
    ]
    offset = min((note.start for note in found), default=0) // 24 * 24  # an answer that hesitates begins at once
    return [WrittenNote(n.start - offset, n.pitch, n.duration, n.velocity, 0, n.probability) for n in found]


def measure_grid_s(controls: LiveControls) -> float:
    """Return how far apart the places are at which an answer may begin."""
    quarter_s = 24 * controls.second_a_position
    return next((quarter_s / part for part in (1, 2) if quarter_s / part <= GRID_S), quarter_s / 4)


def snap_to_grid(mark: BarMark, earliest_s: float) -> float:
    """Find the first place of the grid at or after a time, given the bar that sounds then (or the last one known)."""
    step_s = measure_grid_s(mark.controls)
    return mark.start_s + math.ceil((earliest_s - mark.start_s) / step_s - 1e-6) * step_s


def schedule_answer(notes: list[WrittenNote], controls: LiveControls, program: int, start_s: float) -> list[ExtraNote]:
    """Turn the answer into notes of the stream."""
    each = controls.second_a_position
    return [
        ExtraNote(start_s + n.start * each, n.duration * each, n.pitch, to_velocity(n.velocity), program) for n in notes
    ]
