"""Templates: transitions, moves and colours that go together, chosen by one control.

Letters: H and W height and width of a frame in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music_video.contracts import TEMPLATE_NAMES, VisualEffects

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
BLOOM_SHARE, BLOOM_SIDE = 0.4, 6  # of the light around bright parts; how much smaller it is drawn
GRAIN, GRAIN_SIDE = 9.0, 256  # standard deviation; the side of the tile that is laid anew for each frame


@dataclass(frozen=True)
class Template:
    """A look of a whole video.

    Attributes:
        calm, lively: kinds of transitions within quiet and within loud sections; turn: where a section begins.
        moves: by what the strengths of the effects are multiplied.
        cuts: added to how often the shot changes.
        saturation, contrast, lift: of the colours; tint: red, green and blue multiplied.
        bloom: light around what is bright; grain: noise as of a film.
    """

    calm: tuple[str, ...]
    lively: tuple[str, ...]
    turn: str
    moves: dict[str, float]
    cuts: float = 0.0
    saturation: float = 1.0
    contrast: float = 1.0
    lift: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bloom: bool = False
    grain: bool = False

    def apply(self, look: VisualEffects) -> VisualEffects:
        """Return strengths of the effects as the template has them."""
        scaled = {name: min(1.0, getattr(look, name) * factor) for name, factor in self.moves.items()}
        return replace(look, cuts=min(1.0, max(0.0, look.cuts + self.cuts)), **scaled)

    @cached_property
    def matrix(self) -> Floats:
        """Return the colours as a matrix (3, 4) on red, green, blue and 1."""
        grey = np.tile(LUMINANCE, (3, 1))
        mixed = np.diag(self.tint) @ (grey + self.saturation * (np.eye(3) - grey)) * self.contrast
        middle = np.full((3, 1), 127.5 * (1 - self.contrast) + self.lift)
        return np.concatenate([mixed, middle], axis=1).astype(np.float32)

    def grade(self, drawn: Pixels, frame: int) -> Pixels:
        """Give a frame, uint8 (H, W, 3), the template's colours; equal numbers give equal grain."""
        import cv2

        height, width = drawn.shape[:2]
        graded: Any = drawn
        if self.bloom:
            size = max(1, width // BLOOM_SIDE), max(1, height // BLOOM_SIDE)
            small = cv2.GaussianBlur(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), (0, 0), size[0] / 40)
            bright = cv2.convertScaleAbs(small, alpha=BLOOM_SHARE * 1.6, beta=-BLOOM_SHARE * 110)
            bright[np.asarray(small) < 69] = 0  # else what is dark would be turned round
            graded = cv2.add(graded, cv2.resize(bright, (width, height), interpolation=cv2.INTER_LINEAR))
        if not np.array_equal(self.matrix, np.eye(3, 4, dtype=np.float32)):
            graded = cv2.transform(graded, self.matrix)
        if self.grain:
            graded = cv2.add(graded, _lay_grain(frame, width, height), dtype=cv2.CV_8U)
        return np.asarray(graded)


def _lay_grain(frame: int, width: int, height: int) -> NDArray[np.int16]:
    """Return noise int16 (H, W, 3), the same in the three colours."""
    rng = np.random.default_rng(frame)
    tile = np.round(rng.normal(0, GRAIN, (GRAIN_SIDE, GRAIN_SIDE))).astype(np.int16)
    across, down = -(-width // GRAIN_SIDE), -(-height // GRAIN_SIDE)
    return np.repeat(np.tile(tile, (down, across))[:height, :width, None], 3, axis=2)


CLEAN = Template(
    calm=("dissolve",), lively=("cut",), turn="dissolve",
    moves={"zoom": 0.6, "flash": 0.0, "rotate": 0.0, "colour": 0.4},
)  # fmt: skip
ENERGETIC = Template(
    calm=("cut", "zoom"), lively=("cut", "whip", "zoom", "whip"), turn="flash",
    moves={"zoom": 1.6, "flash": 1.5, "rotate": 1.4, "pan": 1.3}, cuts=0.25, saturation=1.18, contrast=1.06,
)  # fmt: skip
DREAMY = Template(
    calm=("dissolve",), lively=("dissolve",), turn="dissolve",
    moves={"zoom": 0.4, "flash": 0.0, "rotate": 0.5, "pan": 1.6, "motion": 0.5}, cuts=-0.2,
    saturation=0.88, contrast=0.9, lift=8.0, tint=(1.03, 0.99, 1.04), bloom=True,
)  # fmt: skip
RETRO = Template(
    calm=("dissolve", "cut"), lively=("cut", "flash", "cut"), turn="flash",
    moves={"zoom": 0.8, "flash": 0.6, "colour": 0.3}, saturation=0.62, contrast=0.88, lift=9.0,
    tint=(1.09, 1.0, 0.82), grain=True,
)  # fmt: skip
KARAOKE = Template(  # dark and calm behind the words
    calm=("dissolve",), lively=("dissolve", "cut"), turn="dissolve",
    moves={"zoom": 0.5, "flash": 0.0, "rotate": 0.0, "colour": 0.3}, cuts=-0.2,
    saturation=0.85, contrast=0.75, lift=-24.0,
)  # fmt: skip
TEMPLATES = dict(zip(TEMPLATE_NAMES, (CLEAN, ENERGETIC, DREAMY, RETRO, KARAOKE), strict=True))
