"""What the network is told beside the tokens: where it is in the music, and what is planned for the bar.

With "musical" positions (`models.music.transformer`) each token has a musical time, so that heads of attention may tell
how far back a note lies in beats, and a reference time: the same place in the bar that its own bar returns to, so that
heads find what was played there at distance zero. Features are small numbers that are added to the input as rows of
one table: the track and the place in the bar that hold after the token, and what is planned for its bar.

Letters: B batch, L tokens, F features of a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.music.controls import NO_KEY
from models.music.score import COMMON_TIME
from models.music.vocabulary import (
    AFTER,
    BAR,
    DRUMS,
    KIND_OF,
    MASK,
    MAX_BAR_POSITIONS,
    MAX_TRACKS,
    METER,
    POSITION,
    POSITIONS_PER_QUARTER,
    SEPARATOR,
    TRACK,
    count_positions,
)

SIXTEENTH = POSITIONS_PER_QUARTER // 4
PLACE_STEP = 3
PHRASE_BARS = 16
NEW, VARIED, SAME = range(3)
NO_CHORD = NO_KEY  # chords are numbered as KEYS: major and minor triads, and none

# name, number of known values; one more means that nothing is said
FEATURES: tuple[tuple[str, int], ...] = (
    ("track", MAX_TRACKS + 1),
    ("place", MAX_BAR_POSITIONS // PLACE_STEP),
    ("phrase", PHRASE_BARS),
    ("bars_to_go", 19),
    ("likeness", 3),
    ("chord", 25),
    ("second_chord", 25),
    ("key", 25),
    *((f"track_{track}_sounds", 2) for track in range(MAX_TRACKS + 1)),
)
FEATURE_COUNT = len(FEATURES)
FIRST_ROWS: tuple[int, ...] = tuple(sum(count + 1 for _, count in FEATURES[:index]) for index in range(FEATURE_COUNT))
UNKNOWN: tuple[int, ...] = tuple(count for _, count in FEATURES)
FEATURE_ROWS = sum(count + 1 for _, count in FEATURES)
BAR_FEATURES = slice(2, FEATURE_COUNT)


def bin_bars_to_go(bars: int) -> int:
    """Return the value of "bars_to_go" for the number of bars after this one."""
    return bars if bars < 16 else 16 if bars < 24 else 17 if bars < 32 else 18


@dataclass(frozen=True)
class MusicalContext:
    """What stands beside tokens (B, L).

    Attributes:
        features: int64 (B, L, F), rows of the network's table.
        times: float32 (B, L), in sixteenths from any common point.
        reference_times: float32 (B, L), the same place in the bar that is returned to; `times` where there is none.
    """

    features: Tensor
    times: Tensor
    reference_times: Tensor

    def hide_key(self) -> MusicalContext:
        """Return the context that does not say the key."""
        features = self.features.clone()
        index = [name for name, _ in FEATURES].index("key")
        features[..., index] = FIRST_ROWS[index] + UNKNOWN[index]
        return replace(self, features=features)

    def cut(self, tokens: slice) -> MusicalContext:
        """Return the context of some of the tokens."""
        return MusicalContext(self.features[:, tokens], self.times[:, tokens], self.reference_times[:, tokens])

    def pad_left(self, length: int) -> MusicalContext:
        """Return the context of `length` tokens, the first repeated before these."""
        more = length - self.times.shape[1]
        if not more:
            return self
        return MusicalContext(
            *(
                torch.cat([each[:, :1].repeat_interleave(more, dim=1), each], dim=1)
                for each in (self.features, self.times, self.reference_times)
            )
        )

    @staticmethod
    def join(contexts: Sequence[MusicalContext]) -> MusicalContext:
        """Lay contexts of equal length side by side in one batch."""
        return MusicalContext(
            torch.cat([each.features for each in contexts]),
            torch.cat([each.times for each in contexts]),
            torch.cat([each.reference_times for each in contexts]),
        )


@dataclass(frozen=True)
class PlannedBar:
    """What is planned for a bar; None leaves it to the model.

    Attributes:
        number: of the bar in its piece, from 0.
        start: of the bar, in grid positions from the start of the piece; None where it begins as the last one ends.
        bars_to_go: how many bars follow it.
        likeness: NEW, VARIED or SAME.
        reference: number of the bar that it returns to, which counts if the sequence has had it.
        reference_start: where that bar begins, in place of `reference`.
        chords: of its two halves, as KEYS, NO_CHORD for none.
        key: a row of KEYS.
        tracks: which tracks sound, MAX_TRACKS for the drums.
        is_full: whether all tracks sound that the sequence has in front, which need not be known.
    """

    number: int | None = None
    start: int | None = None
    bars_to_go: int | None = None
    likeness: int | None = None
    reference: int | None = None
    reference_start: int | None = None
    chords: tuple[int | None, int | None] = (None, None)
    key: int | None = None
    tracks: frozenset[int] | None = None
    is_full: bool = False

    def list_features(self) -> list[int]:
        """List the values of the features of BAR_FEATURES."""
        values = [
            None if self.number is None else self.number % PHRASE_BARS,
            None if self.bars_to_go is None else bin_bars_to_go(self.bars_to_go),
            self.likeness,
            *self.chords,
            self.key,
            *(None if self.tracks is None else int(track in self.tracks) for track in range(MAX_TRACKS + 1)),
        ]
        unknown = UNKNOWN[BAR_FEATURES]
        return [none if value is None else value for value, none in zip(values, unknown, strict=True)]


class ContextTracer:
    """A tracer of one sequence that gives each of its tokens their context.

    Args:
        bars: the plan of the bars in the order in which the sequence has them; the last holds for all that follow.
    """

    def __init__(self, bars: Iterable[PlannedBar]) -> None:
        self.coming = iter(bars)
        self.upcoming: PlannedBar | None = next(self.coming, PlannedBar())
        self.bar = self.upcoming or PlannedBar()
        self.bar_start, self.bar_length, self.meter = self.bar.start or 0, 0, COMMON_TIME
        self.in_front, self.tracks_in_front = True, set[int]()
        self.starts: dict[int, int] = {}  # of the bars so far, by their numbers
        self.reference_start: int | None = None
        self._rows = self._find_rows()
        self._leave_bar()

    def _find_rows(self) -> list[int]:
        firsts = FIRST_ROWS[BAR_FEATURES]
        self.reference_start = self.bar.reference_start
        if self.bar.reference is not None:
            self.reference_start = self.starts.get(self.bar.reference)
            if self.reference_start is None:
                self.bar = replace(self.bar, likeness=None)
        if self.bar.is_full and not self.in_front:
            self.bar = replace(self.bar, tracks=frozenset(self.tracks_in_front))
        return [first + value for first, value in zip(firsts, self.bar.list_features(), strict=True)]

    def _begin_bar(self) -> None:
        self.in_front = False
        self.bar_start += self.bar_length
        if self.upcoming is not None:
            self.bar = self.upcoming
            self.upcoming = next(self.coming, None)
            self._rows = self._find_rows()
            self.bar_start = self.bar_start if self.bar.start is None else self.bar.start
        self.bar_length = count_positions(self.meter)
        if self.bar.number is not None:
            self.starts[self.bar.number] = self.bar_start
        self._leave_bar()

    def _leave_bar(self) -> None:
        self.track, self.place, self.position = MAX_TRACKS + 1, UNKNOWN[1], 0

    def take(self, token: int) -> tuple[list[int], float, float]:
        """Take a token; return its features as rows of the table, its time and its reference time."""
        kind = KIND_OF[token]
        if kind is POSITION:
            self.position = token - kind.first
            self.place = self.position // PLACE_STEP
        elif kind is BAR:
            self._begin_bar()
        elif kind in (TRACK, DRUMS) and not self.in_front:
            self.track = token - TRACK.first
        elif kind in (TRACK, DRUMS):
            self.tracks_in_front.add(token - TRACK.first)
        elif kind is METER:
            self.meter = token - METER.first
            self.bar_length = 0 if self.in_front else count_positions(self.meter)
        elif kind in (MASK, AFTER, SEPARATOR):
            self._leave_bar()
        time = (self.bar_start + self.position) / SIXTEENTH
        reference = self.reference_start
        reference_time = time if reference is None else (reference + self.position) / SIXTEENTH
        return [FIRST_ROWS[0] + self.track, FIRST_ROWS[1] + self.place, *self._rows], time, reference_time


def trace_context(tracers: Sequence[ContextTracer], tokens: Sequence[Sequence[int]]) -> MusicalContext:
    """Let each tracer take its tokens, all equally many, and lay out what they say."""
    traced = [[tracer.take(token) for token in row] for tracer, row in zip(tracers, tokens, strict=True)]
    return MusicalContext(
        torch.tensor([[features for features, _, _ in row] for row in traced], dtype=torch.long),
        torch.tensor([[time for _, time, _ in row] for row in traced], dtype=torch.float32),
        torch.tensor([[time for _, _, time in row] for row in traced], dtype=torch.float32),
    )
