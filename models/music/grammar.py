"""Which tokens may come next: a state machine over the vocabulary.

`Grammar.allow` marks the tokens that keep a sequence in the form that `models.music.tokenizer.encode_piece` writes;
`Grammar.advance` takes the token that was chosen. Whatever is sampled under it decodes to music, and encoding that
music gives the same tokens again: positions rise within a bar and stay inside it, tracks and pitches rise at one
onset, nothing is said twice, a pitch that still sounds is not struck, an end comes only after a note.

A prompt is taken in with `advance` as well, which is lenient: a token that `allow` would not give moves the state as
far as it makes sense.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.music.constraints import Constraints
from models.music.controls import CONTROL_KINDS
from models.music.score import COMMON_TIME, DEFAULT_TEMPO, MAX_BARS
from models.music.vocabulary import (
    AFTER,
    BAR,
    BEFORE,
    BOS,
    DRUM,
    DRUMS,
    DURATION,
    DURATIONS,
    EOS,
    KIND_OF,
    MASK,
    MAX_TRACKS,
    METER,
    PITCH,
    POSITION,
    PROGRAM,
    SEPARATOR,
    TEMPO,
    TRACK,
    VELOCITY,
    VOCABULARY_SIZE,
    TokenKind,
    count_positions,
)

Allowed = NDArray[np.bool_]
DRUM_TRACK = MAX_TRACKS  # the drums' row where melodic tracks have theirs
NEVER = 2**62
_METER_POSITIONS = tuple(count_positions(index) for index in range(METER.count))


@dataclass(frozen=True)
class _BarlineState:
    """A barline: what holds there and what still sounds."""

    meter: int
    tempo: int
    bar_start: int
    sounding_until: NDArray[np.int64]


class Grammar:
    """The state of one sequence.

    `after` says what the last token was, as far as that decides what may follow: the name of its kind, or "Note" for a
    finished note, "Controls" and "Header" in front.
    """

    def __init__(self, constraints: Constraints | None = None) -> None:
        self.constraints = constraints or Constraints()
        self.after = "Start"
        self.controls_said = 0
        self.ended = False
        self.tracks: list[int] = []
        self.melodic_tracks = 0
        self.meter, self.tempo = COMMON_TIME, DEFAULT_TEMPO
        self.masks = 0
        self.end_of_before: _BarlineState | None = None
        self.bars = 0  # begun by this grammar's sampling, or in the answer of an infilling
        self.bar_start = 0
        self.bar_positions = 0
        self.has_notes = False
        self.bar_has_notes = False
        self.empty_bars = 0
        self.position = -1
        self.track = -1
        self.floor = -1
        self.pitch = -1
        self.velocities = [-1] * (MAX_TRACKS + 1)
        self.sounding_until = np.zeros((MAX_TRACKS + 1, 128), dtype=np.int64)
        if self.constraints.pitches is not None:
            self.sounding_until[:MAX_TRACKS] = NEVER
            self.sounding_until[:MAX_TRACKS, list(self.constraints.pitches)] = 0
        self.longest = max(i for i, d in enumerate(DURATIONS) if d <= max(1, self.constraints.max_duration)) + 1

    # ---- what may come next

    def allow(self, allowed: Allowed) -> None:
        """Fill bool (VOCABULARY_SIZE,) with which tokens may come next; after the end only Eos."""
        allowed[:] = False
        if self.ended:
            allowed[EOS.first] = True
        elif self.after == "Start":
            allowed[BOS.first] = True
        elif self.after == "Controls":
            self._allow_control(allowed)
        elif self.after in ("Header", "Drums in front"):
            self._allow_tracks(allowed)
        elif self.after == "Track in front":
            self._allow_only(allowed, PROGRAM, self._find_asked_program())
        elif self.after == "Pitch":
            allowed[DURATION.first : DURATION.first + self.longest] = True
        elif self.after in ("Position", "Track", "Velocity"):
            self._allow_note(allowed)
        else:  # Bar, Meter, Tempo, Note, After, Separator: in a bar or between bars
            self._allow_next(allowed)

    def _allow_only(self, allowed: Allowed, kind: TokenKind, value: int | None) -> None:
        """Allow one value of a kind, or all of them where None is asked."""
        if value is None:
            allowed[kind.first : kind.stop] = True
        else:
            allowed[kind.to_token(value)] = True

    def _allow_control(self, allowed: Allowed) -> None:
        kind = CONTROL_KINDS[self.controls_said]
        self._allow_only(allowed, kind, self.constraints.controls.get(kind.name))

    def _find_asked_program(self) -> int | None:
        """Find the program that the track just begun in front must have, if any is asked."""
        programs = self.constraints.programs
        index = self.melodic_tracks - 1
        return programs[index] if programs is not None and index < len(programs) else None

    def _allow_tracks(self, allowed: Allowed) -> None:
        """Allow, in front, the next track, the drums, or the first bar."""
        programs, drums = self.constraints.programs, self.constraints.drums
        wanted = MAX_TRACKS if programs is None else len(programs)
        if self.after != "Drums in front":
            if self.melodic_tracks < wanted:
                allowed[TRACK.first + self.melodic_tracks] = True
                if programs is not None:
                    return
            if drums is not False:
                allowed[DRUMS.first] = True
                if drums or (programs == () and not self.tracks):
                    return
        if self.tracks:
            allowed[BAR.first] = True

    def find_free_pitches(self, track: int) -> Allowed:
        """Find which pitches above the last one at this onset can be struck, bool (127 - floor,)."""
        return self.sounding_until[track, self.floor + 1 :] <= self.bar_start + self.position

    def _allow_velocity_and_pitch(self, allowed: Allowed) -> None:
        """Allow another velocity or a pitch in the current track at the current onset."""
        free = self.find_free_pitches(self.track)
        if not free.any():
            return
        velocity = self.velocities[self.track]
        if self.after != "Velocity":
            allowed[VELOCITY.first : VELOCITY.stop] = True
            if velocity >= 0:
                allowed[VELOCITY.first + velocity] = False
        if velocity >= 0:
            kind = DRUM if self.track == DRUM_TRACK else PITCH
            allowed[kind.first + self.floor + 1 : kind.stop] = free

    def _allow_other_tracks(self, allowed: Allowed, above: int) -> None:
        """Allow tracks after `above` that can strike any pitch at the current onset."""
        now = self.bar_start + self.position
        for track in self.tracks:
            if track > above and track != self.track and self.sounding_until[track].min() <= now:
                allowed[TRACK.first + track] = True  # Drums is the token after the last Track

    def _allow_note(self, allowed: Allowed) -> None:
        """Allow what leads to a note after Position, Track or Velocity."""
        if self.after == "Position":
            self._allow_other_tracks(allowed, -1)
        if self.track >= 0:
            self._allow_velocity_and_pitch(allowed)

    def _allow_next(self, allowed: Allowed) -> None:
        """Allow, in a bar, more notes here, a later position, the next bar or the end; first its own meter and
        tempo.
        """
        if self.after == "Note":
            self._allow_velocity_and_pitch(allowed)
            self._allow_other_tracks(allowed, self.track)
        elif self.after in ("Bar", "Meter"):
            if self.after == "Bar" and self.constraints.may_change_meter:
                allowed[METER.first : METER.stop] = True
                allowed[METER.first + self.meter] = False
            if self.constraints.may_change_tempo:
                allowed[TEMPO.first : TEMPO.stop] = True
                allowed[TEMPO.first + self.tempo] = False
        if self.bar_positions:
            first = max(self.position + 1, self._find_first_free() - self.bar_start)
            allowed[POSITION.first + first : POSITION.first + self.bar_positions] = True
        self._allow_bar_or_end(allowed)

    def _find_first_free(self) -> int:
        """Find when, from the piece's start, any track can strike any pitch."""
        return int(min(self.sounding_until[track].min() for track in self.tracks))

    def _allow_bar_or_end(self, allowed: Allowed) -> None:
        """Allow the next bar or the end."""
        wanted = self.constraints.bars
        silent_for = 0 if self.bar_has_notes else self.empty_bars + 1  # this bar counted, if one was begun
        can_wait = self.bars == 0 or silent_for <= self.constraints.max_empty_bars
        notes_can_begin = bool(allowed[POSITION.first : POSITION.stop].any())
        more = self.bars < (MAX_BARS if wanted is None else wanted)
        last = wanted is not None and self.bars >= wanted
        allowed[BAR.first] = more and (can_wait or not notes_can_begin)
        if last:
            allowed[EOS.first] = self.has_notes or not notes_can_begin
        elif wanted is None:
            allowed[EOS.first] = self.has_notes and self.bars > 0
        if not allowed.any():
            allowed[EOS.first] = True

    def weigh(self, tokens: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Return what is added to the logits of `tokens` (n,), in nats; None for nothing."""
        return None

    # ---- what was chosen

    def advance(self, token: int) -> None:
        """Take a token of a prompt, or the one that was sampled."""
        kind = KIND_OF[token]
        _ADVANCE.get(kind.name, Grammar._ignore)(self, token - kind.first)

    def start_sampling(self) -> None:
        """Count bars from here, where the prompt is in (in an infilling, from Separator)."""
        if not self.masks:
            self.bars = 1 if self.after == "Bar" else 0

    def _ignore(self, value: int) -> None:
        """Pad changes nothing."""

    def _take_bos(self, value: int) -> None:
        self.after = "Controls"

    def _take_eos(self, value: int) -> None:
        self.ended = True

    def _take_control(self, value: int) -> None:
        self.controls_said += 1
        self.after = "Controls" if self.controls_said < len(CONTROL_KINDS) else "Header"

    def _take_meter(self, value: int) -> None:
        self.meter = value
        if self.after == "Controls":
            self._take_control(value)
        else:
            self.bar_positions = _METER_POSITIONS[value]
            self.after = "Meter"

    def _take_tempo(self, value: int) -> None:
        self.tempo = value
        if self.after == "Controls":
            self._take_control(value)
        else:
            self.after = "Tempo"

    def _take_track(self, value: int) -> None:
        if self.after == "Header":
            self.tracks.append(value)
            self.melodic_tracks += 1
            self.after = "Track in front"
        else:
            self.track, self.floor, self.after = value, -1, "Track"

    def _take_drums(self, value: int) -> None:
        if self.after == "Header":
            self.tracks.append(DRUM_TRACK)
            self.after = "Drums in front"
        else:
            self.track, self.floor, self.after = DRUM_TRACK, -1, "Track"

    def _take_program(self, value: int) -> None:
        self.after = "Header"

    def _take_bar(self, value: int) -> None:
        self.empty_bars = 0 if self.bar_has_notes or not self.bars else self.empty_bars + 1
        self.bar_start += self.bar_positions
        self.bar_positions = _METER_POSITIONS[self.meter]
        self.bars += 1
        self.bar_has_notes = False
        self.position = self.track = self.floor = -1
        self.velocities = [-1] * (MAX_TRACKS + 1)
        self.after = "Bar"

    def _take_position(self, value: int) -> None:
        self.position, self.floor, self.after = value, -1, "Position"

    def _take_velocity(self, value: int) -> None:
        self.velocities[self.track] = value
        self.after = "Velocity"

    def _take_pitch(self, value: int) -> None:
        self.pitch, self.after = value, "Pitch"

    def _take_duration(self, value: int) -> None:
        self.sounding_until[self.track, self.pitch] = self.bar_start + self.position + DURATIONS[value]
        self._finish_note(self.pitch)

    def _take_drum(self, value: int) -> None:
        self._finish_note(value)

    def _finish_note(self, pitch: int) -> None:
        self.floor, self.after = pitch, "Note"
        self.has_notes = self.bar_has_notes = True

    def _take_before(self, value: int) -> None:
        self.after = "Before"

    def _take_mask(self, value: int) -> None:
        self.masks += 1
        self._close_before()

    def _take_after(self, value: int) -> None:
        self._close_before()
        self.after = "After"

    def _close_before(self) -> None:
        """Remember, at the end of the bars before those to be written, what the answer starts from."""
        self.bar_start += self.bar_positions
        self.bar_positions = 0
        self.bar_has_notes = False
        if self.end_of_before is None:
            self.end_of_before = _BarlineState(self.meter, self.tempo, self.bar_start, self.sounding_until.copy())

    def _take_separator(self, value: int) -> None:
        """Begin the answer where the bars before it ended; their last notes may sound on into it."""
        self._close_before()
        if self.end_of_before is not None:
            self.meter, self.tempo = self.end_of_before.meter, self.end_of_before.tempo
            self.bar_start = self.end_of_before.bar_start
            self.sounding_until = self.end_of_before.sounding_until.copy()
        self.bars = self.empty_bars = 0
        self.constraints = replace(self.constraints, bars=min(max(1, self.masks), MAX_BARS))
        self.after = "Separator"


_ADVANCE = {
    BOS.name: Grammar._take_bos,
    EOS.name: Grammar._take_eos,
    BEFORE.name: Grammar._take_before,
    MASK.name: Grammar._take_mask,
    AFTER.name: Grammar._take_after,
    SEPARATOR.name: Grammar._take_separator,
    **{kind.name: Grammar._take_control for kind in CONTROL_KINDS},
    METER.name: Grammar._take_meter,
    TEMPO.name: Grammar._take_tempo,
    TRACK.name: Grammar._take_track,
    DRUMS.name: Grammar._take_drums,
    PROGRAM.name: Grammar._take_program,
    BAR.name: Grammar._take_bar,
    POSITION.name: Grammar._take_position,
    VELOCITY.name: Grammar._take_velocity,
    PITCH.name: Grammar._take_pitch,
    DURATION.name: Grammar._take_duration,
    DRUM.name: Grammar._take_drum,
}


def make_mask() -> Allowed:
    """Make a mask for `Grammar.allow` to fill."""
    return np.zeros(VOCABULARY_SIZE, dtype=np.bool_)
