"""Towns as people look at them: a skyline over water, and a street in the rain, finer than the model learns from them.

Letters: as in `models.video.scenes.canvas`.
"""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import mix
from models.video.scenes.canvas import Array, Stage, f32, ramp, smoothstep, wrap
from models.video.scenes.noise import sample_fbm
from models.video.scenes.sky import light_colour

WHITE, WARM, COOL = f32((1, 1, 1)), f32((1.0, 0.80, 0.48)), f32((0.80, 0.90, 1.0))
# Rows of towers, the farthest first: width of a plot, height of the lowest and what may come on top of it.
ROWS = ((0.095, -0.02, 0.44), (0.14, -0.16, 0.36), (0.22, -0.32, 0.24))


def hash_cells(cells: Array, salt: float) -> Array:
    """Return a number in [0, 1) for each cell that looks like chance."""
    return np.abs(np.sin(cells * np.float32(12.9898) + np.float32(salt)) * np.float32(43.7)) % 1


def draw_towers(stage: Stage, low: Array, high: Array, seed: float, lit: float) -> None:
    """Draw rows of towers with windows, of which `lit` are lit, in the haze of a colour `low` (3,)."""
    for layer, (width, base, spread) in enumerate(ROWS):
        x, y = stage.locate(0.2 + 0.18 * layer)
        cell = np.floor(x / np.float32(width))
        chances = [hash_cells(cell, seed + 7.7 * layer + 3.1 * each) for each in range(3)]
        height = base + spread * chances[0] ** 1.7
        across = x - (cell + 0.5) * np.float32(width)
        half = np.float32(width) * (0.36 + 0.12 * chances[1])
        crown = height + np.float32(0.16 * spread) * (chances[2] > 0.5)
        mast = crown + np.float32(0.10) * (chances[2] > 0.86)
        body = stage.mask_edge(y - height) * stage.mask_edge(np.abs(across) - half)
        above = stage.mask_edge(y - crown) * stage.mask_edge(np.abs(across) - 0.55 * half)
        tower = np.maximum(body, above)
        tower = np.maximum(tower, stage.mask_edge(y - mast) * stage.mask_edge(np.abs(across) - 0.004))
        wall = mix(mix(low, high, 0.45), f32((0.02, 0.025, 0.06)), 0.25 + 0.27 * layer)
        mist = np.exp(-np.maximum(y - base + 0.42, 0) * 3.2)
        shade = (0.86 + 0.28 * (across < -0.12 * half))[..., None] * wall + (0.55 - 0.11 * layer) * low * mist[
            ..., None
        ]
        stage.paint(shade, tower)
        count, rows = 4 + layer, 34.0 - 5 * layer
        column, row = (across / half * 0.5 + 0.5) * count, y * rows
        code = np.abs(np.sin(np.floor(column) * 78.2 + np.floor(row) * 37.7 + cell * 9.1 + seed) * 437.5) % 1
        pane = smoothstep(0.40, 0.28, np.abs(column % 1 - 0.5)) * smoothstep(0.40, 0.26, np.abs(row % 1 - 0.5))
        lamps = ramp((stage.main, WARM, mix(WARM, WHITE, 0.5), COOL), (code * 7) % 1)
        glow = body * pane * (code > 1 - lit) * (0.45 + 0.55 * ((code * 31) % 1))
        stage.paint(lamps * np.float32(0.72 + 0.14 * layer), glow * (y < height - 0.02))


def draw_skyline(stage: Stage) -> None:
    """Draw towers of lit windows over the water that mirrors them, and traffic along the bank."""
    dusk = stage.spec.time_of_day == "dusk"
    low = mix(stage.main, f32((1.0, 0.6, 0.35)), 0.45) if dusk else mix(stage.main * 0.42, f32((0.10, 0.12, 0.26)), 0.4)
    high = f32((0.20, 0.14, 0.36)) if dusk else f32((0.015, 0.02, 0.08))
    bank = max(-0.62, -0.62 * stage.half_y)
    still = stage.at_rest()
    x, y = still.locate(0.1)
    still.fill(ramp((low, mix(low, high, 0.55), high, high * 0.7), 0.30 + 0.55 * y))
    if not dusk:
        still.draw_stars(40, below=0.0, amount=0.6)
    offset, moon_x, seed = (float(stage.rng.uniform(*ends)) for ends in ((0, 4), (-0.6, 0.6), (0, 50)))
    if not dusk and "moon" not in stage.without:
        far = np.sqrt((x - np.float32(moon_x)) ** 2 + (y - np.float32(stage.half_y - 0.22)) ** 2)
        still.light(f32((0.75, 0.82, 1.0)), 0.20 * np.exp(-far * 5))
        still.paint(f32((0.94, 0.95, 1.0)), still.mask_edge(far - 0.055, 1.4))
    veil = smoothstep(0.46, 0.78, sample_fbm(x * 0.5 + offset, y * 2.4, 0))
    still.paint(mix(low, WHITE, 0.22 if dusk else 0.06), (0.55 if dusk else 0.35) * veil)
    draw_towers(still, low, high, seed, 0.42 if dusk else 0.5)
    still.paint(f32((0.03, 0.03, 0.05)), still.mask_edge(y - np.float32(bank + 0.035)))
    if still is not stage:
        stage.image[...] = still.image
    clock, count = stage.t[:, :, 0], 11
    for lane, colour in enumerate((f32((1.0, 0.93, 0.75)), f32((1.0, 0.25, 0.18)))):
        start, pace = (f32(stage.rng.uniform(*ends, count)) for ends in ((-1.25, 1.25), (0.35, 0.6)))
        way, height = stage.dx * (1 if lane == 0 else -1), bank + 0.022 - 0.012 * lane
        for part in range(3):
            place = wrap(start + way * pace * clock - way * 0.02 * part, 1.3)
            stage.image += stage.render_glow(place, f32(height)[None], 0.011, 0.85 - 0.25 * part, colour, 0.1)
    stage.reflect(bank, mix(high, low, 0.35) * 0.7, 0.72, 0.012)


