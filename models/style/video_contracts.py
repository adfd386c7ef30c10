"""Request and chunk of picture and video style transfer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.contracts import check_number

FloatArray = NDArray[np.float32]

LEAST_SIZE, MOST_SIZE = 64, 1920
MOST_STEADINESS = 0.95
LEAST_BRUSH, MOST_BRUSH = 0.5, 2.0
MOST_STYLES = 8


class StyledPart(StrEnum):
    """What of a picture is painted; the rest stays as it is."""

    ALL = "all"
    PERSON = "person"
    BACKGROUND = "background"


@dataclass(frozen=True)
class VideoStyleRequest:
    """A clip or picture, and the picture whose style it shall have.

    Args:
        path: the content, any clip or picture that `models.media` reads.
        style: the style, any picture (of a clip, its first frame).
        others: further style pictures, each with how much it counts; `style` counts 1.
        strength: 0 is the content itself, 1 is all of the style.
        brush: how large strokes are, 1 as the style has them.
        part: what is painted.
        keep_colours: take the brightness and strokes of the style, but none of its colours.
        size: the longer side of the result in pixels, at most; smaller contents stay as small as they are.
        steadiness: share of the last frame that is carried along the motion into the next; 0 paints each on its own.
        first_frame: where to begin, from 0.
        frames: how many at most; 0 is all that follow.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    FILE_FIELDS: ClassVar[tuple[str, ...]] = ("path", "style", "others")

    path: str
    style: str
    others: tuple[tuple[str, float], ...] = ()
    strength: float = 1.0
    brush: float = 1.0
    part: StyledPart = StyledPart.ALL
    keep_colours: bool = False
    size: int = 512
    steadiness: float = 0.9
    first_frame: int = 0
    frames: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path:
            raise ValueError("path is empty; choose a clip or a picture first.")
        if not isinstance(self.style, str) or not self.style:
            raise ValueError("style is empty; choose a style picture first.")
        check_number("strength", self.strength, 0.0, 1.0)
        check_number("brush", self.brush, LEAST_BRUSH, MOST_BRUSH)
        if len(self.others) >= MOST_STYLES:
            raise ValueError(f"others has {len(self.others)} pictures; it must have at most {MOST_STYLES - 1}.")
        for _, weight in self.others:
            check_number("others", weight, 0.0, 1.0)
        if self.part not in list(StyledPart):
            raise ValueError(f"part is {self.part!r}; it must be one of {', '.join(StyledPart)}.")
        if not isinstance(self.keep_colours, bool):
            raise ValueError(f"keep_colours is {self.keep_colours!r}; it must be True or False.")
        check_number("steadiness", self.steadiness, 0.0, MOST_STEADINESS)
        _check_whole("size", self.size, LEAST_SIZE, MOST_SIZE)
        _check_whole("first_frame", self.first_frame, 0, 10**7)
        _check_whole("frames", self.frames, 0, 10**7)


@dataclass(frozen=True)
class StyleMove:
    """Statistics before, wanted, and after: by name ("colours", "level 1" ...), float32 (n,) each."""

    content: dict[str, FloatArray]
    style: dict[str, FloatArray]
    result: dict[str, FloatArray]

    def measure_share(self, name: str) -> float:
        """Measure how much of the way from content to style was gone: 1 - |result - style| / |content - style|."""
        whole = float(np.abs(self.content[name] - self.style[name]).mean())
        rest = float(np.abs(self.result[name] - self.style[name]).mean())
        return 1.0 - rest / whole if whole > 1e-6 else 1.0


@dataclass(frozen=True)
class VideoStyleChunk:
    """Some frames, in order; the whole result is all of them.

    Attributes:
        frames: the result, uint8 (N, H, W, 3) in RGB.
        source: the content at the same size, uint8 (N, H, W, 3).
        rate: frames in a second.
        number: number of the first of these frames in the clip, from 0.
        move: the statistics of the last of these frames and of the style.
        is_picture: whether the content is a single picture.
        notes: plain sentences for the person.
        done, total: progress in frames, or in what `unit` names.
        last: whether this chunk closes the work.
        unit: what `done` and `total` count.
        is_preview: whether this is a small first look, and no part of the result.
    """

    frames: NDArray[np.uint8]
    source: NDArray[np.uint8]
    rate: Fraction
    number: int
    move: StyleMove | None
    is_picture: bool = False
    notes: tuple[str, ...] = ()
    done: int = 0
    total: int = 1
    last: bool = False
    unit: str = "frame"
    is_preview: bool = False


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high:,}.")
