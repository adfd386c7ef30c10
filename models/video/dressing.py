"""A thing's picture as it is laid over a scene: in its colour, level, looking where it goes, wet below.

Letters: R x S pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.cutouts import Cutout, tint, trim
from models.video.thing_parsing import ThingPrompt

Array = NDArray[np.floating[Any]]


def prepare_picture(
    picture: Array, thing: Cutout, colour: str, things: ThingPrompt, act: str, medium: str = ""
) -> Array:
    """Colour and turn a picture of a thing."""
    if colour:
        picture = tint(picture, colour, thing.kind == "person")
    if act in {"swim", "stand"} and medium == "water" and "swim" not in thing.poses:  # what is under water is not seen
        wet = 0.20 if thing.kind in {"animal", "person"} else 0.05
        below = np.linspace(1, 0, picture.shape[0], dtype=np.float32)
        picture = picture * np.clip((below - wet) / 0.05, 0, 1)[:, None, None]
    if thing.tilt and act != "spin":
        turn = thing.tilt + ({"rise": 28, "fall": -20}.get(act, 0) if thing.faces == "right" and thing.tilt < 0 else 0)
        picture = turn_picture(picture, turn)
    wants = things.direction if things.direction in {"left", "right"} else thing.faces
    if thing.name == "rocket" and act not in {"rise", "fall"} and things.direction in {"left", "right"}:
        picture = turn_picture(picture, -90.0)
    return np.ascontiguousarray(picture[:, ::-1]) if wants != thing.faces else picture


def turn_picture(picture: Array, degrees: float) -> Array:
    """Turn a picture (R, S, 4) anticlockwise, in a frame that holds all of it."""
    import cv2

    side = int(np.ceil(np.hypot(*picture.shape[:2])))
    matrix = cv2.getRotationMatrix2D(((picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2), degrees, 1.0)
    matrix[:, 2] += (side - picture.shape[1]) / 2, (side - picture.shape[0]) / 2
    turned: Any = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return trim(turned)
