"""What instruments can play: the lowest and highest pitch, and whether one line or chords."""

from __future__ import annotations

from models.music.instrument_order import rank_role

# The usual ranges of General MIDI's families of eight programs, as MIDI pitches.
_FAMILY_RANGES = (
    (24, 103), (48, 108), (36, 96), (40, 86), (26, 55), (36, 96), (36, 91), (40, 86),
    (44, 88), (55, 96), (40, 96), (36, 96), (36, 96), (40, 96), (36, 96), (24, 108),
)  # fmt: skip
_RANGES = {
    40: (55, 98), 41: (48, 88), 42: (36, 76), 43: (26, 55), 46: (24, 100), 47: (36, 57), 52: (40, 84), 53: (40, 84),
    56: (54, 84), 57: (40, 72), 58: (28, 58), 60: (40, 77), 66: (44, 76), 65: (49, 81), 67: (36, 69), 68: (58, 91),
    69: (52, 81), 70: (34, 72), 71: (50, 91), 72: (74, 108), 73: (60, 96), 74: (60, 91), 75: (60, 91),
}  # fmt: skip
# Wind instruments, solo strings and singers of words: one note at a time.
_SINGLE = frozenset((40, 41, 42, 43, 54, 56, 57, 58, 59, 60, *range(64, 80)))
KIT = range(35, 60)  # the drums of a kit that drummers' recordings have


def find_range(program: int) -> tuple[int, int]:
    """Return the lowest and the highest pitch that a program plays."""
    return _RANGES.get(program, _FAMILY_RANGES[program // 8])


def is_bass(program: int) -> bool:
    """Check whether a program is a bass."""
    return rank_role(program) == 3


def plays_one_line(program: int) -> bool:
    """Check whether a program plays one note at a time."""
    return program in _SINGLE or is_bass(program)
