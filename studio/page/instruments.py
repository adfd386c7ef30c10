"""General MIDI instruments in words, moods, and what else a person picks in the Music tab."""

from __future__ import annotations

from typing import Any

from models.music.instrument_names import NAMES

STYLES = (
    ("As the model likes", ""),
    ("Pop song", "pop"),
    ("Art song", "lieder"),
    ("Chorale", "chorales"),
    ("Drummer alone", "drums"),
)
DRUMS = (("As the model likes", "any"), ("With drums", "yes"), ("Without drums", "no"))

# Each mood sets these controls; what it does not name stays open.
OPEN: dict[str, Any] = {
    "style": "",
    "key": "",
    "tempo": 100,
    "meter": "",
    "instruments": [],
    "drums": "any",
    "density": 0.0,
    "register": 0.0,
}
MOODS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Bright morning",
        {"style": "pop", "key": "C major", "tempo": 112, "meter": "4/4", "instruments": [73, 25, 33], "drums": "yes"},
    ),
    (
        "Night drive",
        {"style": "pop", "key": "A minor", "tempo": 100, "meter": "4/4", "instruments": [81, 4, 38], "drums": "yes"},
    ),
    (
        "Calm piano",
        {"style": "pop", "key": "F major", "tempo": 72, "meter": "4/4", "instruments": [0], "drums": "no"},
    ),
    (
        "Melancholy strings",
        {"style": "lieder", "key": "D minor", "tempo": 66, "instruments": [40, 48, 43], "drums": "no"},
    ),
    ("Art song", {"style": "lieder", "key": "G major", "tempo": 84, "instruments": [68, 0], "drums": "no"}),
    (
        "Chorale",
        {
            "style": "chorales",
            "key": "G major",
            "tempo": 80,
            "meter": "4/4",
            "instruments": [52, 52, 52, 52],
            "drums": "no",
        },
    ),
    ("Drummer alone", {"style": "drums", "tempo": 110, "meter": "4/4", "drums": "yes"}),
)


def name_of(program: int, is_drum: bool = False) -> str:
    """Return an instrument as people call it."""
    return "Drums" if is_drum else NAMES.get(program, f"General MIDI {program + 1}")
