"""The grammar of a band: instruments keep to their ranges and manners, no part falls silent, a piece ends on its tonic.

Basses and wind instruments play one note at a time, drums are those of a kit. A part that has been silent for
`Constraints.max_silent_bars` bars plays before the next bar may begin; where that is one bar, drums play in every one.
With `Constraints.ends` the last bar is a held triad of the key, struck at its beginning by everybody, with the tonic in
the lowest part, below which nobody plays.
"""

from __future__ import annotations

import numpy as np

from models.music.constraints import Constraints
from models.music.controls import NO_KEY
from models.music.grammar import DRUM_TRACK, NEVER, Allowed, Grammar
from models.music.instrument_ranges import KIT, find_range, is_bass, plays_one_line
from models.music.score import MAX_TRACKS
from models.music.vocabulary import (
    BAR,
    DRUM,
    DRUMS,
    DURATION,
    DURATIONS,
    EOS,
    KEY,
    KIND_OF,
    PITCH,
    POSITION,
    PROGRAM,
    TRACK,
    VELOCITY,
)

_MELODIC_KEYS = 24
MOST_NOTES, MOST_FINAL_NOTES = 6, 4  # of a track that plays chords, at once
BASS_CEILING = 48  # of the last bar's tonic where a bass plays it; the others stay above
LEAST_SHARE = 0.9  # of the bars, in which a part plays that may be silent for one bar at a time


