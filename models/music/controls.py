"""The controls in front of a sequence, measured from the music itself.

They are what a person can ask for (style, key, tempo, meter, density, register) and what the tokenizer writes in front
of every piece, so that asked and measured mean the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.music.score import Bar, Piece, weigh_pitch_classes
from models.music.vocabulary import (
    DENSITY,
    KEY,
    KEYS,
    METER,
    POSITIONS_PER_QUARTER,
    REGISTER,
    REGISTERS,
    STYLE,
    STYLES,
    TEMPO,
    TokenKind,
    find_density,
    find_register,
)

# Krumhansl and Kessler 1982: how well each pitch class fits after a context in C major and in C minor.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

# In the order of the sequence.
CONTROL_KINDS: tuple[TokenKind, ...] = (STYLE, KEY, TEMPO, METER, DENSITY, REGISTER)
NO_KEY = len(KEYS) - 1
NO_REGISTER = len(REGISTERS)


@dataclass(frozen=True)
class MusicControls:
    """The six controls as values of their kinds, in the order of CONTROL_KINDS."""

    style: int
    key: int
    tempo: int
    meter: int
    density: int
    register: int

    def to_tokens(self) -> list[int]:
        """Return one token for each control."""
        values = (self.style, self.key, self.tempo, self.meter, self.density, self.register)
        return [kind.to_token(value) for kind, value in zip(CONTROL_KINDS, values, strict=True)]


def _make_profiles() -> np.ndarray:
    """Make the profile of each key of KEYS, of mean 0 and length 1, float64 (24, 12)."""
    rows = [np.roll(profile, tonic) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)]
    centred = np.array(rows) - np.mean(rows, axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


KEY_PROFILES = _make_profiles()


def measure_key(piece: Piece) -> int:
    """Find the row of KEYS whose profile correlates best with how long each pitch class sounds (Krumhansl 1990, chapter
    4).

    Without melodic notes, or with all twelve pitch classes equal, there is no key: NO_KEY.
    """
    weights = np.array(weigh_pitch_classes(piece))
    centred = weights - weights.mean()
    return int(np.argmax(KEY_PROFILES @ centred)) if np.abs(centred).max() > 0 else NO_KEY


def rank_keys(piece: Piece) -> list[int]:
    """Rank all rows of KEYS but "none", the best correlated first (Krumhansl 1990, chapter 4)."""
    weights = np.array(weigh_pitch_classes(piece))
    return [int(row) for row in np.argsort(-(KEY_PROFILES @ (weights - weights.mean())), kind="stable")]


def measure_density(piece: Piece) -> float:
    """Measure how many notes begin in a quarter, over the whole piece and all tracks; 0 for a piece without bars."""
    return piece.note_count * POSITIONS_PER_QUARTER / piece.positions if piece.positions else 0.0


def measure_register(piece: Piece) -> int:
    """Find the register of the melodic notes' mean pitch; NO_REGISTER without any."""
    pitches = [note.pitch for track in piece.melodic for note in track.notes]
    return find_register(sum(pitches) / len(pitches)) if pitches else NO_REGISTER


def measure_controls(piece: Piece, style: str = "other") -> MusicControls:
    """Measure all controls of a piece; tempo and meter are those of its first bar.

    Raises:
        ValueError: `style` is none of STYLES.
    """
    if style not in STYLES:
        raise ValueError(f"style is {style!r}; it must be one of {', '.join(STYLES)}.")
    first = piece.bars[0] if piece.bars else Bar()
    return MusicControls(
        style=STYLES.index(style),
        key=measure_key(piece),
        tempo=first.tempo,
        meter=first.meter,
        density=find_density(measure_density(piece)),
        register=measure_register(piece),
    )
