"""Named things as pictures with transparency: Microsoft's Fluent emoji, cut out, with the words that people say.

`training.video.cutouts` makes the two files. A picture is float32 (R, S, 4) in [0, 1], its colours multiplied by its
opacity, without an empty border.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.errors import ModelError
from models.video.scene_spec import COLOURS
from models.video.thing_bodies import dress_body
from models.video.thing_parsing import Lexicon

CUTOUT_PICTURES, CUTOUT_NAMES = "video_cutouts.zip", "video_cutouts.json"
TINTS: dict[str, tuple[float, float, float]] = {
    **COLOURS,
    "black": (0.13, 0.13, 0.15),
    "brown": (0.48, 0.30, 0.17),
    "grey": (0.55, 0.56, 0.58),
}

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Cutout:
    """A thing that can be laid over a scene.

    Attributes:
        name: in lower case; words: all that it is called, the name first.
        code: its picture's name in the pack.
        kind: animal, person, vehicle, building, plant, food, sport, sky or object.
        pose: "whole", or what of it is seen: "bust" or "head".
        act, home: what it does and where it is when nothing is said.
        size: share of a picture's height.
        tilt: degrees, anticlockwise, that bring it level.
        faces: "left" or "right".
        poses: names of its other pictures in the pack, by what it does or rides.
    """

    name: str
    code: str
    words: tuple[str, ...]
    kind: str
    pose: str
    act: str
    home: str
    size: float
    tilt: float = 0.0
    faces: str = "left"
    poses: Mapping[str, str] = field(default_factory=dict)


class CutoutPack:
    """All cut-outs, their pictures read when they are first drawn."""

    def __init__(self, pictures: Path, things: dict[str, Cutout]) -> None:
        self.pictures, self.things = pictures, things
        lexicon = Lexicon.of(
            {name: each.words for name, each in things.items()},
            {name: each.act for name, each in things.items()},
            {name: each.home for name, each in things.items()},
        )
        people = frozenset(name for name, each in things.items() if each.kind == "person")
        self.lexicon = replace(lexicon, people=people)
        self.load = lru_cache(maxsize=32)(self._load)
        self.load_whole = lru_cache(maxsize=16)(self._load_whole)

    def _load_whole(self, name: str, act: str = "walk", takes_steps: bool = False) -> tuple[Array, ...]:
        """Load the pictures of a thing that does something: those of its steps, else one."""
        thing = self.things[name]
        if thing.pose == "whole":
            return (self.load(name, act),)
        return dress_body(self.load(name), name, thing.pose, takes_steps)

    def _load(self, name: str, act: str = "") -> Array:
        thing = self.things[name]
        try:
            with zipfile.ZipFile(self.pictures) as pack:
                data = pack.read(f"{thing.poses.get(act, thing.code)}.webp")
            return read_cutout(io.BytesIO(data))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"The picture of “{name}” in {self.pictures.name} cannot be read: {error}", "weights"
            ) from error


def load_cutouts(pictures: Path, names: Path) -> CutoutPack:
    """Load the pack's names.

    Raises:
        ModelError: the list is missing, damaged or of another version.
    """
    fields = Cutout.__dataclass_fields__
    try:
        rows = json.loads(names.read_text(encoding="utf-8"))
        things = [
            Cutout(**{**{key: row[key] for key in fields if key != "poses"}, "words": tuple(row["words"]),
                      "poses": row.get("poses", {})})
            for row in rows
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The list of things, {names.name}, cannot be read.", "weights") from error
    return CutoutPack(pictures, {thing.name: thing for thing in things})


def read_cutout(file: Path | BinaryIO) -> Array:
    """Read a picture file, its colours multiplied by its opacity, without its empty border."""
    with Image.open(file) as picture:
        pixels = trim(np.asarray(picture.convert("RGBA"), np.float32) / 255)
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def trim(pixels: Array) -> Array:
    """Return a copy of (R, S, 4) in [0, 1] without its empty border."""
    rows, columns = np.nonzero(pixels[..., 3] > 0.05)
    return pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy()


def find_skin(cutout: Array) -> Array:
    """Find how much each pixel is of the yellow of skin and hair, (R, S) in [0, 1]."""
    red, green, blue = np.moveaxis(cutout[..., :3], 2, 0)
    span = np.maximum(red - blue, 1e-3)
    hue = (green - blue) / span  # 0 at red, 1 at yellow
    is_warm = np.clip((red - blue - 0.25 * cutout[..., 3]) / 0.1, 0, 1)
    return np.asarray(is_warm * np.clip((hue - 0.44) / 0.08, 0, 1) * (red >= 0.95 * green), np.float32)


def tint(cutout: Array, colour: str, keeps_skin: bool = False) -> Array:
    """Give the coloured parts of a cut-out another colour, a key of TINTS, light and shade kept."""
    rgb = cutout[..., :3]
    light = rgb @ np.asarray((0.3, 0.59, 0.11), np.float32)
    span = rgb.max(axis=2) - rgb.min(axis=2)
    share = np.clip((span / np.maximum(rgb.max(axis=2), 1e-3) - 0.12) / 0.2, 0, 1)
    if share[cutout[..., 3] > 0.5].mean() < 0.3:  # of a white or grey thing all is painted
        share = np.maximum(share, np.clip((light - 0.25) / 0.2, 0, 1))
    if keeps_skin:
        share = share * (1 - find_skin(cutout))
    main = np.asarray(TINTS[colour], np.float32)
    solid = light[(share > 0.5) & (cutout[..., 3] > 0.9)]
    middle = max(float(np.median(solid)), 0.2) if solid.size else 0.5
    level = np.clip(light * (0.62 / middle), 0, 1.3)[..., None]
    painted = np.where(level < 0.62, main * (level / 0.62), main + (cutout[..., 3:] - main) * ((level - 0.62) / 0.9))
    painted = np.clip(painted, 0, cutout[..., 3:])
    made = cutout.copy()
    made[..., :3] += (painted - rgb) * share[..., None]
    return made


def lay_over(
    image: Array,
    cutout: Array,
    middle: tuple[float, float],
    scale: tuple[float, float],
    angle: float = 0.0,
    light: Array | float = 1.0,
) -> None:
    """Lay a cut-out over an image float32 (R, S, 3), in place, drawn at twice the size and brought down by areas.

    Args:
        middle: column and row of the cut-out's middle, in pixels of the image.
        scale: pixels of the image for one of the cut-out, across and down.
        angle: radians, anticlockwise.
        light: (3,), what its colours are multiplied by.
    """
    import cv2

    biggest = 2 * max(scale)
    if biggest < 0.7:  # shrink once by areas, so that no detail is skipped
        share = max(biggest / 0.9, 1.5 / min(cutout.shape[:2]))
        rows, columns = cutout.shape[:2]
        cutout = cv2.resize(cutout, None, fx=share, fy=share, interpolation=cv2.INTER_AREA).astype(np.float32)
        scale = scale[0] * columns / cutout.shape[1], scale[1] * rows / cutout.shape[0]
    rows, columns = cutout.shape[:2]
    reach = 0.5 * np.hypot(columns * scale[0], rows * scale[1]) + 2
    left, top = int(np.floor(middle[0] - reach)), int(np.floor(middle[1] - reach))
    right, bottom = int(np.ceil(middle[0] + reach)), int(np.ceil(middle[1] + reach))
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, image.shape[1]), min(bottom, image.shape[0])
    if right <= left or bottom <= top:
        return
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = 2 * np.array([[cosine * scale[0], sine * scale[1]], [-sine * scale[0], cosine * scale[1]]])
    at = 2 * np.array([middle[0] - left + 0.5, middle[1] - top + 0.5]) - 0.5
    shift = at - turn @ np.array([(columns - 1) / 2, (rows - 1) / 2])
    wide, high = right - left, bottom - top
    layer = cv2.warpAffine(cutout, np.column_stack([turn, shift]), (2 * wide, 2 * high), flags=cv2.INTER_LINEAR)
    layer = cv2.resize(layer, (wide, high), interpolation=cv2.INTER_AREA)
    part = image[top:bottom, left:right]
    part[...] = layer[..., :3] * light + part * (1 - layer[..., 3:])
