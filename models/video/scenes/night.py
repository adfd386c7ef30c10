"""Light in the dark: fire, lava, aurora, stars, galaxy, planet, city, fireworks, lightning, fireflies, meteors."""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import mix
from models.video.scenes.canvas import Stage, f32, ramp, smoothstep, wrap
from models.video.scenes.noise import sample_fbm
from models.video.scenes.registry import NO_TIME, SIDEWAYS, STILL_OR_PAN, STILL_OR_ZOOM, TURNS, scene
from models.video.scenes.sky import draw_pines, draw_ridge, draw_tree
from models.video.scenes.town import draw_skyline

WHITE = f32((1, 1, 1))
DARK_SKY = (f32((0.10, 0.14, 0.26)), f32((0.04, 0.06, 0.16)), f32((0.01, 0.015, 0.06)))


def draw_dark_sky(stage: Stage, stars: int = 60, tint: float = 0.10) -> None:
    """Draw a night sky with a breath of the main colour at the horizon, and stars."""
    _, y = stage.locate(0.1)
    stage.fill(ramp([mix(DARK_SKY[0], stage.main, 2 * tint), mix(DARK_SKY[1], stage.main, tint), DARK_SKY[2]],
                    0.5 + 0.5 * y))  # fmt: skip
    stage.draw_stars(stars)


@scene("fire", colours=("orange", "red", "gold", "blue", "green", "purple", "pink"), times=NO_TIME, directions=("up",),
       cameras=STILL_OR_ZOOM)  # fmt: skip
def draw_fire(stage: Stage) -> None:
    """Draw a camp fire at night: flames lick up from logs, sparks fly."""
    rng = stage.rng
    x, y = stage.locate()
    stage.fill(ramp((f32((0.02, 0.02, 0.03)), f32((0.05, 0.05, 0.09)), f32((0.01, 0.01, 0.04))), 0.5 + 0.5 * y))
    flicker = 1 + 0.12 * np.sin(9 * stage.t) * np.sin(5.3 * stage.t + 1)
    stage.light(stage.main, flicker * 0.45 * np.exp(-(x**2 + (y + 0.35) ** 2) * 1.8))
    ground = sample_fbm(x * 1.5, y * 6, 3)
    lit_ground = ramp((f32((0.03, 0.02, 0.02)), mix(stage.main * 0.5, f32((0.3, 0.2, 0.12)), 0.5)), ground)
    stage.paint(lit_ground * np.exp(-1.8 * x * x)[..., None], smoothstep(-0.60, -0.68, y))
    up = np.clip((y + 0.72) / np.float32(1.25 + rng.uniform(-0.15, 0.15)), 0, 1.4)
    offset = f32(rng.uniform(0, 4, 2))
    lick = sample_fbm(x * 0.9 + offset[0], y * 0.5 - stage.t * 0.95, 0) - 0.5
    detail = sample_fbm(x * 1.9 + offset[1], y * 0.9 - stage.t * 1.7, 1) - 0.5
    bend = x + (0.30 * lick + 0.10 * detail) * up * 2.2
    width = 0.44 * np.sqrt(np.clip(1.12 - up, 0, 1)) * np.clip(up * 5 + 0.35, 0, 1)
    heat = 1.15 - np.abs(bend) / (width + 0.02) - 0.55 * up + 1.5 * detail + 0.9 * lick * up
    heat = np.clip(heat, 0, 1.2) * smoothstep(-0.75, -0.66, y)
    hot = mix(stage.main, f32((1.0, 0.95, 0.70)), 0.65)
    colours = ramp((stage.main * 0.35, stage.main, mix(stage.main, hot, 0.6), hot, f32((1, 1, 0.95))), heat / 1.1)
    stage.paint(colours, smoothstep(0.02, 0.30, heat))
    for angle, place in ((0.25, -0.04), (-0.28, 0.05), (0.0, 0.0)):
        u = np.cos(angle) * (x - place) + np.sin(angle) * (y + 0.68)
        v = np.cos(angle) * (y + 0.68) - np.sin(angle) * (x - place)
        log = stage.mask_edge(np.abs(u) - 0.50) * stage.mask_edge(np.abs(v) - 0.062)
        bark = (0.5 + 0.6 * sample_fbm(u * 4, v * 9, 2))[..., None] * np.clip(0.9 + 6 * v, 0.3, 1.3)[..., None]
        stage.paint(mix(f32((0.22, 0.12, 0.07)), stage.main * 0.4, 0.3) * bark, log)
    count = 26
    clock = stage.t[:, :, 0]
    pace, phase = f32(rng.uniform(0.5, 1.0, count)), f32(rng.uniform(0, 1.9, count))
    age = (clock * pace + phase) % 1.9
    across = f32(rng.normal(0, 0.16, count)) + 0.10 * age * np.sin(3 * age + f32(rng.uniform(0, 6, count)))
    stage.image += stage.render_glow(across, age - 0.6, 0.013, np.clip(1.6 - 0.9 * age, 0, 1) * 1.3, hot)


