"""The controls of the Live tab and of its endpoints, and the reading of what the page's script sends."""

from __future__ import annotations

import math
from dataclasses import fields as dataclass_fields
from typing import Any

from models.contracts import MAX_PROMPT_CHARACTERS, Task
from models.live.controls import (
    LIVE_STYLES,
    MAX_DENSITY,
    MAX_INSTRUMENTS,
    MAX_TEMPO,
    MIN_DENSITY,
    MIN_TEMPO,
    MODES,
    LiveControls,
)
from models.music.instrument_names import INSTRUMENTS
from models.music.vocabulary import PITCH_CLASSES
from models.registry.registry import Registry
from studio.page.fields import REQUIRED, Choice, Choices, Field, FieldList, Flag, Model, Numeric, Option, Seed, Text

STYLES = tuple(zip(("Pop band", "Art song", "Chorale"), LIVE_STYLES, strict=True))
DEFAULT = LiveControls()
PROMPT = "a sunset over the sea with slow waves"
OWN_SOUND: Option = ("My own sound: pictures alone follow", "")
MAX_S = 600.0
MOODS: tuple[tuple[str, LiveControls], ...] = (
    ("Bright morning", LiveControls(112, "C", "major", 3.0, (73, 25, 33), True, 0.6, "pop")),
    ("Night drive", LiveControls(100, "A", "minor", 3.0, (81, 4, 38), True, 0.7, "pop")),
    ("Calm piano", LiveControls(72, "F", "major", 2.0, (0,), False, 0.35, "pop")),
    ("Melancholy strings", LiveControls(66, "D", "minor", 2.0, (40, 48, 43), False, 0.5, "lieder")),
    ("Chorale", LiveControls(80, "G", "major", 4.0, (52, 52, 52, 52), False, 0.5, "chorales")),
    ("Full tilt", LiveControls(138, "E", "minor", 5.0, (27, 4, 33), True, 1.0, "pop")),
)


def offered_voices(registry: Registry) -> list[Option]:
    """List what a microphone can become: itself, or a preset of the sound style's model."""
    spec = registry.default(Task.STYLE_AUDIO)
    return [OWN_SOUND, *((voice.title, voice.key) for voice in (spec.voices if spec is not None else ()))]


# In the order of LiveControls; the page's script and `/live_music` send them so.
KNOBS: tuple[Field, ...] = (
    Numeric(
        name="tempo", label="Tempo", default=DEFAULT.tempo, low=MIN_TEMPO, high=MAX_TEMPO, step=1,
        help="beats a minute", rank=1,
    ),
    Choice(
        name="tonic", label="Key", default=DEFAULT.tonic, choices=tuple((each, each) for each in PITCH_CLASSES),
        row="key", options={"min_width": 90},
    ),
    Choice(
        name="mode", label="Mode", default=DEFAULT.mode, choices=tuple((each.capitalize(), each) for each in MODES),
        radio=True, row="key", options={"min_width": 150},
    ),
    Numeric(
        name="density", label="Density", default=DEFAULT.density, low=MIN_DENSITY, high=MAX_DENSITY, step=0.25,
        help="notes per beat", rank=3,
    ),
    Choices(
        name="instruments", label="Band", default=list(DEFAULT.instruments), choices=INSTRUMENTS, is_open=True,
        most=MAX_INSTRUMENTS, about="General MIDI programs from 0 of the band, leads first", rank=4,
    ),
    Flag(name="drums", label="Drummer", default=DEFAULT.drums, rank=5, row="drums"),
    Numeric(name="intensity", label="Intensity", default=DEFAULT.intensity, low=0, high=1, step=0.05, rank=2),
    Choice(name="style", label="Manner", default=DEFAULT.style, choices=STYLES, rank=5, row="drums"),
)  # fmt: skip
FIELDS = FieldList(
    (
        *KNOBS,
        Seed(place="more"),
        Flag(name="pictures", label="Pictures", default=True, place="pictures"),
        Text(
            name="prompt", label="Picture", default=PROMPT, help="change it while it plays: one melts into the other",
            place="pictures",
        ),
        Choice(
            name="program", label="Your keyboard sounds like", default=11, choices=INSTRUMENTS, place="more",
        ),
        Model(label="Picture model", task=Task.VIDEO, place="model"),
        Numeric(name="over", label="Seconds to get there", default=8, low=0, high=30, step=1, place="lead"),
        Choice(
            name="voice", label="Talk to it", default="", offered=offered_voices, is_open=True,
            help="what your microphone becomes", place="microphone", options={"filterable": True},
        ),
        Numeric(name="strength", label="Strength", default=0.8, low=0, high=1, step=0.05, place="microphone"),
    )
)  # fmt: skip


def _length(default: float) -> Numeric:
    return Numeric(
        name="length_s", label="Length", default=default, low=1, high=MAX_S, help="in seconds", slider=False
    )  # fmt: skip


MUSIC_FIELDS = FieldList((_length(30), *KNOBS, Seed(default=0, place="main")))
VIDEO_FIELDS = FieldList(
    (
        Text(
            name="prompt", label="Picture", default=REQUIRED,
            about=f"what the pictures show, up to {MAX_PROMPT_CHARACTERS:,} characters",
        ),
        _length(8),
        Seed(default=0, place="main"),
        KNOBS[0],
    )
)  # fmt: skip


def read_controls(values: dict[str, Any]) -> LiveControls:
    """Read the knobs from what a page sent.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """
    known = {each.name: values[each.name] for each in dataclass_fields(LiveControls) if each.name in values}
    if "instruments" in known:
        try:
            known["instruments"] = tuple(int(each) for each in known["instruments"] or ())
        except (TypeError, ValueError) as error:
            raise ValueError(f"instruments is {known['instruments']!r}; it must be a list of programs.") from error
    return LiveControls(**known)


def read_number(values: dict[str, Any], name: str, default: float) -> float:
    """Read a number that a page sent.

    Raises:
        ValueError: it is none.
    """
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it must be a number.")
    return float(value)
