"""Plans of pieces: which bars return, where phrases and pieces end, who plays, and which chords are asked for.

A new piece is planned in phrases of four bars, in forms that its style uses: of what returns, most bars come back
varied and some unchanged, and a phrase that returns may end otherwise. A piece that is there is measured instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.music.controls import NO_KEY
from models.music.form import find_references, group_by_bar
from models.music.musical_context import NEW, NO_CHORD, SAME, VARIED, PlannedBar
from models.music.progressions import close_phrase, draw_phrase
from models.music.score import MAX_TRACKS, Piece

PHRASE = 4
# Sixteen bars as phrases; a letter that comes again is a return.
FORMS: dict[str, tuple[str, ...]] = {
    "pop": ("AABA", "ABAB", "AABB", "ABAC", "AABC"),
    "lieder": ("AABA", "ABAC", "ABCA", "AABC"),
    "chorales": ("AABC", "ABAC", "ABCD"),
    "drums": ("AAAB", "AABA"),
    "folk": ("AABB", "ABAC"),
}
SAME_SHARE = {"pop": 0.15, "lieder": 0.1, "chorales": 0.25, "drums": 0.1, "folk": 0.3}
WITHIN_SHARE = 0.45  # how often a phrase's third bar returns to its first
CADENCE_NEW_SHARE = 0.5  # how often the last bar of a phrase that returns is new


@dataclass(frozen=True)
class PiecePlan:
    """What is planned for the bars of a piece, those that are there and those that are to be written.

    Args:
        bars: of all of them, in order, with their numbers; starts are left open.
    """

    bars: tuple[PlannedBar, ...]

    def list_bars(self, order: Iterable[int], piece: Piece | None = None) -> list[PlannedBar]:
        """List bars in the order of a sequence.

        Args:
            piece: what is there: tells where its bars start.
        """
        starts = piece.list_bar_starts() if piece is not None else []
        planned = [self.bars[min(number, len(self.bars) - 1)] for number in order]
        return [
            replace(bar, start=starts[bar.number]) if bar.number is not None and bar.number < len(starts) else bar
            for bar in planned
        ]

    def find_wanted(self, first: int, stop: int) -> list[int]:
        """Find the bars before `first` that bars first to stop - 1 return to."""
        wanted = {bar.reference for bar in self.bars[first:stop] if bar.reference is not None}
        return sorted(number for number in wanted if number < first)


def draw_letters(bars: int, style: str, random: np.random.Generator) -> str:
    """Draw the phrases of a new piece, a letter each; equal letters are to be alike."""
    forms = FORMS.get(style, FORMS["pop"])
    letters = ""
    while len(letters) * PHRASE < bars:
        letters += forms[int(random.integers(len(forms)))]
    return letters[: -(-bars // PHRASE)]


def draw_returns(bars: int, letters: str, style: str, random: np.random.Generator) -> list[tuple[int | None, int]]:
    """Draw for each bar of a new piece the bar that it returns to, or None, and how nearly it does."""
    same = SAME_SHARE.get(style, SAME_SHARE["pop"])
    returns: list[tuple[int | None, int]] = []
    for number, letter in enumerate(letters):
        first = number * PHRASE
        is_last = number == len(letters) - 1
        earlier = letters.index(letter) * PHRASE
        unchanged = random.random() < same
        for step in range(min(PHRASE, bars - first)):
            if earlier < first:
                is_cadence = step == PHRASE - 1 and (is_last or random.random() < CADENCE_NEW_SHARE)
                returns.append((None, NEW) if is_cadence else (earlier + step, SAME if unchanged else VARIED))
            elif step == 2 and random.random() < WITHIN_SHARE:
                returns.append((first, VARIED))
            else:
                returns.append((None, NEW))
    return returns


def draw_chords(bars: int, letters: str, style: str, key: int, random: np.random.Generator, ends: bool) -> list[int]:
    """Draw a chord for each bar: phrases of one letter have the same ones, but the last closes where the piece ends."""
    phrases: dict[str, list[int]] = {}
    chords: list[int] = []
    for number, letter in enumerate(letters):
        closes = ends and number == len(letters) - 1
        drawn = draw_phrase(style, key, random)
        chords += close_phrase(phrases.setdefault(letter, drawn), key) if closes else phrases.setdefault(letter, drawn)
    if ends and bars >= 2:
        chords[bars - 2 : bars] = close_phrase([key] * PHRASE, key)[2:]
    return chords[:bars]


def plan_piece(
    bars: int,
    style: str,
    seed: int,
    *,
    key: int | None,
    chords: Sequence[int] = (),
    ends: bool = True,
    before: Piece | None = None,
    like: Piece | None = None,
) -> PiecePlan:
    """Plan a piece of `bars` bars, those of `before` counted, which are measured.

    Args:
        like: a piece of as many bars that has the form already, as a melody has.
        key: a row of KEYS, None where the model chooses it.
        chords: one for each new bar, over and over; none where the model chooses.
        ends: whether the piece ends after its last bar, or may go on.
    """
    there = len(before.bars) if before is not None else 0
    key = None if key == NO_KEY else key
    measured = measure_plan(before, bars) if before is not None else []
    random = np.random.default_rng([seed, 77])
    new = bars - there
    letters = draw_letters(new, style, random)
    returns = draw_returns(new, letters, style, random)
    if not chords and key is not None and like is None and not there and style != "drums":
        chords = draw_chords(new, letters, style, key, random, ends)
    if like is not None:
        returns = [(bar.reference, bar.likeness or NEW) for bar in measure_plan(like)]
    planned = [replace(bar, key=key) for bar in measured]
    if there >= 2 * PHRASE:  # what is added begins as the last two phrases did
        returns = [(-2 * PHRASE + step, VARIED) for step in range(min(PHRASE - 1, len(returns)))] + returns[
            PHRASE - 1 :
        ]
    for number, (reference, likeness) in enumerate(returns, start=there):
        to_go = bars - 1 - number
        chord: tuple[int | None, int | None] = (None, None)
        if chords:
            chord = (chords[(number - there) % len(chords)],) * 2
        elif ends and key is not None and to_go == 0:
            chord = (key, key)
        planned.append(
            PlannedBar(
                number=number,
                bars_to_go=to_go if ends else None,
                likeness=likeness,
                reference=None if reference is None else reference + there,
                chords=chord,
                key=key,
                is_full=True,
            )
        )
    return PiecePlan(tuple(planned))


def measure_plan(piece: Piece, bars: int | None = None) -> list[PlannedBar]:
    """Measure what a plan would say of the bars of a piece, of `bars` bars in all; chords are left open."""
    distances, likenesses = find_references(piece)
    sounding: list[list[list[tuple[int, int]]]] = [
        group_by_bar(piece, (track,)) if track.notes else [[] for _ in piece.bars] for track in piece.tracks
    ]
    indices = [MAX_TRACKS if track.is_drum else index for index, track in enumerate(piece.tracks)]
    total = len(piece.bars) if bars is None else bars
    return [
        PlannedBar(
            number=number,
            bars_to_go=total - 1 - number,
            likeness=int(likenesses[number]),
            reference=number - int(distances[number]) if distances[number] else None,
            tracks=frozenset(index for index, groups in zip(indices, sounding, strict=True) if groups[number]),
        )
        for number in range(len(piece.bars))
    ]


def has_chord(chord: int | None) -> bool:
    """Check whether a planned chord is a triad."""
    return chord is not None and chord != NO_CHORD
