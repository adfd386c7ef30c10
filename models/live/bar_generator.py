"""Bars without end, one after another, by the Music Transformer from the bars before and the knobs.

A bar depends on the bars before it (as many as fit into the prompt), the knobs, the seed and its number, and on nothing
else; so the same seed and the same turns of the knobs give the same music, and a turn changes only what follows.

The band and the drummer are written apart: in one row the drums were found to fall silent after some bars, and the
drummers of the training data never heard the band anyway. Both keep the same beat.

What the model is shown of the past is brought to the present: another key transposes it, another mode moves its
thirds, sixths and sevenths, other instruments take the parts over. So a new key is there in the next bar, where the
model would otherwise have to find its way out of the old one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from models.live.controls import LiveControls
from models.music.composer import MusicComposer
from models.music.constraints import Constraints
from models.music.controls import MusicControls
from models.music.copy_detector import MAX_SHARED_NOTES
from models.music.grammar import Grammar
from models.music.piece_builder import DRUM_TRACK, WrittenNote
from models.music.playback import BarParser
from models.music.prompts import make_continuation_prompt
from models.music.sampling import SamplingSettings
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import PITCH_CLASSES, to_velocity

PROMPT_TOKENS = 288
HISTORY_BARS = 12  # kept of the past: more than the prompt holds
BAR_TOKENS = 224
GUIDANCE = 2.0
TRIES = 2  # of a bar, where an instrument has been silent for two bars, or a passage is a copy
TOP_P = 0.96
BAND, DRUMS, ANSWER = 0, 1, 2  # the third number of a seed
FULL_EFFORT, LESS_EFFORT = 1, 0


class GenerationCancelled(Exception):
    """The bar that is being written is no longer wanted: the knobs were turned meanwhile."""


@dataclass(frozen=True)
class LiveNote:
    """A note of a bar: `start` and `duration` in grid positions from the bar's start, velocity 1 to 127."""

    start: int
    duration: int
    pitch: int
    velocity: int
    program: int
    is_drum: bool
    probability: float = 1.0


@dataclass(frozen=True, eq=False)
class LiveBar:
    """A written bar.

    Attributes:
        index: from 0.
        controls: what was asked when it was written; its tempo is that of the bar.
        band: the band's notes as the model wrote them; `track` is an index of `controls.instruments`.
        drums: the drummer's notes.
        notes: all of them as they are played.
        took_s: how long the writing took.
    """

    index: int
    controls: LiveControls
    band: tuple[WrittenNote, ...]
    drums: tuple[WrittenNote, ...]
    notes: tuple[LiveNote, ...]
    took_s: float = 0.0


def match_parts(old: Sequence[int], new: Sequence[int]) -> dict[int, int]:
    """Match each old track's part with a new track: the same instrument, else the next one that is free."""
    taken: dict[int, int] = {}
    free = list(range(len(new)))
    for track, program in enumerate(old):
        found = next((other for other in free if new[other] == program), None)
        if found is not None:
            taken[track] = found
            free.remove(found)
    for track in range(len(old)):
        if track not in taken and free:
            taken[track] = free.pop(0)
    return taken


def count_semitones(old: LiveControls, new: LiveControls) -> int:
    """Count the semitones from one tonic to the other by the shorter way, -6 to 5."""
    return (PITCH_CLASSES.index(new.tonic) - PITCH_CLASSES.index(old.tonic) + 6) % 12 - 6


def transpose_to_key(pitch: int, old: LiveControls, new: LiveControls) -> int:
    """Transpose a pitch of the old key to the new: to the new tonic, and its degree to the new mode."""
    degree = (pitch - PITCH_CLASSES.index(old.tonic)) % 12
    moved = pitch + count_semitones(old, new)
    if old.mode != new.mode:
        if new.mode == "minor" and degree in (4, 9, 11):
            moved -= 1
        elif new.mode == "major" and degree in (3, 8, 10):
            moved += 1
    return moved - 12 if moved > 127 else moved + 12 if moved < 0 else moved


