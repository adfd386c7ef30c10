"""Things by name, moved over painted places: captioned clips of cats, cars, rockets and so on.

The cut-outs are pictures with transparency, WebP files named by code point, of the npm package
`@lobehub/fluent-emoji-3d` (Microsoft's Fluent emoji, MIT). They are not part of this repository: give the folder
`assets` of the package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.scene_spec import COLOURS, SPEEDS, TIMES, SceneSpec, get_rgb
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import ACT_NAMES, PLACE_NAMES, THING_NAMES, THINGS, find_home
from training.video.scenes.canvas import Array, Stage, f32
from training.video.scenes.sky import SKIES
from training.video.thing_places import GROUND, PLACES, TIMELESS

CODES: dict[str, str] = json.loads(Path(__file__).with_name("thing_codes.json").read_text(encoding="utf-8"))
if tuple(CODES) != THING_NAMES:
    raise RuntimeError("The cut-outs are not in the order of the weights.")
SHIFTING = ("walk", "hop", "fly", "drive", "swim", "roll")  # acts that lead somewhere
PLACE_SHARE, COLOUR_SHARE, TWO_SHARE, OTHER_SHARE = 0.4, 0.2, 0.12, 0.15
PACE = 0.34  # world units a second
FEET = GROUND - 0.28


@dataclass(frozen=True)
class ThingClip:
    """A rendered clip: frames uint8 (F, S, S, 3), and what they show."""

    frames: NDArray[np.uint8]
    spec: ThingPrompt


def draw_thing_prompt(rng: np.random.Generator, thing: str | None = None) -> ThingPrompt:
    """Draw what a clip shows, evenly over the things."""

    def pick(values: Any) -> str:
        values = tuple(values)
        return str(values[int(rng.integers(len(values)))])

    thing = thing or pick(THING_NAMES)
    habit, home = THINGS[thing][0], find_home(thing)
    act = habit if rng.random() < 0.5 else pick(ACT_NAMES)
    place = home if rng.random() > PLACE_SHARE else pick(PLACE_NAMES)
    if act == "swim":
        place = "sea"
    direction = pick(("left", "right")) if act in SHIFTING else ""
    if act == "spin":
        direction = pick(("clockwise", "counterclockwise"))
    several = rng.random()
    other = pick(name for name in THING_NAMES if name != thing) if several < OTHER_SHARE else ""
    return ThingPrompt(
        thing=thing,
        other=other,
        count="two" if OTHER_SHARE <= several < OTHER_SHARE + TWO_SHARE else "one",
        colour=pick(COLOURS) if rng.random() < COLOUR_SHARE else "",
        act=act,
        direction=direction,
        speed=pick(SPEEDS),
        place=place,
        time="" if place in TIMELESS else pick(("day", "day", "day", *TIMES)),
        camera=pick(("pan left", "pan right", "zoom in", "zoom out")) if rng.random() < 0.25 else "still",
    )


@lru_cache(maxsize=512)
def load_cutout(folder: Path, thing: str) -> Array:
    """Load a cut-out without its empty border, float32 (R, S, 4) in [0, 1], colours multiplied by opacity."""
    from PIL import Image

    with Image.open(folder / f"{CODES[thing]}.webp") as picture:
        pixels: Array = np.asarray(picture.convert("RGBA"), np.float32) / 255
    rows, columns = np.nonzero(pixels[..., 3] > 0.05)
    pixels = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy()
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def tint(cutout: Array, colour: str) -> Array:
    """Give the coloured parts of a cut-out another colour, light and shade kept."""
    rgb = cutout[..., :3]
    light = rgb @ f32((0.3, 0.59, 0.11))
    span = rgb.max(axis=2) - rgb.min(axis=2)
    share = np.clip((span / np.maximum(rgb.max(axis=2), 1e-3) - 0.12) / 0.2, 0, 1)
    if share[cutout[..., 3] > 0.5].mean() < 0.3:  # of a white or grey thing all is painted
        share = np.maximum(share, np.clip((light - 0.25) / 0.2, 0, 1))
    main = get_rgb(colour)
    level = np.clip(light * 1.25, 0, 1.3)[..., None]
    painted = np.where(level < 0.62, main * (level / 0.62), main + (cutout[..., 3:] - main) * ((level - 0.62) / 0.9))
    painted = np.clip(painted, 0, cutout[..., 3:])
    made = cutout.copy()
    made[..., :3] += (painted - rgb) * share[..., None]
    return made


def _find_path(spec: ThingPrompt, t: Array, rng: np.random.Generator, tall: float) -> dict[str, Array]:
    """Find place, turn and size of a thing at the times t (T,) of its own clock: x, y of its middle."""
    zero, act = np.zeros_like(t), spec.act
    way = {"left": -1.0, "right": 1.0}.get(spec.direction, 0.0)
    middle = t - t.mean()
    x = np.float32(way * PACE) * middle + np.float32(rng.uniform(-0.1, 0.1))
    aloft = act in {"fly", "fall", "rise"}
    y = zero + np.float32(rng.uniform(-0.05, 0.35) if aloft else FEET + tall / 2)
    angle, size = zero, zero + 1
    beat = np.float32(2 * np.pi) * t
    if act == "walk":
        y, angle = y + 0.035 * np.abs(np.sin(beat * 1.2)), 0.07 * np.sin(beat * 1.2)
    elif act == "hop":
        jump = np.abs(np.sin(beat * 0.6))
        y, size = y + 0.32 * jump, 1 - 0.10 * (jump < 0.15)
    elif act == "fly":
        y, angle = y + 0.07 * np.sin(beat * 0.5), 0.05 * np.sin(beat * 0.5 + 1)
    elif act == "drive":
        y = y + 0.008 * np.sin(beat * 4)
    elif act == "swim":
        y, angle = y + 0.05 * np.sin(beat * 0.5) - 0.05, 0.08 * np.sin(beat * 0.5 + 0.8)
    elif act == "roll":
        angle = -x / np.float32(tall / 2)
    elif act == "dance":
        x, angle = x + 0.12 * np.sin(beat * 0.8), 0.22 * np.sin(beat * 0.8 + 1.2)
        y = y + 0.06 * np.abs(np.sin(beat * 0.8))
    elif act == "spin":
        angle = np.float32({"clockwise": -1.0}.get(spec.direction, 1.0) * 1.7) * t
    elif act in {"fall", "rise"}:
        y = np.float32(0.5 if act == "rise" else -0.5) * middle
    elif act == "grow":
        size = np.exp(0.42 * middle) * np.float32(0.95)
        y = zero + np.float32(FEET) + size * np.float32(tall / 2)
    return {"x": x, "y": y, "angle": angle, "size": size}


def _paste(stage: Stage, cutout: Array, path: dict[str, Array], tall: float, light: Array, mirrored: bool) -> None:
    """Lay a cut-out over all frames, drawn at twice the size and brought down."""
    import cv2

    side = stage.size * 2
    if mirrored:
        cutout = np.ascontiguousarray(cutout[:, ::-1])
    rows, columns = cutout.shape[:2]
    zooms, pans = stage.view()
    middle_x, middle_y = (columns - 1) / 2, (rows - 1) / 2
    biggest = float((path["size"] * zooms).max()) * tall / 2 * side / max(rows, columns * 0.75)
    if biggest < 0.7:  # shrink once by areas, so that no detail is skipped
        share = biggest / 0.9
        cutout = f32(cv2.resize(cutout, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
        rows, columns = cutout.shape[:2]
        middle_x, middle_y = (columns - 1) / 2, (rows - 1) / 2
    for frame in range(stage.frames):
        zoom, pan = float(zooms[frame]), float(pans[frame])
        scale = float(path["size"][frame]) * zoom * tall / 2 * side / max(rows, columns * 0.75)
        x = ((float(path["x"][frame]) - pan) * zoom + 1) / 2 * side - 0.5
        y = (1 - float(path["y"][frame]) * zoom) / 2 * side - 0.5
        cosine, sine = scale * np.cos(path["angle"][frame]), scale * np.sin(path["angle"][frame])
        turn = np.array(
            [
                [cosine, sine, x - cosine * middle_x - sine * middle_y],
                [-sine, cosine, y + sine * middle_x - cosine * middle_y],
            ]
        )
        layer = cv2.warpAffine(cutout, turn, (side, side), flags=cv2.INTER_LINEAR)
        layer = cv2.resize(layer, (stage.size, stage.size), interpolation=cv2.INTER_AREA)
        stage.image[frame] = layer[..., :3] * light + stage.image[frame] * (1 - layer[..., 3:])


def render_thing(spec: ThingPrompt, folder: Path, seed: int, frames: int = 16, size: int = 64) -> ThingClip:
    """Render a clip of things; `folder` holds their cut-outs."""
    scene = SceneSpec("", spec.colour or "white", spec.time or "day", "none", spec.speed, spec.camera, seed)
    stage = Stage(scene, frames, size)
    PLACES[spec.place](stage)
    stage.image = np.clip(stage.image, 0, 1)
    light = 0.35 + 0.65 * f32(SKIES[spec.time].light) if spec.time else f32((1, 1, 1))
    names = [spec.thing, spec.other] if spec.other else [spec.thing] * (2 if spec.count == "two" else 1)
    rng = np.random.default_rng(seed)
    tall = float(rng.uniform(0.95, 1.2)) * (1.0 if len(names) == 1 else 0.8)
    for index, name in enumerate(names):
        shift = 0.0 if len(names) == 1 else (-0.42, 0.42)[index]
        path = _find_path(spec, stage.t[:, 0, 0] + np.float32(0.13 * index), rng, tall)
        path["x"] = path["x"] + np.float32(shift)
        cutout = load_cutout(folder, name)
        if spec.colour and (index == 0 or spec.count == "two"):
            cutout = tint(cutout, spec.colour)
        if spec.act not in {"fly", "fall", "rise", "swim"} and spec.place not in {"sky", "space", "sea"}:
            x, y = stage.locate(1.0)
            across = (x - path["x"][:, None, None]) / np.float32(tall * 0.42)
            shadow = np.exp(-(across**2) * 2 - ((y - np.float32(FEET)) / 0.06) ** 2)
            stage.image *= (1 - 0.45 * shadow)[..., None]
        _paste(stage, cutout, path, tall, light, mirrored=spec.direction == "right")
    return ThingClip(stage.finish(), spec)
