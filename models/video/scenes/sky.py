"""Skies of four times of day, the light they give, and landscape parts that several scenes share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.video.scenes.canvas import Array, Stage, draw_profile, f32, ramp, smoothstep
from models.video.scenes.noise import sample_fbm


@dataclass(frozen=True)
class Sky:
    """Colours of a time of day.

    Attributes:
        stops: from the horizon to the zenith.
        sun: colour of sun or moon.
        height: of sun or moon above the horizon.
        light: what a white thing looks like in this light.
    """

    stops: tuple[tuple[float, float, float], ...]
    sun: tuple[float, float, float]
    height: float
    light: tuple[float, float, float]


SKIES = {
    "dawn": Sky(
        ((1.0, 0.80, 0.62), (0.96, 0.64, 0.62), (0.64, 0.55, 0.76), (0.34, 0.42, 0.70)), (1.0, 0.90, 0.70), 0.16,
        (0.92, 0.80, 0.80),
    ),
    "day": Sky(
        ((0.80, 0.92, 0.98), (0.55, 0.79, 0.96), (0.32, 0.62, 0.92), (0.18, 0.46, 0.84)), (1.0, 0.98, 0.88), 0.62,
        (1.0, 1.0, 0.98),
    ),
    "dusk": Sky(
        ((1.0, 0.66, 0.26), (0.95, 0.40, 0.30), (0.56, 0.22, 0.42), (0.20, 0.12, 0.34)), (1.0, 0.78, 0.42), 0.13,
        (0.80, 0.54, 0.50),
    ),
    "night": Sky(
        ((0.12, 0.20, 0.36), (0.06, 0.11, 0.26), (0.03, 0.05, 0.16), (0.01, 0.02, 0.09)), (0.93, 0.95, 1.0), 0.62,
        (0.30, 0.36, 0.56),
    ),
}  # fmt: skip


def light_colour(colour: Array, time: str, share: float = 1.0) -> Array:
    """Light a colour (3,) as it looks at that time of day; `share` 0 leaves it as it is."""
    return f32(colour) * (1 - share + share * f32(SKIES[time].light))


def draw_sky(stage: Stage, horizon: float = 0.0, sun: bool = True, haze: Array | None = None) -> float:
    """Fill the image with the sky of the stage's time of day; return the x of sun or moon."""
    time = stage.spec.time_of_day
    sky = SKIES[time]
    _, y = stage.locate(0.15)
    stage.fill(ramp(sky.stops, (y - horizon) / np.float32(1.05 - horizon)))
    sun_x = float(stage.rng.uniform(-0.55, 0.55))
    if time == "night":
        stage.draw_stars(70, below=horizon)
    if haze is not None:
        stage.paint(haze, 0.35 * np.exp(-np.maximum(y - horizon, 0) * 3.5))
    if sun and not (time == "night" and "moon" in stage.without):
        x, y = stage.locate(0.15)
        height = horizon + sky.height
        height = min(height, stage.half_y - 0.22) if stage.fine else height  # all of it is seen in a wide picture
        distance = np.sqrt((x - np.float32(sun_x)) ** 2 + (y - np.float32(height)) ** 2)
        spread = 0.35 if time == "night" else 0.6
        stage.light(f32(sky.sun), 0.42 * np.exp(-distance / np.float32(spread * 0.5)))
        stage.paint(f32(sky.sun) * 1.05, stage.mask_edge(distance - (0.11 if time == "night" else 0.13), 1.6))
    return sun_x


def draw_ridge(
    stage: Stage, base: float, height: float, colour: Array, depth: float, roughness: float = 0.5, shift: float = 0.0
) -> Array:
    """Draw a hill or mountain chain in one colour, a little lighter at its foot; return its height (T, 1, W)."""
    x, y = stage.locate(depth)
    top = np.float32(base) + np.float32(height) * draw_profile(x * np.float32(1.1) + shift, stage.rng, roughness)
    stage.paint(f32(colour), stage.mask_edge(y - top, 1.3))
    return top


def draw_pines(stage: Stage, count: int, base: float, colour: Array, depth: float, size: float = 0.3) -> None:
    """Draw pine trees: three stacked triangles each, at random places."""
    x, y = stage.locate(depth)
    for place in np.sort(stage.rng.uniform(-1.25, 1.25, count)):
        tall = size * float(stage.rng.uniform(0.7, 1.25))
        foot = base + float(stage.rng.uniform(-0.04, 0.03))
        up = (y - np.float32(foot)) / np.float32(tall)
        tooth = 0.72 * (1 - up) + 0.28 * np.abs((up * 3) % 1 - 1)
        inside = np.abs(x - np.float32(place)) - np.float32(0.30 * tall) * tooth
        mask = stage.mask_edge(inside) * ((up > -0.12) & (up < 1))
        stage.paint(f32(colour), mask)