class BarGenerator:
    """A generator of bars and answers with a composer's network; several people may share one.

    Args:
        composer: its sampler and its copy detector are used.
    """

    def __init__(self, composer: MusicComposer) -> None:
        self.composer = composer
        self._lock = threading.Lock()  # one row is sampled at a time: two would take turns anyway, each half as fast

    def generate(
        self,
        index: int,
        history: Sequence[LiveBar],
        controls: LiveControls,
        seed: int,
        effort: int = FULL_EFFORT,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> LiveBar:
        """Write bar `index` after the bars of `history`, of which the last HISTORY_BARS are looked at.

        Raises:
            NoLongerWanted: `is_wanted`, asked before each token, said so.
        """
        past = list(history[-HISTORY_BARS:])
        band = self._write_band(index, past, controls, seed, effort, is_wanted) if controls.instruments else ()
        drums = self._write_drums(index, past, controls, seed, is_wanted) if controls.drums else ()
        return LiveBar(index, controls, band, drums, _list_played_notes(band, drums, controls))

    def _write_band(
        self,
        index: int,
        past: Sequence[LiveBar],
        controls: LiveControls,
        seed: int,
        effort: int,
        is_wanted: Callable[[], bool],
    ) -> tuple[WrittenNote, ...]:
        piece = build_band_prompt(past, controls)
        silent = set(range(len(controls.instruments))) - {note.track for note in _find_recent_notes(past, controls)}
        best: tuple[float, tuple[WrittenNote, ...]] = (-1.0, ())
        for attempt in range(TRIES if effort else 1):
            guidance = GUIDANCE if effort else 1.0
            each = (seed, index, BAND, attempt)
            notes = self._sample_bar(piece, controls.build_band_controls(), controls.bar, each, guidance, is_wanted)
            missing = silent - {note.track for note in notes}
            fit = 1.0 - len(missing) / max(1, len(controls.instruments)) if past else float(not missing)
            if notes and self._is_copied(piece, controls, notes):
                fit = -0.5
            if fit > best[0]:
                best = (fit, notes)
            if fit >= 1.0:
                break
        return best[1]

    def _write_drums(
        self, index: int, past: Sequence[LiveBar], controls: LiveControls, seed: int, is_wanted: Callable[[], bool]
    ) -> tuple[WrittenNote, ...]:
        piece = build_drum_prompt(past, controls)
        notes = self._sample_bar(
            piece, controls.build_drum_controls(), controls.bar, (seed, index, DRUMS, 0), 1.0, is_wanted
        )
        return tuple(replace(note, track=DRUM_TRACK) for note in notes)

    def generate_answer(
        self, phrase: Piece, bars: int, controls: LiveControls, seed: int, number: int
    ) -> tuple[tuple[WrittenNote, ...], ...]:
        """Write bars that continue a phrase of one track, as the model would go on with it.

        Args:
            phrase: ends where the answer begins.
            number: of the answer, so that each has a seed of its own.
        """
        written: list[tuple[WrittenNote, ...]] = []
        piece = phrase
        for index in range(bars):
            notes = self._sample_bar(
                piece, controls.build_band_controls(), controls.bar, (seed, number, ANSWER, index), 1.0
            )
            written.append(notes)
            piece = append_bar(piece, controls.bar, notes)
        return tuple(written)

    def _sample_bar(
        self,
        piece: Piece,
        asked: MusicControls,
        bar: Bar,
        seed: tuple[int, ...],
        guidance: float,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> tuple[WrittenNote, ...]:
        """Sample one bar after a piece whose tracks are those that shall play."""
        # Two bars are allowed and one is taken: it ends where the model begins the next. Told to end after one, the
        # model would have to end the piece, which it does not want, and fills the bar with noise instead.
        constraints = Constraints(bars=2, may_change_meter=False, may_change_tempo=False, max_empty_bars=0)
        prompt = make_continuation_prompt(piece, asked, constraints, PROMPT_TOKENS)
        settings = SamplingSettings(
            top_p=TOP_P,
            guidance=guidance,
            max_tokens=BAR_TOKENS,
            seed=int(np.random.SeedSequence(seed).generate_state(1)[0]),
        )
        parser = BarParser(0, bar, in_front=False)
        written: list[WrittenNote] | None = None
        with (
            self._lock,
            closing(self.composer.sampler.stream([prompt.tokens], settings, constraints, Grammar)) as steps,
        ):
            for step in steps:
                if not is_wanted():
                    raise GenerationCancelled
                token = step.tokens[0]
                finished = parser.take(token, step.probabilities[0]) if token is not None else None
                if finished is not None:
                    written = finished[1]
                    break
        if written is None:
            written = parser.close()[1]
        drums = len(piece.tracks) - 1 if piece.tracks and piece.tracks[-1].is_drum else None
        inside = [replace(n, track=drums) if n.track == DRUM_TRACK and drums is not None else n for n in written]
        return tuple(n for n in inside if 0 <= n.start < bar.positions and 0 <= n.track < len(piece.tracks))

    def _is_copied(self, piece: Piece, controls: LiveControls, notes: Sequence[WrittenNote]) -> bool:
        detector = self.composer.copy_detector
        if detector is None:
            return False
        after = detector.find_longest_run(append_bar(piece, controls.bar, notes)).notes
        return after > MAX_SHARED_NOTES and after > detector.find_longest_run(piece).notes


def _find_recent_notes(past: Sequence[LiveBar], controls: LiveControls) -> list[WrittenNote]:
    """Return the notes of the last bar, as tracks of the present instruments."""
    return _adapt_bar(past[-1], controls) if past else []


def _adapt_bar(bar: LiveBar, controls: LiveControls) -> list[WrittenNote]:
    """Bring a past bar's band notes to the present key and the present instruments."""
    parts = match_parts(bar.controls.instruments, controls.instruments)
    return [
        replace(note, pitch=transpose_to_key(note.pitch, bar.controls, controls), track=parts[note.track])
        for note in bar.band
        if note.track in parts
    ]


def build_band_prompt(past: Sequence[LiveBar], controls: LiveControls) -> Piece:
    """Build what the band is shown of the past."""
    return _build_piece(
        [_adapt_bar(bar, controls) for bar in past],
        controls.bar,
        [(program, False) for program in controls.instruments],
    )


def build_drum_prompt(past: Sequence[LiveBar], controls: LiveControls) -> Piece:
    """Build what the drummer is shown of the past; bars without drums are left out."""
    played = [[replace(note, track=0) for note in bar.drums] for bar in past if bar.drums]
    return _build_piece(played, controls.bar, [(0, True)])


def _build_piece(bars: Sequence[Sequence[WrittenNote]], bar: Bar, tracks: Sequence[tuple[int, bool]]) -> Piece:
    notes: list[list[Note]] = [[] for _ in tracks]
    for index, written in enumerate(bars):
        for note in written:
            start = index * bar.positions + note.start
            notes[note.track].append(Note(start, note.pitch, note.duration, note.velocity))
    made = tuple(
        InstrumentTrack.from_notes(program, is_drum, each)
        for (program, is_drum), each in zip(tracks, notes, strict=True)
    )
    return Piece((bar,) * len(bars), made)


def append_bar(piece: Piece, bar: Bar, notes: Sequence[WrittenNote]) -> Piece:
    """Append one bar to a piece."""
    start = piece.positions
    added: list[list[Note]] = [list(track.notes) for track in piece.tracks]
    for note in notes:
        added[note.track].append(Note(start + note.start, note.pitch, note.duration, note.velocity))
    tracks = tuple(
        InstrumentTrack.from_notes(track.program, track.is_drum, each)
        for track, each in zip(piece.tracks, added, strict=True)
    )
    return Piece((*piece.bars, bar), tracks)


def _list_played_notes(
    band: Sequence[WrittenNote], drums: Sequence[WrittenNote], controls: LiveControls
) -> tuple[LiveNote, ...]:
    played = [_make_live_note(note, controls.instruments[note.track], False, controls) for note in band]
    played += [_make_live_note(note, 0, True, controls) for note in drums]
    return tuple(sorted(played, key=lambda note: (note.start, note.is_drum, note.program, note.pitch)))


def _make_live_note(note: WrittenNote, program: int, is_drum: bool, controls: LiveControls) -> LiveNote:
    velocity = min(127, max(1, round(to_velocity(note.velocity) * controls.loudness)))
    return LiveNote(note.start, note.duration, note.pitch, velocity, program, is_drum, note.probability)
