"""One piece of a training collection."""

from __future__ import annotations

from dataclasses import dataclass

from models.music.score import Piece
from models.music.vocabulary import POSITIONS_PER_QUARTER, VELOCITY_STEP

SIXTEENTH = POSITIONS_PER_QUARTER // 4


@dataclass(frozen=True)
class Source:
    """A piece of a collection: its name there, whether it is held out, and the music."""

    collection: str
    name: str
    held_out: bool
    piece: Piece


def round_velocity(velocity: int, step: int = 3) -> int:
    """Move a velocity bin to the middle of every `step` bins: small differences are noise to a small model."""
    return min(velocity // step * step + step // 2, 127 // VELOCITY_STEP)