def draw_clouds(stage: Stage, cover: float, colour: Array, shade: Array, drift: float, depth: float = 0.3) -> Array:
    """Draw clouds lit from above and return their mask; `cover` in [0, 1], `drift` in world units a second."""
    x, y = stage.locate(depth)
    offset = f32(stage.rng.uniform(0, 4, 4))
    u, v = x * 0.75 - stage.t * np.float32(drift * 0.75) + offset[0], y * 1.5 + offset[1]
    density = 0.68 * sample_fbm(u, v, 0) + 0.32 * sample_fbm(
        u * 1.9 - stage.t * 0.05, v * 1.9 + stage.t * 0.06 + offset[2], 1
    )
    above = sample_fbm(u + 0.05, v + 0.16, 0)
    low = 0.72 - 0.5 * cover
    mask = smoothstep(low, low + 0.16, density)
    bright = np.clip(0.62 + 2.6 * (density - above), 0, 1)
    stage.paint(ramp((shade, colour), bright), mask)
    return mask


def draw_water(stage: Stage, horizon: float, colour: Array, sun_x: float | None, roll: float, toward: float) -> None:
    """Draw a sea below the horizon, in perspective, with the sky's light in it and a glittering path under the sun."""
    time = stage.spec.time_of_day
    sky = SKIES[time]
    x, y = stage.locate(0.5)
    below = np.maximum(np.float32(horizon) - y, 0)
    distance = 1 / (below + np.float32(0.09))
    u = x * distance * np.float32(0.24) - stage.t * np.float32(roll * 0.3)
    v = distance * np.float32(0.62) + stage.t * np.float32(toward)
    waves = 0.6 * sample_fbm(u, v, 2) + 0.4 * sample_fbm(u * 2.1 + stage.t * 0.12, v * 2.3 - stage.t * 0.1, 3)
    near = np.clip(below * 1.1, 0, 1)
    contrast = 0.9 + 1.3 * near
    tone = np.clip(0.5 + contrast * (waves - 0.5) * 1.6, 0, 1)
    base = light_colour(colour, time)
    far = 0.55 * base + 0.45 * f32(sky.stops[0]) * (0.8 if time != "night" else 1.0)
    body = ramp((base * 0.30, base * 0.72, base * 1.05, 0.55 * base + 0.45 * f32(sky.stops[1])), tone)
    body += (far - body) * np.exp(-below * 5)[..., None]
    mask = stage.mask_edge(y - np.float32(horizon))
    stage.paint(body, mask)
    if sun_x is not None:
        path = np.exp(-(((x - np.float32(sun_x)) / (0.10 + 0.35 * below)) ** 2))
        sparkle = smoothstep(0.50, 0.68, waves) * path * (0.9 if time != "night" else 0.6)
        stage.light(f32(sky.sun), mask * sparkle * np.exp(-below * 0.9))


def draw_tree(stage: Stage, place: float) -> None:
    """Draw a lone tree in silhouette."""
    x, y = stage.locate(0.6)
    x = x - np.float32(place)
    trunk = stage.mask_edge(np.abs(x + 0.03 * np.sin(6 * y)) - 0.022 - 0.03 * np.clip(-y - 0.5, 0, 1)) * (
        (y < -0.2) & (y > -0.85)
    )
    if stage.fine:
        crown = _mask_leaves(x, y)
    else:
        ragged = 0.13 * (sample_fbm(x * 3, y * 3, 3) - 0.5)
        crown = stage.mask_edge(np.sqrt((x / 1.25) ** 2 + (y + 0.22) ** 2) - 0.21 + ragged)
    stage.paint(f32((0.008, 0.012, 0.03)), np.maximum(trunk, crown))


def _mask_leaves(x: Array, y: Array) -> Array:
    """Return the mask of a crown of several tufts with light between its leaves."""
    tufts = [
        1 - np.sqrt(((x - across) / 1.15) ** 2 + (y - up) ** 2) / np.float32(wide)
        for across, up, wide in (
            (0.0, -0.16, 0.17),
            (-0.15, -0.25, 0.12),
            (0.16, -0.23, 0.13),
            (-0.06, -0.05, 0.12),
            (0.09, -0.06, 0.10),
        )
    ]
    leaves = 0.6 * sample_fbm(x * 4, y * 4, 3) + 0.6 * sample_fbm(x * 11, y * 11, 1) - 0.6
    return smoothstep(-0.03, 0.10, np.max(tufts, axis=0) + 1.3 * leaves - 0.05)
