"""Things by name, moved over painted places: captioned clips of cats, cars, rockets and so on.

The cut-outs are pictures with transparency, WebP files named by code point, of the npm package
`@lobehub/fluent-emoji-3d` (Microsoft's Fluent emoji, MIT). They are not part of this repository: give the folder
`assets` of the package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.cutouts import lay_over, read_cutout, tint
from models.video.scene_spec import COLOURS, SPEEDS, TIMES, SceneSpec
from models.video.scenes.canvas import Array, SceneView, Stage, f32
from models.video.scenes.sky import SKIES
from models.video.thing_motion import ThingPath, find_path
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import (
    ACT_NAMES,
    LEADING,
    PLACE_NAMES,
    THING_NAMES,
    THINGS,
    TIMELESS,
    UNGROUNDED,
    find_home,
)
from training.video.thing_places import GROUND, PLACES

CODES: dict[str, str] = json.loads(Path(__file__).with_name("thing_codes.json").read_text(encoding="utf-8"))
if tuple(CODES) != THING_NAMES:
    raise RuntimeError("The cut-outs are not in the order of the weights.")
PLACE_SHARE, COLOUR_SHARE, TWO_SHARE, OTHER_SHARE = 0.4, 0.2, 0.12, 0.15
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
    direction = pick(("left", "right")) if act in LEADING else ""
    if act == "spin":
        direction = pick(("clockwise", "counterclockwise"))
    several = rng.random()
    other = pick(name for name in THING_NAMES if name != thing) if several < OTHER_SHARE else ""
    return ThingPrompt(
        thing=thing,
        other=other,
        count=2 if OTHER_SHARE <= several < OTHER_SHARE + TWO_SHARE else 1,
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
    """Load a cut-out as `models.video.cutouts` has them."""
    return read_cutout(folder / f"{CODES[thing]}.webp")


def _paste(stage: Stage, cutout: Array, path: ThingPath, tall: float, light: Array, mirrored: bool) -> None:
    """Lay a cut-out over all frames."""
    if mirrored:
        cutout = np.ascontiguousarray(cutout[:, ::-1])
    zooms, pans = stage.view()
    for frame in range(stage.frames):
        zoom, pan = float(zooms[frame]), float(pans[frame])
        scale = float(path.size[frame]) * zoom * tall / 2 * stage.rows / max(cutout.shape[0], cutout.shape[1] * 0.75)
        x = ((float(path.x[frame]) - pan) * zoom + 1) / 2 * stage.rows - 0.5
        y = (1 - float(path.y[frame]) * zoom) / 2 * stage.rows - 0.5
        scales = scale, scale * float(path.stretch[frame])
        lay_over(stage.image[frame], cutout, (x, y), scales, float(path.angle[frame]), light)


def render_thing(spec: ThingPrompt, folder: Path, seed: int, frames: int = 16, size: int = 64) -> ThingClip:
    """Render a clip of things; `folder` holds their cut-outs."""
    scene = SceneSpec("", spec.colour or "white", spec.time or "day", "none", spec.speed, spec.camera, seed)
    stage = Stage(scene, SceneView(frames, (size, size)))
    PLACES[spec.place](stage)
    stage.image = np.clip(stage.image, 0, 1)
    light = 0.35 + 0.65 * f32(SKIES[spec.time].light) if spec.time else f32((1, 1, 1))
    names = [spec.thing, spec.other] if spec.other else [spec.thing] * spec.count
    rng = np.random.default_rng(seed)
    tall = float(rng.uniform(0.95, 1.2)) * (1.0 if len(names) == 1 else 0.8)
    for index, name in enumerate(names):
        shift = 0.0 if len(names) == 1 else (-0.42, 0.42)[index]
        clock = stage.t[:, 0, 0] + np.float32(0.13 * index)
        path = find_path(spec.act, spec.direction, clock, rng, tall, FEET)
        path = replace(path, x=path.x + np.float32(shift))
        cutout = load_cutout(folder, name)
        if spec.colour and (index == 0 or spec.count > 1):
            cutout = tint(cutout, spec.colour)
        if spec.act not in UNGROUNDED and spec.place not in {"sky", "space", "sea"}:
            x, y = stage.locate(1.0)
            across = (x - path.x[:, None, None]) / np.float32(tall * 0.42)
            shadow = np.exp(-(across**2) * 2 - ((y - np.float32(FEET)) / 0.06) ** 2)
            stage.image *= (1 - 0.45 * shadow)[..., None]
        _paste(stage, cutout, path, tall, light, mirrored=spec.direction == "right")
    return ThingClip(stage.finish(), spec)