def draw_rainy_street(stage: Stage) -> None:
    """Draw slanting rain over a person with an umbrella, and lit windows mirrored in the wet street."""
    time = stage.spec.time_of_day
    gloom = light_colour(f32((0.46, 0.52, 0.60)), time)
    street = max(-0.46, -0.58 * stage.half_y)
    still = stage.at_rest()
    x, y = still.locate(0.2)
    still.fill(ramp((gloom * 0.95, gloom * 0.8, gloom * 0.5), 0.5 * y + 0.5))
    offset, seed, place = (float(stage.rng.uniform(*ends)) for ends in ((0, 4), (0, 50), (-0.35, 0.35)))
    still.paint(gloom * 0.42, 0.7 * smoothstep(0.42, 0.7, sample_fbm(x * 0.7 + offset, y * 1.3, 0)))
    draw_towers(still, gloom * 0.75, gloom * 0.4, seed, 0.22 if time == "day" else 0.4)
    still.paint(gloom * 0.85, 0.80 * np.exp(-(((y - street) / 0.24) ** 2)))
    if still is not stage:
        stage.image[...] = still.image
    if "subject" not in stage.without:
        _draw_walker(stage, place, street, gloom)
    stage.reflect(street, gloom * 0.42, 0.66, 0.006)
    _draw_rings(stage, street, gloom)
    for depth, columns, amount in ((0.4, 70, 0.16), (0.8, 34, 0.30)):
        _draw_streaks(stage, depth, columns, amount, gloom + np.float32(0.4))


def _draw_walker(stage: Stage, place: float, street: float, gloom: Array) -> None:
    """Draw who stands on the street under an umbrella of the main colour."""
    x, y = stage.locate(0.2)
    main = mix(stage.main, light_colour(stage.main, stage.spec.time_of_day), 0.5)
    x = x - np.float32(place)
    y = y - np.float32(street - 0.005)
    dark, skin = gloom * 0.20, f32((0.60, 0.44, 0.36)) * (0.4 + 0.6 * gloom)
    for side in (-0.026, 0.026):
        stage.paint(dark * 0.7, stage.mask_box(x - side, y - 0.07, 0.014, 0.075))
    up = y - 0.13
    coat = stage.mask_edge(np.abs(x) - (0.075 - 0.10 * up)) * stage.mask_edge(np.abs(up - 0.10) - 0.11)
    stage.paint((dark + 0.05) * (1.25 - 4 * x)[..., None], coat)
    stage.paint(skin, stage.mask_disc(x, y - 0.385, 0.038))
    stage.paint(dark * 0.8, stage.mask_disc(x, y - 0.40, 0.040) * (y > 0.392))
    sway = 0.012 * np.sin(1.5 * stage.t)
    ux, uy = x - 0.03 - sway, y - 0.47
    stage.paint(f32((0.05, 0.05, 0.06)), stage.mask_box(ux, uy + 0.09, 0.005, 0.13))
    hem = 0.022 * np.abs(np.sin(ux * 23))
    dome = stage.mask_edge(np.sqrt(ux**2 + (uy / 0.72) ** 2) - 0.25) * stage.mask_edge(hem - uy)
    ribs = 0.72 + 0.34 * np.abs(np.cos(3.0 * np.arctan2(uy + 0.03, ux) + 1.57)) * (0.7 + 1.6 * uy) - 0.8 * ux
    stage.paint(main * ribs[..., None], dome)


def _draw_rings(stage: Stage, street: float, gloom: Array) -> None:
    """Draw the rings of drops on the street, in its rows alone."""
    row = max(0, round((stage.half_y - street) / (2 * stage.half_y) * stage.rows))
    x, y = stage.locate(0.2)
    y, period = y[:, row:], 2.2
    lit = gloom + np.float32(0.3)
    for _ in range(14):
        moment, sx, sy = (
            float(stage.rng.uniform(*ends)) for ends in ((-0.3, period - 0.3), (-1.2, 1.2), (-0.6, -0.04))
        )
        age = stage.find_age(moment, period)
        ring = np.sqrt((x - sx) ** 2 + ((y - street - sy) / 0.30) ** 2) - 0.16 * age
        fade = 0.4 * ((age > 0) & (age < 0.5)) * (1 - age / 0.5)
        stage.image[:, row:] += lit * (fade * np.exp(-((ring / 0.008) ** 2)))[..., None]


def _draw_streaks(stage: Stage, depth: float, columns: float, amount: float, colour: Array) -> None:
    """Draw rain: each column of a slanted grid has one drop after the other, and no two columns are in step."""
    x, y = stage.locate(depth)
    slanted = (x + np.float32(0.16 * stage.dx) * y) * np.float32(columns)
    cell = np.floor(slanted)
    chance = hash_cells(cell, 3.0 + depth)
    along = (y * (1.1 + 0.5 * chance) + stage.t * np.float32(2.4 + depth) + 17 * chance) % 1
    streak = np.clip(1 - along / 0.16, 0, 1) * smoothstep(0.0, 0.03, along) * (0.4 + 0.6 * ((chance * 7) % 1))
    thin = np.exp(-(((slanted - cell - 0.5) / 0.14) ** 2))
    stage.light(colour, np.float32(amount) * streak * thin)
