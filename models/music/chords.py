"""Chords as people type them: "Am F C G"."""

from __future__ import annotations

import re

from models.music.controls import NO_KEY

MAX_CHORDS = 64
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}
_ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "♭": -1}
_SYMBOL = re.compile(
    r"([A-H])([#♯b♭]?)(maj|min|m|M|-)?(?:maj|M|dim|aug|sus|add|no|°|ø|\+|#|♯|b|♭|[()]|\d)*(?:/[A-H][#♯b♭]?)?"
)
_MINOR = ("min", "m", "-")


def parse_chords(text: str) -> tuple[int, ...]:
    """Read chord symbols, one for each bar, as rows of KEYS; "N" is none. Sevenths and basses count as their triads.

    Raises:
        ValueError: names the word that is no chord.
    """
    words = [word for word in re.split(r"[\s,|;]+", text) if word and word not in ("-", "–")]
    if len(words) > MAX_CHORDS:
        raise ValueError(f"There are {len(words)} chords; up to {MAX_CHORDS} can be given.")
    return tuple(_read_chord(word) for word in words)


def _read_chord(word: str) -> int:
    """Read one chord symbol as a row of KEYS."""
    if word.upper() in ("N", "N.C.", "NC"):
        return NO_KEY
    found = _SYMBOL.fullmatch(word[:1].upper() + word[1:])
    if found is None:
        raise ValueError(f'"{word}" is not a chord; write chords as Am F C G, one for each bar.')
    root = (_LETTERS[found[1]] + _ACCIDENTALS.get(found[2], 0)) % 12
    return root + (12 if found[3] in _MINOR else 0)