@scene("lava", colours=("orange", "red", "gold", "green", "blue", "purple"), times=NO_TIME,
       directions=("left", "right", "down"))  # fmt: skip
def draw_lava(stage: Stage) -> None:
    """Draw molten rock that flows under a cracking crust."""
    x, y = stage.locate()
    offset = f32(stage.rng.uniform(0, 4, 4))
    fx = x - stage.dx * 0.30 * stage.t
    fy = y - stage.dy * 0.30 * stage.t
    warp = sample_fbm(fx * 0.6 + offset[0], fy * 0.6 + offset[1], 0) - 0.5
    a = sample_fbm(fx * 0.75 + 1.1 * warp + offset[2], fy * 0.75 + 1.1 * warp, 1)
    b = sample_fbm(fx * 1.1 - 0.8 * warp + 0.08 * stage.t, fy * 1.1 + offset[3] - 0.06 * stage.t, 2)
    crack = 1 - np.abs(2 * a - 1) * 2.6
    glow = np.clip(0.75 * crack + 1.7 * (b - 0.52), 0, 1.1)
    glow = glow * (0.94 + 0.06 * np.sin(3 * stage.t + 6 * a))
    crust = mix(f32((0.06, 0.05, 0.06)), stage.main, 0.06)
    hot = mix(stage.main, f32((1.0, 0.93, 0.55)), 0.7)
    stage.fill(ramp((crust, mix(crust, stage.main, 0.25), stage.main * 0.8, stage.main, hot, hot), glow))
    stage.light(f32((0.5, 0.45, 0.45)), 0.30 * smoothstep(0.5, 0.8, b) * smoothstep(0.35, 0.0, glow))


@scene("aurora", colours=("green", "teal", "purple", "pink", "red", "blue"), times=NO_TIME)
def draw_aurora(stage: Stage) -> None:
    """Draw curtains of northern light over a lake that mirrors them."""
    draw_dark_sky(stage, 70, 0.12)
    rng = stage.rng
    x, y = stage.locate(0.3)
    second = mix(stage.main, f32((0.55, 0.25, 0.95)) if stage.spec.colour != "purple" else f32((0.2, 0.9, 0.7)), 0.65)
    for layer in range(3):
        phase = f32(rng.uniform(0, 6.28, 3))
        move = stage.t * np.float32(stage.dx * (0.55 + 0.2 * layer))
        fold = 0.10 * np.sin(3.1 * x - move + phase[0]) + 0.06 * np.sin(6.7 * x - 1.6 * move + phase[1])
        base = 0.02 + 0.24 * layer + fold
        streak = sample_fbm((x - 0.18 * move + fold) * 2.4 + phase[2], 0 * y + 0.10 * stage.t + layer, layer)
        above = y - base
        tall = 0.28 + 0.50 * streak
        veil = np.exp(-np.maximum(above, 0) / tall * 2.2) * smoothstep(-0.06, 0.03, above)
        amount = veil * smoothstep(0.22, 0.72, streak) * (1.0 - 0.2 * layer)
        share = np.clip(above / 0.55, 0, 1)
        stage.image += ramp((stage.main, stage.main, second), share) * amount[..., None]
    draw_ridge(stage, -0.16, 0.14, f32((0.025, 0.035, 0.07)), 0.4)
    draw_pines(stage, 8, -0.32, f32((0.01, 0.02, 0.035)), 0.55, 0.30)
    stage.reflect(-0.34, f32((0.02, 0.04, 0.09)), 0.75)


