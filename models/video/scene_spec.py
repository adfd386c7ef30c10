"""What a clip of the procedural world shows: its attributes, and the events that sound is made for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.86, 0.15, 0.17),
    "orange": (0.97, 0.50, 0.12),
    "gold": (0.97, 0.80, 0.27),
    "green": (0.24, 0.70, 0.31),
    "teal": (0.10, 0.68, 0.66),
    "blue": (0.15, 0.40, 0.90),
    "purple": (0.54, 0.25, 0.82),
    "pink": (0.97, 0.46, 0.68),
    "white": (0.94, 0.95, 0.97),
}
TIMES = ("dawn", "day", "dusk", "night")
SPEEDS = {"slow": 0.55, "normal": 1.0, "fast": 1.8}
CAMERAS = ("still", "pan left", "pan right", "zoom in", "zoom out")
DIRECTIONS = ("none", "left", "right", "up", "down", "in", "out", "clockwise", "counterclockwise")
FRAMES_PER_SECOND = 8.0
DEFAULT_FRAMES = 16
DEFAULT_SIZE = 64
MAX_FRAMES = 480
MAX_RATE = 240.0
SIZES = (16, 1920)


@dataclass(frozen=True)
class SceneSpec:
    """One clip of the world; equal specs give equal clips.

    Attributes:
        kind: which scene, a key of the registry of kinds.
        colour: main colour of its subject, a key of COLOURS.
        time_of_day: one of TIMES, or "" in scenes that have none.
        direction: where the subject moves, one of DIRECTIONS; "none" where it has no direction.
        speed: a key of SPEEDS.
        camera: one of CAMERAS.
        seed: fixes everything else.
    """

    kind: str
    colour: str
    time_of_day: str
    direction: str
    speed: str
    camera: str
    seed: int


@dataclass(frozen=True)
class SceneEvent:
    """Something that can be heard.

    Attributes:
        kind: impact, flash, burst, drop, beat, streak or splash.
        time_s: seconds from the clip's start.
        strength: 0 (faint) to 1.
        x: where in the picture, -1 (left edge) to 1 (right edge).
    """

    kind: str
    time_s: float
    strength: float
    x: float


@dataclass(frozen=True)
class SceneClip:
    """A rendered clip.

    Attributes:
        frames: uint8 (T, size, size, 3), sRGB.
        events: in order of time.
    """

    spec: SceneSpec
    frames: np.ndarray
    events: tuple[SceneEvent, ...]
    frames_per_second: float = FRAMES_PER_SECOND


def get_rgb(colour: str, gain: float = 1.0) -> np.ndarray:
    """Return the float32 (3,) of a colour name, made lighter or darker by `gain`."""
    return np.asarray(COLOURS[colour], np.float32) * np.float32(gain)


def mix(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Mix `first` with `share` of `second`."""
    return np.asarray(first + (second - first) * share, np.float32)
