"""The registry of scene kinds: each drawing function says which attributes it can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.video.scene_spec import CAMERAS, COLOURS, TIMES
from models.video.scenes.canvas import Stage

ALL_COLOURS = tuple(COLOURS)
NO_TIME = ("",)
SIDEWAYS = ("left", "right")
TURNS = ("clockwise", "counterclockwise")
STILL_OR_PAN = ("still", "pan left", "pan right")
STILL_OR_ZOOM = ("still", "zoom in", "zoom out")


@dataclass(frozen=True)
class SceneKind:
    """A kind of scene.

    Attributes:
        draw: draws a whole clip on a stage.
        colours, times, directions, cameras: what its specs may ask for.
    """

    name: str
    draw: Callable[[Stage], None]
    colours: tuple[str, ...]
    times: tuple[str, ...]
    directions: tuple[str, ...]
    cameras: tuple[str, ...]


KINDS: dict[str, SceneKind] = {}


def scene(
    name: str,
    colours: tuple[str, ...] = ALL_COLOURS,
    times: tuple[str, ...] = TIMES,
    directions: tuple[str, ...] = SIDEWAYS,
    cameras: tuple[str, ...] = CAMERAS,
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register a drawing function under a name."""

    def register(draw: Callable[[Stage], None]) -> Callable[[Stage], None]:
        KINDS[name] = SceneKind(name, draw, colours, times, directions, cameras)
        return draw

    return register