@scene("starfield", times=NO_TIME, directions=("in", "out", "left", "right"), cameras=("still",))
def draw_starfield(stage: Stage) -> None:
    """Draw a flight through stars, with a coloured nebula behind them."""
    rng = stage.rng
    x, y = stage.locate(0.2)
    offset = f32(rng.uniform(0, 4, 3))
    cloud = sample_fbm(x * 0.5 + offset[0] - 0.03 * stage.dx * stage.t, y * 0.5 + offset[1], 0)
    fine = sample_fbm(x * 1.0 + offset[2] - 0.04 * stage.dx * stage.t, y * 1.0, 1)
    mist = np.clip(2.2 * (cloud - 0.42) + 1.0 * (fine - 0.5), 0, 1)
    stage.fill(ramp((f32((0.01, 0.01, 0.03)), stage.main * 0.32, stage.main * 0.85, mix(stage.main, WHITE, 0.4)), mist))
    count = 110
    clock = stage.t[:, :, 0]
    px, py = f32(rng.uniform(-1.3, 1.3, count)), f32(rng.uniform(-1.3, 1.3, count))
    tint, depth = f32(rng.uniform(0.8, 1.0, (count, 3))), f32(rng.uniform(0.25, 1.0, count))
    for part in range(4):
        moment = clock - 0.022 * part
        if stage.dx:
            sx, sy = wrap(px - stage.dx * 1.3 * depth * moment, 1.3), py
            size, amount = 0.022 * depth, depth
        else:
            way = 1 if stage.spec.direction == "in" else -1
            z = (f32(np.linspace(0, 1, count, endpoint=False)) - way * 0.42 * moment) % 1
            z = 0.06 + z * 1.1
            sx, sy = px * 0.30 / z, py * 0.30 / z
            size, amount = 0.008 / z + 0.006, np.clip(1.25 - z, 0, 1)
        size = 0.45 * size if stage.fine else size
        stage.image += stage.render_glow(sx, sy, size, amount * (0.9 - 0.2 * part), tint)


@scene("galaxy", times=NO_TIME, directions=TURNS, cameras=STILL_OR_ZOOM)
def draw_galaxy(stage: Stage) -> None:
    """Draw a spiral galaxy that turns, seen a little from the side."""
    stage.fill(f32((0.008, 0.01, 0.03)))
    stage.draw_stars(90, below=-1.15, amount=0.7)
    x, y = stage.locate()
    rng = stage.rng
    tilt, lean = float(rng.uniform(0.55, 0.95)), float(rng.uniform(-0.6, 0.6))
    u = np.cos(lean) * x + np.sin(lean) * y
    v = (np.cos(lean) * y - np.sin(lean) * x) / np.float32(tilt)
    r = np.sqrt(u * u + v * v) + 1e-3
    turn = np.float32(0.85 * stage.turn) * stage.t
    theta = np.arctan2(v, u)
    wind = 3.2 * stage.turn * np.log(r + 0.08)
    arms = 0.5 + 0.5 * np.cos(2 * (theta - turn) + wind)
    ru, rv = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    dust = sample_fbm(ru * 1.8 + 1, rv * 1.8, 1)
    body = arms**2.2 * np.exp(-2.3 * r) * smoothstep(1.15, 0.5, r) * (0.35 + 1.5 * dust)
    stage.image += (
        ramp((stage.main * 0.3, stage.main, mix(stage.main, WHITE, 0.45)), 1.5 * body) * (2.3 * body)[..., None]
    )
    grain = smoothstep(0.62, 0.8, sample_fbm(ru * 6, rv * 6, 2)) * np.exp(-2.2 * r)
    stage.light(mix(stage.main, WHITE, 0.7), 0.9 * grain * (0.3 + arms))
    stage.light(f32((1.0, 0.93, 0.78)), 1.15 * np.exp(-((r / 0.17) ** 2)) + 0.35 * np.exp(-((r / 0.36) ** 2)))


