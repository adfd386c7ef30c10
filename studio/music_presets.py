"""Words for the Music tab: moods, styles, instruments, and what each of them asks of the composer."""

from __future__ import annotations

from dataclasses import dataclass

import pretty_midi

from models.music.contracts import METER_NAMES
from models.music.vocabulary import KEYS

OPEN = ""  # the model chooses
STYLES: tuple[tuple[str, str], ...] = (
    ("Any", OPEN),
    ("Pop song", "pop"),
    ("Art song", "lieder"),
    ("Chorale", "chorales"),
    ("Drum groove", "drums"),
)
METERS: tuple[tuple[str, str], ...] = (
    ("Any", OPEN),
    *((name, name) for name in ("2/4", "3/4", "4/4", "5/4", "6/8", "9/8", "12/8") if name in METER_NAMES),
)
_SHARP_NAMES = {"Db": "C♯ / D♭", "Eb": "D♯ / E♭", "Gb": "F♯ / G♭", "Ab": "G♯ / A♭", "Bb": "A♯ / B♭"}


def key_title(key: str) -> str:
    """A key as musicians write it."""
    tonic, _, mode = key.partition(" ")
    return f"{_SHARP_NAMES.get(tonic, tonic)} {mode}"


KEY_CHOICES: tuple[tuple[str, str], ...] = (("Any", OPEN), *((key_title(key), key) for key in KEYS[:-1]))
DENSITIES: tuple[tuple[str, float], ...] = (
    ("Any", 0.0),
    ("Sparse", 1.0),
    ("Light", 2.0),
    ("Medium", 3.0),
    ("Full", 4.5),
    ("Dense", 8.0),
)
REGISTERS: tuple[tuple[str, float], ...] = (("Any", 0.0), ("Low", 52.0), ("Middle", 60.0), ("High", 68.0))
DRUMS: tuple[tuple[str, str], ...] = (("Any", "any"), ("With", "with"), ("Without", "without"))
DRUMS_VALUES: dict[str, bool | None] = {"any": None, "with": True, "without": False}


def instrument_names() -> list[str]:
    """The 128 General MIDI instruments in order; the index is the program."""
    return [pretty_midi.program_to_instrument_name(program) for program in range(128)]


INSTRUMENTS = instrument_names()
_PROGRAM_OF = {name.lower(): program for program, name in enumerate(INSTRUMENTS)}


def program_of(name: object) -> int:
    """The program of an instrument by its General MIDI name; a program's number will do as well.

    Raises:
        ValueError: there is no such instrument.
    """
    text = str(name).strip().lower()
    if text in _PROGRAM_OF:
        return _PROGRAM_OF[text]
    if text.isdigit() and int(text) < 128:
        return int(text)
    raise ValueError(f"instruments has {str(name)[:60]!r}; it must be a General MIDI name such as {INSTRUMENTS[0]!r}.")


def track_name(program: int, is_drum: bool) -> str:
    """What to call a track."""
    return "Drums" if is_drum else INSTRUMENTS[program]


@dataclass(frozen=True)
class Mood:
    """A mood as settings of the controls."""

    title: str
    style: str
    key: str
    tempo: float
    meter: str
    density: float
    register: float
    programs: tuple[int, ...]
    drums: str

    def values(self) -> dict[str, object]:
        """By the names of the controls."""
        return {
            "style": self.style,
            "key": self.key,
            "tempo": self.tempo,
            "meter": self.meter,
            "density": self.density,
            "register": self.register,
            "instruments": [INSTRUMENTS[program] for program in self.programs],
            "drums": self.drums,
        }


MOODS: tuple[Mood, ...] = (
    Mood("Bright", "pop", "D major", 118.0, "4/4", 4.5, 0.0, (73, 0, 33), "with"),
    Mood("Calm", "lieder", "F major", 72.0, "3/4", 3.0, 60.0, (0,), "without"),
    Mood("Tender", "lieder", "Eb major", 80.0, "4/4", 3.0, 60.0, (40, 0), "without"),
    Mood("Sad", "pop", "A minor", 66.0, "4/4", 3.0, 60.0, (42, 0), "without"),
    Mood("Solemn", "chorales", "G minor", 76.0, "4/4", 4.5, 60.0, (52, 52, 52, 52), "without"),
    Mood("Driving", "pop", "E minor", 132.0, "4/4", 8.0, 0.0, (80, 4, 33), "with"),
    Mood("Dreamy", "pop", "Ab major", 84.0, "4/4", 3.0, 68.0, (11, 46, 89), "without"),
    Mood("Drums alone", "drums", OPEN, 104.0, "4/4", 4.5, 0.0, (), "with"),
)
