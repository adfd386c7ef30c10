"""Places that named things are shown in: a sky or a wall, something behind, a ground to stand on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.video.scene_spec import mix
from models.video.scenes.canvas import Array, Stage, f32, ramp, smoothstep
from models.video.scenes.noise import sample_fbm
from models.video.scenes.sky import SKIES, draw_clouds, draw_pines, draw_ridge, draw_sky, draw_water, light_colour
from models.video.thing_words import PLACE_NAMES

GROUND = -0.30  # height of the world where the ground ends


def _light(stage: Stage, colour: object) -> Array:
    return light_colour(f32(colour), stage.spec.time_of_day)


def _lay_ground(stage: Stage, colour: object, top: float = GROUND, grain: float = 0.25) -> None:
    """Lay a ground with a grain that grows towards the eye."""
    x, y = stage.locate(1.0)
    below = np.maximum(np.float32(top) - y, 0)
    far = 1 / (below + np.float32(0.18))
    tone = 1 + np.float32(grain) * (sample_fbm(x * far * 0.5, far * 0.9, 1) - 0.5) * 2
    stage.paint(_light(stage, colour) * (0.82 + 0.3 * below)[..., None] * tone[..., None], stage.mask_edge(y - top))


def _draw_meadow(stage: Stage) -> None:
    draw_sky(stage, -0.1)
    draw_ridge(stage, -0.05, 0.18, _light(stage, (0.36, 0.55, 0.42)), 0.3)
    draw_ridge(stage, -0.18, 0.10, _light(stage, (0.33, 0.58, 0.25)), 0.6)
    _lay_ground(stage, (0.36, 0.62, 0.22))


def _draw_beach(stage: Stage) -> None:
    sun_x = draw_sky(stage, 0.1)
    draw_water(stage, 0.1, f32((0.12, 0.50, 0.66)), sun_x, 0.2, 0.3)
    x, y = stage.locate(1.0)
    edge = np.float32(GROUND) + 0.05 * np.sin(3 * x + stage.t)
    stage.paint(f32((0.95, 0.97, 0.98)) * f32(SKIES[stage.spec.time_of_day].light), stage.mask_edge(y - edge - 0.04))
    _lay_ground(stage, (0.90, 0.78, 0.54), GROUND - 0.03, 0.12)


def _draw_desert(stage: Stage) -> None:
    draw_sky(stage, -0.1)
    draw_ridge(stage, 0.0, 0.22, _light(stage, (0.86, 0.62, 0.36)), 0.4, 0.35)
    draw_ridge(stage, -0.2, 0.12, _light(stage, (0.92, 0.70, 0.40)), 0.7, 0.3)
    _lay_ground(stage, (0.93, 0.74, 0.44), GROUND, 0.15)


def _draw_snow(stage: Stage) -> None:
    draw_sky(stage, -0.1, sun=False)
    draw_ridge(stage, 0.1, 0.25, _light(stage, (0.80, 0.86, 0.94)), 0.3)
    draw_pines(stage, 8, -0.25, _light(stage, (0.16, 0.32, 0.30)), 0.5, 0.45)
    _lay_ground(stage, (0.92, 0.95, 0.99), GROUND, 0.06)
    rng, clock = stage.rng, stage.t[:, :, 0]
    across, down = f32(rng.uniform(-1.2, 1.2, 50)), f32(rng.uniform(-1.2, 1.2, 50))
    fall = (down - f32(rng.uniform(0.25, 0.5, 50)) * clock + 1.2) % 2.4 - 1.2
    stage.image += stage.render_glow(across + 0 * clock, fall, 0.018, 0.7, f32((1, 1, 1)))


def _draw_forest(stage: Stage) -> None:
    draw_sky(stage, -0.1, haze=_light(stage, (0.6, 0.8, 0.6)))
    draw_pines(stage, 22, -0.2, _light(stage, (0.30, 0.48, 0.36)), 0.4, 0.8)
    draw_pines(stage, 14, -0.28, _light(stage, (0.13, 0.33, 0.20)), 0.6, 1.1)
    _lay_ground(stage, (0.28, 0.42, 0.18))


def _draw_boxes(stage: Stage, count: int, low: float, high: float, shade: float, depth: float) -> None:
    """Draw buildings with windows."""
    x, y = stage.locate(depth)
    night = stage.spec.time_of_day in {"night", "dusk"}
    for place in np.linspace(-1.3, 1.3, count):
        wide, tall = float(stage.rng.uniform(0.10, 0.2)), float(stage.rng.uniform(low, high))
        tint = mix(f32((0.55, 0.60, 0.70)), f32(stage.rng.uniform(0.4, 0.9, 3)), 0.4) * np.float32(shade)
        mask = stage.mask_box(x - np.float32(place), y - np.float32(GROUND), wide, tall)
        stage.paint(_light(stage, tint), mask)
        window = (np.sin(x * 40) > 0.2) & (np.sin(y * 34) > 0.2)
        lit = f32((1.0, 0.85, 0.5)) if night else _light(stage, (0.75, 0.88, 0.97))
        stage.paint(lit, mask * window * 0.7)


def _draw_city(stage: Stage) -> None:
    draw_sky(stage, -0.1)
    _draw_boxes(stage, 12, 0.6, 1.1, 1.05, 0.3)
    _draw_boxes(stage, 9, 0.3, 0.7, 0.7, 0.6)
    _lay_ground(stage, (0.48, 0.48, 0.52), GROUND, 0.05)


def _draw_street(stage: Stage) -> None:
    draw_sky(stage, -0.1)
    draw_ridge(stage, 0.0, 0.15, _light(stage, (0.35, 0.58, 0.35)), 0.4)
    _draw_boxes(stage, 6, 0.2, 0.4, 1.1, 0.7)
    _lay_ground(stage, (0.33, 0.34, 0.37), GROUND, 0.05)
    x, y = stage.locate(1.0)
    stage.paint(_light(stage, (0.95, 0.93, 0.85)), stage.mask_edge(np.abs(y + 0.80) - 0.025) * (np.sin(x * 7) > 0))


def _draw_sea(stage: Stage) -> None:
    sun_x = draw_sky(stage, 0.0)
    draw_water(stage, 0.0, f32((0.10, 0.42, 0.66)), sun_x, 0.2, 0.3)


def _draw_clear_sky(stage: Stage) -> None:
    draw_sky(stage, -1.0)
    time = stage.spec.time_of_day
    draw_clouds(stage, 0.42, light_colour(f32((1, 1, 1)), time), f32(SKIES[time].stops[1]) * 0.9, 0.15)


def _fill_space(stage: Stage) -> None:
    x, y = stage.locate(0.1)
    cloud = smoothstep(0.35, 0.8, sample_fbm(x * 0.8 + 0 * stage.t, y * 0.8, 2))
    hue = f32(stage.rng.uniform(0.05, 0.35, 3))
    stage.fill(ramp((f32((0.01, 0.01, 0.05)), f32((0.03, 0.03, 0.10)), hue), cloud))
    stage.draw_stars(110)


def _draw_moon(stage: Stage) -> None:
    _fill_space(stage)
    x, y = stage.locate(0.1)
    earth = np.sqrt((x - 0.55) ** 2 + (y - 0.62) ** 2)
    stage.paint(f32((0.20, 0.45, 0.85)), stage.mask_edge(earth - 0.17))
    clouds = smoothstep(0.5, 0.6, sample_fbm(x * 4, y * 4, 3))
    stage.paint(f32((0.9, 0.95, 1.0)), stage.mask_edge(earth - 0.17) * clouds)
    x, y = stage.locate(1.0)
    below = np.maximum(np.float32(GROUND) - y, 0)
    far = 1 / (below + np.float32(0.2))
    pits = smoothstep(0.55, 0.66, sample_fbm(x * far * 0.6, far * 1.4, 1))
    grey = f32((0.66, 0.66, 0.68)) * (0.75 + 0.35 * below - 0.25 * pits)[..., None]
    stage.paint(grey, stage.mask_edge(y - GROUND))


def _draw_mountains(stage: Stage) -> None:
    draw_sky(stage, -0.1)
    top = draw_ridge(stage, 0.30, 0.42, _light(stage, (0.45, 0.52, 0.66)), 0.2, 0.5)
    _, y = stage.locate(0.2)
    snow = stage.mask_edge(y - top) * smoothstep(0.26, 0.42, y)
    stage.paint(_light(stage, (0.95, 0.97, 1.0)), snow)
    draw_ridge(stage, -0.05, 0.25, _light(stage, (0.30, 0.42, 0.40)), 0.5, 0.5)
    _lay_ground(stage, (0.40, 0.56, 0.26))


def _draw_room(stage: Stage) -> None:
    wall = ((0.90, 0.84, 0.74), (0.74, 0.84, 0.90), (0.86, 0.78, 0.86), (0.80, 0.88, 0.78))[int(stage.rng.integers(4))]
    x, y = stage.locate(0.7)
    stage.fill(f32(wall) * (1.0 + 0.06 * y - 0.05 * x * x)[..., None])
    x, y = stage.locate(1.0)
    below = np.maximum(np.float32(GROUND) - y, 0)
    boards = 0.94 + 0.06 * np.sign(np.sin(x / (below + 0.5) * 14))
    floor = f32((0.68, 0.48, 0.32)) * (0.85 + 0.3 * below)[..., None] * boards[..., None]
    stage.paint(floor, stage.mask_edge(y - GROUND))


PLACES: dict[str, Callable[[Stage], None]] = {
    "meadow": _draw_meadow, "beach": _draw_beach, "desert": _draw_desert, "snow": _draw_snow, "forest": _draw_forest,
    "city": _draw_city, "sea": _draw_sea, "sky": _draw_clear_sky, "space": _fill_space, "moon": _draw_moon,
    "mountains": _draw_mountains, "street": _draw_street, "room": _draw_room,
}  # fmt: skip
if tuple(PLACES) != PLACE_NAMES:
    raise RuntimeError("The places are not in the order of the weights.")