@scene("planet", times=NO_TIME, directions=SIDEWAYS, cameras=("still", "zoom in", "zoom out"))
def draw_planet(stage: Stage) -> None:
    """Draw a banded planet with rings that turns; a small moon passes."""
    rng = stage.rng
    stage.fill(f32((0.01, 0.012, 0.04)))
    stage.draw_stars(80, below=-1.15)
    x, y = stage.locate()
    cx, cy, radius = (float(v) for v in (rng.uniform(-0.2, 0.2), rng.uniform(-0.12, 0.12), rng.uniform(0.46, 0.58)))
    lean = float(rng.uniform(-0.5, 0.5))
    u = (np.cos(lean) * (x - cx) + np.sin(lean) * (y - cy)) / np.float32(radius)
    v = (np.cos(lean) * (y - cy) - np.sin(lean) * (x - cx)) / np.float32(radius)
    r = np.sqrt(u * u + v * v)
    stage.light(stage.main, 0.45 * np.exp(-np.maximum(r - 1, 0) * 7) * (r > 0.97))
    bulge = np.sqrt(np.clip(1 - r * r, 0, 1))
    longitude = np.arcsin(np.clip(u / np.sqrt(np.clip(1 - v * v, 1e-3, 1)), -1, 1))
    spin = longitude * 0.55 - stage.dx * 0.35 * stage.t
    storm = sample_fbm(spin, v * 0.8, 0) - 0.5
    bands = 0.5 + 0.34 * np.sin(9 * v + 5 * storm) + 1.1 * (sample_fbm(spin * 1.6, v * 2.6, 1) - 0.5)
    light = np.clip(0.80 * bulge - 0.62 * u + 0.30 * v, 0.03, 1.15)
    surface = ramp((stage.main * 0.35, stage.main * 0.75, stage.main, mix(stage.main, WHITE, 0.55)), bands)
    ring_r = np.sqrt(u * u + (v / 0.26) ** 2)
    gaps = 0.55 + 0.45 * np.sin(26 * ring_r)
    ring = smoothstep(1.28, 1.34, ring_r) * smoothstep(2.0, 1.92, ring_r) * gaps
    ring_colour = mix(stage.main, f32((0.95, 0.90, 0.80)), 0.6)
    behind = ring * (v > 0)
    stage.paint(ring_colour * 0.9, 0.8 * behind)
    stage.paint(surface * light[..., None], stage.mask_edge((r - 1) * np.float32(radius)))
    stage.paint(ring_colour, 0.85 * ring * (v <= 0))
    orbit = stage.dx * 0.9 * stage.t + float(rng.uniform(0, 6.28))
    mx, my = x - cx - 0.85 * np.cos(orbit), y - cy - 0.42 * np.sin(orbit)
    moon_r = np.sqrt(mx * mx + my * my)
    shade = np.clip(0.75 - 6 * mx, 0.15, 1.0)[..., None]
    stage.paint(f32((0.78, 0.76, 0.74)) * shade, stage.mask_edge(moon_r - 0.09))


@scene("city", colours=("blue", "purple", "pink", "teal", "orange", "gold", "red", "green"), times=("dusk", "night"),
       cameras=STILL_OR_PAN)  # fmt: skip
