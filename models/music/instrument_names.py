"""Instruments of General MIDI in words, those that a person can ask for."""

from __future__ import annotations

INSTRUMENTS: tuple[tuple[str, int], ...] = (
    ("Grand piano", 0),
    ("Electric piano", 4),
    ("Harpsichord", 6),
    ("Vibraphone", 11),
    ("Organ", 16),
    ("Church organ", 19),
    ("Nylon guitar", 24),
    ("Steel guitar", 25),
    ("Jazz guitar", 26),
    ("Electric guitar", 27),
    ("Acoustic bass", 32),
    ("Electric bass", 33),
    ("Synth bass", 38),
    ("Violin", 40),
    ("Viola", 41),
    ("Cello", 42),
    ("Double bass", 43),
    ("Harp", 46),
    ("Strings", 48),
    ("Choir", 52),
    ("Trumpet", 56),
    ("French horn", 60),
    ("Brass section", 61),
    ("Saxophone", 65),
    ("Oboe", 68),
    ("Bassoon", 70),
    ("Clarinet", 71),
    ("Flute", 73),
    ("Synth lead", 81),
    ("Warm pad", 89),
)
NAMES = {program: name for name, program in INSTRUMENTS}


def name_program(program: int) -> str:
    """Name a program within a sentence: "grand piano"; "instrument 104" where it has no name here."""
    return NAMES[program].lower() if program in NAMES else f"instrument {program}"
