"""How a named thing moves: its place, turn and size over time, by the word for what it does.

World: y from -1 (bottom) to 1 (top), x from -`half` to `half` in the same units. In a loop all that swings does so a
whole number of times, what falls or rises comes in again on the other side, and what walks stays in the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACE = 0.34  # world units a second
ALOFT = frozenset({"fly", "fall", "rise"})

Array = NDArray[np.floating[Any]]
Moves = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ThingPath:
    """Where a thing is, all float32 (T,).

    Attributes:
        x, y: of its middle.
        angle: radians, anticlockwise.
        size: times its own size; stretch: its height against its width.
        lift: world units above the ground.
        phase: of the steps, one a turn; 0 for what takes none.
    """

    x: Array
    y: Array
    angle: Array
    size: Array
    stretch: Array
    lift: Array
    phase: Array


@dataclass(frozen=True, eq=False)
class _Clock:
    """The times of a path, and what its moves depend on."""

    t: Array
    loop_s: float
    way: float
    direction: str
    tall: float

    @property
    def middle(self) -> Array:
        """Return the times from the middle of the clip."""
        return self.t - self.t.mean()

    def fit(self, per_s: float) -> float:
        """Return how often something comes a second, a whole number of times in a loop."""
        return max(1, round(per_s * self.loop_s)) / self.loop_s if self.loop_s else per_s

    def swing(self, per_s: float, phase: float = 0.0) -> Array:
        """Return the phase of something that comes so often."""
        return np.asarray(2 * np.pi * self.fit(per_s) * self.t + phase, np.float32)


def _walk(clock: _Clock) -> Moves:
    step = 2 * clock.swing(0.6)
    turns = step / (2 * np.pi)
    return {"lift": 0.03 * clock.tall * np.abs(np.sin(step)), "angle": 0.055 * np.sin(step), "phase": turns}


def _hop(clock: _Clock) -> Moves:
    jump = np.abs(np.sin(clock.swing(0.5)))
    return {"lift": 0.30 * jump, "stretch": 1 - 0.13 * np.exp(-((jump / 0.22) ** 2)) + 0.05 * np.sin(np.pi * jump)}


def _fly(clock: _Clock) -> Moves:
    return {"y": 0.07 * np.sin(clock.swing(0.5)), "angle": 0.05 * np.sin(clock.swing(0.5, 1))}


def _drive(clock: _Clock) -> Moves:
    return {"lift": 0.006 * np.abs(np.sin(clock.swing(4))), "angle": 0.008 * np.sin(clock.swing(3))}


def _swim(clock: _Clock) -> Moves:
    return {"y": 0.05 * np.sin(clock.swing(0.5)) - 0.05, "angle": 0.08 * np.sin(clock.swing(0.5, 0.8))}


def _roll(clock: _Clock) -> Moves:
    turn = clock.swing(0.5) if clock.loop_s else PACE * clock.middle * 2 / clock.tall
    return {"angle": -clock.way * turn}


def _dance(clock: _Clock) -> Moves:
    beat = clock.swing(0.8)
    return {
        "x": 0.12 * np.sin(beat),
        "angle": 0.2 * np.sin(beat + 1.2),
        "lift": 0.06 * np.abs(np.sin(beat)),
        "stretch": 1 + 0.05 * np.cos(beat * 2),
        "phase": beat / (2 * np.pi),
    }


def _spin(clock: _Clock) -> Moves:
    return {"angle": (-1.0 if clock.direction == "clockwise" else 1.0) * clock.swing(0.27)}


def _fall(clock: _Clock) -> Moves:
    return {"angle": 0.10 * np.sin(clock.swing(0.4))}


def _grow(clock: _Clock) -> Moves:
    size = 0.9 - 0.25 * np.cos(clock.swing(0.01)) if clock.loop_s else 0.95 * np.exp(0.42 * clock.middle)
    return {"size": size, "y": (size - 1) * clock.tall / 2}


def _breathe(clock: _Clock) -> Moves:
    return {"stretch": 1 + 0.012 * np.sin(clock.swing(0.4))}


_MOVES: dict[str, Callable[[_Clock], Moves]] = {
    "walk": _walk, "hop": _hop, "fly": _fly, "drive": _drive, "swim": _swim, "roll": _roll, "dance": _dance,
    "spin": _spin, "fall": _fall, "grow": _grow,
}  # fmt: skip


def find_path(
    act: str,
    direction: str,
    t: Array,
    rng: np.random.Generator,
    tall: float,
    feet: float,
    half: float = 1.0,
    loop_s: float = 0.0,
) -> ThingPath:
    """Find the path of a thing at the times t (T,) of its own clock.

    Args:
        act: a key of ACTS.
        tall: its height; feet: where the ground is that it stands on.
        loop_s: seconds, of the same clock, after which the clip begins again; 0 where it does not.
    """
    clock = _Clock(t, loop_s, {"left": -1.0, "right": 1.0}.get(direction, 0.0), direction, tall)
    start, far = float(rng.uniform(-0.1, 0.1)), half + 0.62 * tall
    if loop_s:
        x = start + (0.10 * np.sin(clock.swing(0.25)) if clock.way else 0 * t)
    else:
        x = (clock.way * PACE * clock.middle + start + far) % (2 * far) - far
    y = float(rng.uniform(-0.05, 0.35)) + 0 * t if act in ALOFT else feet + tall / 2 + 0 * t
    if act in {"fall", "rise"}:
        high, up = 1 + 0.62 * tall, 1.0 if act == "rise" else -1.0
        way = 2 * high * up * t / loop_s if loop_s else 0.5 * up * clock.middle
        y = (0.5 * y + way + high) % (2 * high) - high
    zero, moves = np.zeros_like(t), _MOVES.get(act, _breathe)(clock)
    stretch, lift = moves.get("stretch", zero + 1), moves.get("lift", zero)
    y = y + moves.get("y", zero) + lift + (0 if act in ALOFT else (stretch - 1) * tall / 2)
    rows = x + moves.get("x", zero), y, moves.get("angle", zero), moves.get("size", zero + 1), stretch, lift
    return ThingPath(*(np.asarray(each, np.float32) for each in (*rows, moves.get("phase", zero))))