def draw_city(stage: Stage) -> None:
    """Draw a skyline of lit windows; headlights stream along the road below."""
    if stage.fine:
        draw_skyline(stage)
        return
    dusk = stage.spec.time_of_day == "dusk"
    _, y = stage.locate(0.1)
    low = mix(stage.main, f32((1.0, 0.6, 0.35)), 0.45) if dusk else stage.main * 0.55
    high = f32((0.22, 0.14, 0.36)) if dusk else f32((0.02, 0.02, 0.08))
    stage.fill(ramp((low, mix(low, high, 0.55), high), 0.35 + 0.62 * y))
    if not dusk:
        stage.draw_stars(30, below=0.2, amount=0.5)
    seed = float(stage.rng.uniform(0, 50))
    for layer, (width, base, spread) in enumerate(((0.16, 0.34, 0.38), (0.22, 0.10, 0.42), (0.30, -0.18, 0.30))):
        bx, by = stage.locate(0.25 + 0.25 * layer)
        cell = np.floor(bx / np.float32(width))
        chance = np.abs(np.sin(cell * 12.9898 + seed + layer * 7.7) * 43.7) % 1
        height = base + spread * chance
        tower = stage.mask_edge(by - height) * stage.mask_edge(np.abs(bx / width - cell - 0.5) * width - width * 0.47)
        wall = mix(mix(low, high, 0.5), f32((0.02, 0.025, 0.06)), 0.45 + 0.25 * layer)
        stage.paint(wall, tower)
        columns, rows = 3 + layer % 2, 15.0 - 2.5 * layer
        wx, wy = (bx / width - cell) * columns, by * rows
        code = np.abs(np.sin(np.floor(wx) * 78.2 + np.floor(wy) * 37.7 + cell * 9.1 + seed) * 437.5) % 1
        on = (code + 0.05 * np.sin(stage.t * 2 + 50 * code)) > 0.48
        pane = (np.abs(wx % 1 - 0.5) < 0.30) & (np.abs(wy % 1 - 0.5) < 0.28)
        inside = stage.mask_edge(by - height + 0.04) * (np.abs(bx / width - cell - 0.5) < 0.44)
        lamp = ramp((stage.main, mix(stage.main, f32((1.0, 0.85, 0.55)), 0.8)), (code * 7) % 1)
        stage.paint(lamp * (0.55 + 0.25 * layer), inside * (pane & on))
        stage.light(stage.main, (0.20 - 0.04 * layer) * np.exp(-((by - base + 0.5) ** 2) * 9))
    _, ry = stage.locate(0.9)
    stage.paint(f32((0.035, 0.035, 0.06)), stage.mask_edge(ry + 0.66))
    count = 9
    rng = stage.rng
    clock = stage.t[:, :, 0]
    for lane, (way, colour) in enumerate(((stage.dx, f32((1.0, 0.93, 0.75))), (stage.dx, f32((1.0, 0.25, 0.18))))):
        start, pace = f32(rng.uniform(-1.2, 1.2, count)), f32(rng.uniform(0.7, 1.1, count))
        height = -0.75 - 0.13 * lane
        for part in range(4):
            sx = wrap(start + way * pace * clock - way * 0.035 * part)
            stage.image += stage.render_glow(sx, f32(height)[None], 0.026, 0.75 - 0.17 * part, colour, 0.9)
            stage.image += stage.render_glow(sx, f32(height - 0.055)[None], 0.03, 0.22, colour, 0.9)


@scene("fireworks", times=NO_TIME, directions=("up",), cameras=STILL_OR_PAN)
def draw_fireworks(stage: Stage) -> None:
    """Draw rockets that climb and burst over a bay that mirrors them."""
    rng = stage.rng
    draw_dark_sky(stage, 30, 0.05)
    moments, period = stage.draw_moments(0.35, 0.85, 40, 1.0)
    for index, moment in enumerate(moments):
        bx, by, power = (float(v) for v in (rng.uniform(-0.65, 0.65), rng.uniform(0.15, 0.7), rng.uniform(0.7, 1)))
        rays = 72 if stage.fine else 46
        angle = rng.uniform(0, 2 * np.pi, rays)
        speed = f32(rng.normal(0.62, 0.09, rays) * power)
        stage.record_event("burst", float(moment), power, bx, period)
        age = stage.find_age(moment, period, 0.5)[:, :, 0]
        if not ((age >= -0.5) & (age <= 1.9)).any():
            continue
        colour = stage.main if index % 3 else mix(stage.main, WHITE, 0.55)
        hot = np.maximum(age, 0)
        for trail in range(4):
            past = np.maximum(hot - 0.06 * trail, 0)
            reach = (1 - np.exp(-2.2 * past)) * 1.05
            sx = bx + reach * speed * f32(np.cos(angle))
            sy = by + reach * speed * f32(np.sin(angle)) - 0.16 * past**2
            fade = np.clip(1.25 - hot / 1.3, 0, 1) * (age > 0) * (1 - 0.23 * trail)
            shine = mix(colour, WHITE, 0.15)
            stage.image += stage.render_glow(sx, sy, 0.011 if stage.fine else 0.020, 1.15 * fade, shine, 0.3)
        flash = np.exp(-hot * 9) * (age > 0)
        at = (f32([[bx]]), f32([[by]]))
        stage.image += stage.render_glow(*at, 0.22, 1.2 * flash, mix(colour, WHITE, 0.5), 0.3)
        stage.image += stage.render_glow(*at, 0.75, 0.30 * np.exp(-hot * 2.5) * (age > 0), colour, 0.3)
        climb = np.clip(-age / 0.5, 0, 1)
        rising = ((age < 0) & (age > -0.5)) * 1.0
        for part in range(4):
            height = by - (by + 0.45) * climb - 0.04 * part
            stage.image += stage.render_glow(
                at[0], height, 0.016, rising * (0.9 - 0.2 * part), f32((1, 0.85, 0.6)), 0.3
            )
    x, y = stage.locate(0.3)
    column = np.floor(x * 7)
    roof = -0.40 + 0.13 * (np.abs(np.sin(column * 12.9 + 3) * 43.7) % 1)
    stage.paint(f32((0.015, 0.02, 0.05)), stage.mask_edge(y - roof))
    pane = (np.abs((x * 21) % 1 - 0.5) < 0.25) & (np.abs((y * 15) % 1 - 0.5) < 0.25) & (y < roof - 0.03)
    code = np.abs(np.sin(np.floor(x * 21) * 7.3 + np.floor(y * 15) * 91.1) * 437.5) % 1
    stage.paint(f32((1.0, 0.8, 0.45)), 0.6 * (pane & (code > 0.6)))
    stage.reflect(-0.52, f32((0.01, 0.02, 0.06)), 0.65)