class BandGrammar(Grammar):
    """The state of one sequence that a band plays."""

    def __init__(self, constraints: Constraints | None = None) -> None:
        super().__init__(constraints)
        self.key = NO_KEY
        self.programs: dict[int, int] = {}
        self.silent_for: dict[int, int] = {}  # bars ended in a row without a note of the track
        self.bars_of: dict[int, int] = {}  # bars with a note of the track
        self.bars_before = 0  # of the piece, before the answer
        self.begins_piece = True  # no bar came before those that are sampled
        self.sounded: set[int] = set()  # tracks in this bar
        self.struck_here = 0  # notes of the track at this onset
        self.free: frozenset[int] = frozenset()  # tracks that are not the grammar's concern
        for pitch in range(128):
            if pitch not in KIT:
                self.sounding_until[DRUM_TRACK, pitch] = NEVER

    # ---- what may come next

    def allow(self, allowed: Allowed) -> None:
        """Mark what the grammar allows and the band plays."""
        super().allow(allowed)
        if self.ended or self.after in ("Start", "Controls", "Header", "Drums in front", "Track in front"):
            return
        before = allowed.copy()
        if self.after == "Pitch":
            self._allow_held(allowed)
        else:
            if self.after == "Note" and self.track != DRUM_TRACK and self.struck_here >= self._count_most(self.track):
                allowed[VELOCITY.first : VELOCITY.stop] = False
                allowed[PITCH.first : PITCH.stop] = False
            if self._is_last_bar():
                self._allow_cadence(allowed)
            self._call_silent_parts(allowed)
        if not allowed.any():
            allowed[:] = before

    def _count_most(self, track: int) -> int:
        """Return how many notes a track may strike at once."""
        if track in self.free:
            return 128
        return 1 if plays_one_line(self.programs.get(track, 0)) else MOST_NOTES

    def _is_last_bar(self) -> bool:
        return self.constraints.ends and self.bars > 0 and self.bars == self.constraints.bars

    def _call_silent_parts(self, allowed: Allowed) -> None:
        """Refuse the next bar, and late in a bar other parts, while a part is due that can still play."""
        due = self._list_due()
        if not due or not self.bars:
            return
        called = [track for track in due if allowed[TRACK.first + track]]
        if called and 2 * self.position >= self.bar_positions:
            allowed[TRACK.first : TRACK.first + MAX_TRACKS + 1] = False
            allowed[TRACK.first + called[0]] = True
            if self.after == "Position":
                allowed[VELOCITY.first : VELOCITY.stop] = allowed[PITCH.first : PITCH.stop] = False
                allowed[DRUM.first : DRUM.stop] = False
        if self.after == "Position":
            return
        here = bool(called)
        later = allowed[POSITION.first : POSITION.stop].any()
        if here or later:
            allowed[BAR.first] = allowed[EOS.first] = False

    def _list_due(self) -> list[int]:
        """List the tracks that must play in this bar and have not yet."""
        most = self.constraints.max_silent_bars
        if most is None:
            return []
        is_first = self.begins_piece and self.bars == 1
        most = 0 if self._is_last_bar() or is_first else most
        missing = [track for track in self.tracks if track not in self.sounded and track not in self.free]
        rare = LEAST_SHARE * (self.bars - 1 + self.bars_before)
        return [
            track
            for track in missing
            if self.silent_for.get(track, 0) >= (0 if track == DRUM_TRACK and most < 2 else most)
            or (most < 2 and self.bars_of.get(track, 0) < rare)
        ]

    def _allow_cadence(self, allowed: Allowed) -> None:
        """Leave the last bar its first beat, where each part in turn strikes notes of the key's triad."""
        melodic = [track for track in self.tracks if track != DRUM_TRACK]
        if self.position < 0 and not self._can_start_at_once(melodic):
            return
        allowed[POSITION.first + (self.position < 0) : POSITION.stop] = False
        if self.after == "Note" and self.struck_here >= MOST_FINAL_NOTES:
            allowed[VELOCITY.first : VELOCITY.stop] = allowed[PITCH.first : PITCH.stop] = False
        due = self._list_due()
        if due:
            allowed[TRACK.first + min(due) + 1 : TRACK.first + MAX_TRACKS + 1] = False
        if self.key >= _MELODIC_KEYS or self.track in (-1, DRUM_TRACK) or self.track in self.free:
            return
        tonic = self.key % 12
        triad = {tonic, (tonic + (4 if self.key < 12 else 3)) % 12, (tonic + 7) % 12}
        if self.track == melodic[-1] and self.floor < 0:
            triad = {tonic}
        is_bottom, has_bass = self.track == melodic[-1], is_bass(self.programs.get(melodic[-1], 0))
        fitting = [
            pitch % 12 in triad and not (has_bass and (pitch < BASS_CEILING) != is_bottom) for pitch in range(128)
        ]
        allowed[PITCH.first : PITCH.stop] &= fitting
        if not any(fitting[pitch] for pitch in self.floor + 1 + np.flatnonzero(self.find_free_pitches(self.track))):
            allowed[VELOCITY.first : VELOCITY.stop] = False

    def _can_start_at_once(self, melodic: list[int]) -> bool:
        """Check whether something can be struck at the beginning of the bar."""
        return any(self.sounding_until[track].min() <= self.bar_start for track in melodic or self.tracks)

    def _allow_held(self, allowed: Allowed) -> None:
        """Leave the last bar's notes the durations that hold for most of it, and those before it their own bars."""
        wanted = self.constraints.bars
        if not self.constraints.ends or wanted is None or self.track in self.free:
            return
        left = self.bar_positions - self.position
        if self._is_last_bar():
            refused = [DURATION.first + row for row, positions in enumerate(DURATIONS) if positions < 0.6 * left]
        else:
            left += self.bar_positions * max(0, wanted - 1 - self.bars)
            refused = [DURATION.first + row for row, positions in enumerate(DURATIONS) if positions > left]
        if allowed[DURATION.first : DURATION.stop].sum() > allowed[refused].sum():
            allowed[refused] = False

    # ---- what was chosen

    def advance(self, token: int) -> None:
        """Take a token, and see who plays."""
        kind = KIND_OF[token]
        if kind is BAR:
            self._close_bar()
        super().advance(token)
        if kind is KEY:
            self.key = token - KEY.first
        elif kind is PROGRAM:
            self._take_instrument(self.tracks[-1] if self.tracks else 0, token - PROGRAM.first)
        elif kind in (TRACK, DRUMS, POSITION):
            self.struck_here = 0
        elif self.after == "Note":
            self.struck_here += 1
            self.sounded.add(self.track)

    def _take_instrument(self, track: int, program: int) -> None:
        """Keep a track to what its instrument can play."""
        self.programs[track] = program
        low, high = find_range(program)
        self.sounding_until[track, :low] = self.sounding_until[track, high + 1 :] = NEVER

    def start_sampling(self) -> None:
        """Count bars from here."""
        self.begins_piece = self.bars == 0
        super().start_sampling()

    def _close_bar(self) -> None:
        """Count how long each track has been silent."""
        if self.bars or self.sounded:
            for track in self.tracks:
                self.silent_for[track] = 0 if track in self.sounded else self.silent_for.get(track, 0) + 1
                self.bars_of[track] = self.bars_of.get(track, 0) + (track in self.sounded)
        self.sounded = set()
