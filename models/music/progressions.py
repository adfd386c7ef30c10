"""Chords for phrases of four bars, as songs, art songs and chorales have them; and grooves to begin a drummer with."""

from __future__ import annotations

import numpy as np

from models.music.grammar import DRUM_TRACK
from models.music.guided_notes import GuidedNote
from models.music.vocabulary import POSITIONS_PER_QUARTER

# Degrees of the scale as numbers from 1; "5" in minor is the major chord of the dominant.
_POP_MAJOR = ("1564", "1645", "6415", "1465", "4156", "1625", "1345", "1264", "4536")
_POP_MINOR = ("1637", "1675", "1465", "1376", "6715", "1436", "1745")
_SONG_MAJOR = ("1415", "1256", "1645", "1563", "6251", "1453", "2516")
_SONG_MINOR = ("1415", "1654", "1476", "1465", "6415", "4163")
PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pop": (_POP_MAJOR, _POP_MINOR),
    "lieder": (_SONG_MAJOR, _SONG_MINOR),
    "chorales": (_SONG_MAJOR, _SONG_MINOR),
}
_MAJOR_DEGREES = {"1": (0, 0), "2": (2, 1), "3": (4, 1), "4": (5, 0), "5": (7, 0), "6": (9, 1)}
_MINOR_DEGREES = {"1": (0, 1), "3": (3, 0), "4": (5, 1), "5": (7, 0), "6": (8, 0), "7": (10, 0)}

# Kick, snare and hat (36, 38, 42) on sixteenths of a bar of four quarters.
_GROOVES: tuple[dict[int, tuple[int, ...]], ...] = (
    {36: (0, 8), 38: (4, 12), 42: (0, 2, 4, 6, 8, 10, 12, 14)},
    {36: (0, 6, 8), 38: (4, 12), 42: (0, 2, 4, 6, 8, 10, 12, 14)},
    {36: (0, 10), 38: (4, 12), 42: (0, 2, 4, 6, 8, 10, 12, 14)},
    {36: (0, 7, 10), 38: (4, 12), 42: (0, 2, 4, 6, 8, 10, 12, 14)},
    {36: (0, 4, 8, 12), 38: (4, 12), 42: (2, 6, 10, 14)},
    {36: (0, 3, 8, 10), 38: (4, 12), 42: (0, 4, 8, 12)},
)
_GROOVE_VELOCITIES = {36: 21, 38: 21, 42: 15}


def name_degree(degree: str, key: int) -> int:
    """Return the chord of a degree of a row of KEYS, as a row of KEYS."""
    interval, minor = (_MAJOR_DEGREES if key < 12 else _MINOR_DEGREES)[degree]
    return (key % 12 + interval) % 12 + 12 * minor


def close_phrase(chords: list[int], key: int) -> list[int]:
    """Return four bars' chords that end with the dominant and the tonic."""
    return [*chords[:2], name_degree("5", key), key]


def draw_phrase(style: str, key: int, random: np.random.Generator) -> list[int]:
    """Draw the chords of four bars."""
    phrases = PHRASES.get(style, PHRASES["pop"])[int(key >= 12)]
    degrees = phrases[int(random.integers(len(phrases)))]
    return [name_degree(degree, key) for degree in degrees]


def draw_groove(bar_positions: int, random: np.random.Generator) -> list[GuidedNote]:
    """Draw a plain bar of drums to begin with, cut to the bar's length."""
    groove = _GROOVES[int(random.integers(len(_GROOVES)))]
    sixteenth = POSITIONS_PER_QUARTER // 4
    notes = (
        GuidedNote(at * sixteenth, DRUM_TRACK, drum, _GROOVE_VELOCITIES[drum], 0)
        for drum, places in groove.items()
        for at in places
    )
    return sorted(note for note in notes if note.position < bar_positions)