@scene("lightning", colours=("purple", "blue", "white", "pink", "teal", "red"), times=NO_TIME, cameras=STILL_OR_PAN)
def draw_lightning(stage: Stage) -> None:
    """Draw a storm: clouds race by and bolts strike the plain."""
    rng = stage.rng
    x, y = stage.locate(0.3)
    offset = f32(rng.uniform(0, 4, 2))
    u = x * 0.6 - stage.dx * 0.22 * stage.t + offset[0]
    cloud = 0.65 * sample_fbm(u, y * 0.9 + offset[1], 0) + 0.35 * sample_fbm(u * 2.2, y * 2.4 + 0.1 * stage.t, 1)
    dark = mix(f32((0.05, 0.06, 0.10)), stage.main, 0.10)
    light = mix(f32((0.34, 0.36, 0.44)), stage.main, 0.28)
    power = np.zeros_like(stage.t)
    strikes = []
    moments, period = stage.draw_moments(0.45, 1.3, 30, 0.6)
    for moment in moments:
        place, strength = float(rng.uniform(-0.65, 0.65)), float(rng.uniform(0.65, 1))
        knots = f32(np.cumsum(rng.normal(0, 0.075, 14)))
        branch = (int(rng.integers(3, 8)), float(rng.choice((-1, 1))))
        age = stage.find_age(moment, period)
        shine = np.exp(-np.maximum(age, 0) * 6) * (age >= 0) * (0.7 + 0.3 * np.cos(30 * age))
        stage.record_event("flash", float(moment), strength, place, period)
        if shine.max() > 0.02:
            power = np.maximum(power, strength * shine)
            strikes.append((place, knots, branch, strength * shine))
    tone = np.clip(1.7 * (cloud - 0.28) * smoothstep(-0.5, 0.4, y) + 0.12, 0, 1)
    stage.fill(ramp((dark, mix(dark, light, 0.5), light), tone) * (1 + 1.1 * power[..., None]))
    stage.light(stage.main, 0.35 * power * tone)
    draw_ridge(stage, -0.66, 0.07, dark * 0.4, 0.6)
    sx, sy = stage.locate(0.5)
    for place, knots, (start, side), shine in strikes:
        level = np.clip((0.75 - sy) / 1.40 * 13, 0, 12.999)
        below = level.astype(int)
        path = place + knots[below] + (knots[below + 1] - knots[below]) * (level - below)
        within = (sy > -0.66) & (sy < 0.75)
        gap = np.abs(sx - path)
        bolt = stage.mask_edge(gap - 0.012, 1.5) * within
        split = np.maximum(level - start, 0)
        fork = np.abs(sx - place - knots[start] - side * 0.07 * split + 0.5 * (path - place - knots[start]))
        bolt = np.maximum(bolt, 0.8 * stage.mask_edge(fork - 0.005, 1.5) * within * (split > 0) * (split < 4.5))
        stage.light(stage.main, shine * 0.75 * np.exp(-gap * 7) * within)
        stage.paint(mix(stage.main, WHITE, 0.72), np.clip(1.5 * shine, 0, 1) * bolt)


@scene("fireflies", colours=("gold", "green", "teal", "blue", "pink", "orange", "white"), times=NO_TIME,
       directions=("none", "up", "left", "right"))  # fmt: skip
def draw_fireflies(stage: Stage) -> None:
    """Draw glowing dots that wander over a dark meadow."""
    rng = stage.rng
    _, y = stage.locate(0.2)
    stage.fill(ramp((f32((0.03, 0.09, 0.09)), f32((0.04, 0.12, 0.17)), f32((0.03, 0.05, 0.14))), 0.5 + 0.5 * y))
    stage.draw_stars(25, below=0.3, amount=0.5)
    draw_pines(stage, 7, -0.30, f32((0.015, 0.05, 0.06)), 0.4, 0.75)
    gx, gy = stage.locate(0.8)
    blades = sample_fbm(gx * 4.0 + 0.05 * np.sin(2 * stage.t), gy * 0.7, 1)
    stage.paint(ramp((f32((0.01, 0.03, 0.03)), f32((0.05, 0.13, 0.08))), 1.6 * blades - 0.3),
                stage.mask_edge(gy + 0.42 - 0.25 * (blades - 0.5), 2))  # fmt: skip
    count = 34
    clock = stage.t[:, :, 0]
    phase = f32(rng.uniform(0, 6.28, (4, count)))
    pace = f32(rng.uniform(0.5, 1.1, count))
    px = wrap(
        f32(rng.uniform(-1.1, 1.1, count))
        + 0.10 * np.sin(pace * 1.7 * clock + phase[0])
        + stage.dx * 0.3 * pace * clock
    )
    py = wrap(
        f32(rng.uniform(-0.9, 0.6, count))
        + 0.08 * np.sin(pace * 2.1 * clock + phase[1])
        + stage.dy * 0.3 * pace * clock
    )
    blink = 0.35 + 0.65 * np.clip(np.sin(2.4 * pace * clock + phase[2]), 0, 1)
    stage.image += stage.render_glow(px, py, 0.085, 0.38 * blink, stage.main)
    stage.image += stage.render_glow(px, py, 0.026, 1.25 * blink, mix(stage.main, WHITE, 0.45))


@scene("meteors", colours=("blue", "teal", "purple", "pink", "gold", "orange", "white", "green"), times=NO_TIME,
       cameras=STILL_OR_PAN)  # fmt: skip
def draw_meteors(stage: Stage) -> None:
    """Draw shooting stars that cross the night above a lone tree on a hill."""
    rng = stage.rng
    draw_dark_sky(stage, 110, 0.20)
    x, y = stage.locate(0.15)
    band = np.exp(-(((y - 0.35 - 0.5 * x) / 0.34) ** 2))
    milky = sample_fbm(x * 0.9 + 1, y * 0.9, 1)
    stage.light(mix(stage.main, f32((0.7, 0.7, 0.9)), 0.4), 0.45 * band * smoothstep(0.35, 0.8, milky))
    moments, period = stage.draw_moments(0.18, 0.5, 60, 1.0)
    for moment in moments:
        mx, my, power = (float(v) for v in (rng.uniform(-0.9, 0.9), rng.uniform(0.25, 1.1), rng.uniform(0.6, 1)))
        stage.record_event("streak", float(moment), 0.6 * power, mx, period)
        age = stage.find_age(moment, period)[:, :, 0]
        if not ((age >= 0) & (age <= 0.9)).any():
            continue
        shown = np.sin(np.pi * np.clip(age / 0.85, 0, 1)) * power
        steps = f32(np.arange(14))
        past = age - 0.022 * steps
        sx, sy = mx - 0.35 * stage.dx + stage.dx * 1.35 * past, my - 0.75 * past
        fade = shown * (1 - steps / 14) ** 1.5
        stage.image += stage.render_glow(sx, sy, 0.026 - 0.0012 * steps, 1.1 * fade, mix(stage.main, WHITE, 0.4), 0.2)
    draw_ridge(stage, -0.72, 0.09, f32((0.01, 0.015, 0.035)), 0.6, 0.4)
    draw_tree(stage, float(rng.uniform(-0.5, 0.5)))
