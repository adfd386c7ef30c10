"""Scenes of land and weather: clouds, snow, mountains, forest, flowers, desert, sun, leaves, birds, balloons, mill."""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import mix
from models.video.scenes.canvas import LONGEST, Stage, f32, ramp, smoothstep, wrap
from models.video.scenes.noise import sample_fbm
from models.video.scenes.registry import ALL_COLOURS, NO_TIME, STILL_OR_PAN, TURNS, scene
from models.video.scenes.sky import SKIES, draw_clouds, draw_pines, draw_ridge, draw_sky, light_colour

GRASS = f32((0.30, 0.52, 0.20))


@scene("clouds", colours=("white", "pink", "gold", "purple", "orange", "teal"), times=("dawn", "day", "dusk"))
def draw_cloudscape(stage: Stage) -> None:
    """Draw tall clouds that drift over a sky."""
    draw_sky(stage, -0.9)
    sky = SKIES[stage.spec.time_of_day]
    shade = mix(stage.main * 0.62, f32(sky.stops[2]), 0.35)
    draw_clouds(stage, 0.62, mix(stage.main, f32((1, 1, 1)), 0.35), shade, 0.32 * stage.dx, 0.5)


@scene("snow", times=("day", "dusk", "night"), directions=("down", "left", "right"))
def draw_snow(stage: Stage) -> None:
    """Draw snow that falls on pines and a coloured cabin with a lit window."""
    time = stage.spec.time_of_day
    rng = stage.rng
    draw_sky(stage, -0.2, sun=False, haze=light_colour(f32((0.9, 0.93, 1)), time))
    white = light_colour(f32((0.95, 0.97, 1.0)), time)
    far = mix(white, f32(SKIES[time].stops[1]), 0.45)
    draw_ridge(stage, 0.12, 0.34, far * 0.82, 0.3, 0.52)
    draw_pines(stage, 9, -0.22, light_colour(f32((0.16, 0.26, 0.30)), time), 0.5, 0.40)
    draw_ridge(stage, -0.34, 0.07, white * 0.92, 0.7, 0.4)
    place = np.float32(rng.uniform(-0.45, 0.45))
    if "subject" not in stage.without:
        _draw_cabin(stage, place)
    draw_ridge(stage, -0.72, 0.07, white, 1.0, 0.4)
    for depth, count, radius in ((0.5, 70, 0.014), (1.0, 40, 0.026)):
        pace = f32(rng.uniform(0.28, 0.5, count)) * (0.6 + depth)
        clock = stage.t[:, :, 0]
        fall = wrap(f32(rng.uniform(-1.15, 1.15, count)) - pace * clock)
        drift = 0.06 * np.sin(2 * clock + f32(rng.uniform(0, 6, count))) + stage.dx * 1.1 * pace * clock
        across = wrap(f32(rng.uniform(-1.15, 1.15, count)) + drift)
        stage.image += stage.render_glow(across, fall, radius, 0.85, 0.35 + 0.65 * white, depth)


def _draw_cabin(stage: Stage, place: np.float32) -> None:
    """Draw a cabin with snow on its roof and a lit window."""
    time = stage.spec.time_of_day
    white = light_colour(f32((0.95, 0.97, 1.0)), time)
    x, y = stage.locate(0.8)
    x = x - place
    wall, dark = light_colour(stage.main, time, 0.75), light_colour(f32((0.20, 0.13, 0.11)), time)
    y0 = y + 0.42
    stage.paint(wall * (0.86 + 0.14 * np.sign(np.sin(y0 * 60)))[..., None], stage.mask_box(x, y0, 0.30, 0.20))
    stage.paint(dark, stage.mask_box(x - 0.20, y0 - 0.42, 0.045, 0.14))
    roof = stage.mask_edge(np.abs(x) - (0.44 - 1.15 * (y0 - 0.17))) * stage.mask_edge(np.abs(y0 - 0.31) - 0.14)
    stage.paint(white, roof)
    stage.paint(dark, stage.mask_box(x - 0.12, y0 + 0.05, 0.06, 0.15))
    stage.paint(f32((1.0, 0.83, 0.42)), stage.mask_box(x + 0.12, y0 - 0.01, 0.075, 0.075))
    if time != "day":
        stage.light(f32((1.0, 0.65, 0.25)), 0.55 * np.exp(-((x + 0.12) ** 2 + (y0 + 0.05) ** 2) * 10))


@scene("mountains", colours=("blue", "purple", "teal", "green", "pink", "orange", "red"))
def draw_mountains(stage: Stage) -> None:
    """Draw ranges of mountains behind each other, with mist drifting between them."""
    time = stage.spec.time_of_day
    horizon = f32(SKIES[time].stops[0])
    draw_sky(stage, 0.05, haze=stage.main * f32(SKIES[time].light))
    layers = 5
    for layer in range(layers):
        near = layer / (layers - 1)
        colour = mix(mix(stage.main, horizon, 0.55), light_colour(stage.main * 0.28, time), near**0.8)
        if layer < 4:
            colour = mix(colour, light_colour(colour, time), 0.5)
        base = 0.34 - 0.95 * near
        top = draw_ridge(stage, base, 0.42 - 0.20 * near, colour, 0.2 + 0.8 * near, 0.55, shift=3.0 * layer)
        x, y = stage.locate(0.2 + 0.8 * near)
        if layer == 1:
            snow_line = smoothstep(0.10, 0.32, y - base) * smoothstep(0.46, 0.56, sample_fbm(x * 2, y * 2, 1))
            stage.paint(light_colour(f32((1, 1, 1)), time), 0.75 * snow_line * stage.mask_edge(y - top))
        if layer < layers - 1:
            mist = sample_fbm(x * 0.6 - stage.t * np.float32(0.22 * stage.dx), y * 1.3 + layer, layer)
            foot = np.exp(-(((y - base + 0.28) / 0.20) ** 2))
            stage.paint(mix(horizon, stage.main, 0.25), 0.75 * foot * smoothstep(0.40, 0.72, mist))


@scene("forest", colours=("green", "gold", "orange", "red", "teal", "purple", "blue"), times=("dawn", "day", "dusk"),
       cameras=("still",))  # fmt: skip
def draw_forest(stage: Stage) -> None:
    """Draw a move sideways through a forest: trunks pass, light falls through coloured leaves."""
    time = stage.spec.time_of_day
    rng = stage.rng
    x, y = stage.locate(0.2)
    glow_colour = mix(mix(stage.main, f32(SKIES[time].stops[0]), 0.6), f32((1, 1, 1)), 0.15)
    stage.fill(ramp((glow_colour * 0.55, glow_colour, glow_colour * 0.85), 0.5 + 0.5 * y))
    move = stage.t * np.float32(0.55 * stage.dx)  # the camera goes that way, so the trees come towards it
    layers = 4
    for layer in range(layers):
        near = layer / (layers - 1)
        lx, ly = stage.locate(0.3 + 0.7 * near)
        lx = lx + move * np.float32(0.25 + 1.0 * near**1.5)
        shade = mix(glow_colour * 0.80, light_colour(f32((0.10, 0.07, 0.06)), time), 0.25 + 0.75 * near)
        spacing = 0.34 + 0.42 * near
        cell = np.floor(lx / np.float32(spacing))
        jitter = np.sin(cell * 91.7 + layer * 17 + rng.uniform(0, 9)) * 0.28
        thick = (0.022 + 0.075 * near**1.4) * (0.8 + 0.3 * np.sin(cell * 37.1))
        inside = np.abs(lx / np.float32(spacing) - cell - 0.5 - jitter) * np.float32(spacing)
        trunk = inside - thick * (1 + 0.25 * np.clip(-ly - 0.5, 0, 1))
        stage.paint(shade, stage.mask_edge(trunk))
        leaves = sample_fbm(lx * (1.5 - 0.4 * near) + layer, ly * 1.6, layer)
        crown = smoothstep(0.50, 0.62, leaves + 0.42 * (ly - 0.55 + 0.25 * near))
        leaf = mix(stage.main, light_colour(stage.main * 0.5, time), 0.2 + 0.6 * near)
        bright = np.clip(0.55 + 1.6 * (leaves - 0.45), 0.3, 1.25)
        stage.paint(leaf * bright[..., None], 0.95 * crown)
        floor = smoothstep(-0.55 - 0.30 * near, -0.64 - 0.32 * near, ly + 0.10 * (leaves - 0.5))
        stage.paint(mix(leaf * 0.7, shade, 0.4) * (0.7 + 0.6 * leaves)[..., None], floor)
    slant = x - 0.55 * y
    rays = smoothstep(0.52, 0.75, sample_fbm(slant * 1.4 + move * 0.3, 0 * y + stage.t * 0.05 + 1, 2)) * smoothstep(
        -0.9, 0.8, y
    )
    stage.light(f32(SKIES[time].sun), 0.38 * rays)


@scene("flowers", colours=tuple(c for c in ALL_COLOURS if c not in ("green", "teal")), times=("dawn", "day", "dusk"))
def draw_flowers(stage: Stage) -> None:
    """Draw a meadow of flowers that sways in the wind."""
    time = stage.spec.time_of_day
    rng = stage.rng
    draw_sky(stage, 0.05)
    draw_ridge(stage, 0.16, 0.12, mix(light_colour(GRASS, time), f32(SKIES[time].stops[0]), 0.5), 0.3)
    x, y = stage.locate(0.6)
    wind = stage.t * np.float32(0.5 * stage.dx)
    grass = sample_fbm(x * 3.2 - wind * 0.5, y * 0.9, 2)
    top = 0.02 + 0.05 * np.sin(3 * x + 1)
    green = light_colour(GRASS, time, 0.8)
    stage.paint(ramp((green * 0.35, green, green * 1.45), 1.7 * grass - 0.30 - 0.25 * y), stage.mask_edge(y - top, 3))
    count = 60
    fx, fy = f32(rng.uniform(-1.2, 1.2, count)), f32(-0.02 - 0.6 * rng.uniform(0, 1, count) ** 1.5)
    sway = 0.025 * np.sin(2.6 * stage.t[:, :, 0] - 2 * stage.dx * fx)
    petal = light_colour(stage.main, time, 0.7)
    dots = stage.render_glow(fx + sway, fy, 0.016 - 0.034 * fy, 1.0, f32((1, 1, 1)), 0.7)[..., 0]
    stage.paint(petal * 0.95, np.clip(1.4 * dots - 0.25, 0, 1))
    if stage.fine:
        _draw_meadow(stage, petal, green)
        return
    nx, ny = stage.locate(1.0)
    places = np.linspace(-0.85, 0.85, 6) + rng.uniform(-0.1, 0.1, 6)
    for index in rng.permutation(6):
        size = float(rng.uniform(0.19, 0.27))
        stalk, tall = float(places[index]), float(rng.uniform(0.5, 1.0))
        bend = 0.07 * np.sin(2.2 * stage.t - 1.6 * stage.dx * stalk + 0.6) + 0.05 * stage.dx
        cx, cy = stalk + bend, -1.0 + tall
        up = np.clip((ny + 1) / np.float32(tall), 0, 1)
        stem = stage.mask_edge(np.abs(nx - stalk - bend * up * up) - 0.016) * (ny < cy)
        stage.paint(green * 0.55, stem)
        _draw_flower(stage, nx - cx, (ny - np.float32(cy)), size, petal, float(rng.uniform(0, 6)))


def _draw_meadow(stage: Stage, petal: np.ndarray, green: np.ndarray) -> None:
    """Draw many flowers, the far ones small, no two alike; where something stands among them none is near."""
    rng, count = stage.rng, 34
    x, y = stage.locate(1.0)
    foot = max(-1.0, -stage.half_y - 0.05)
    high = np.sort(rng.uniform(0, 1, count))[::-1]  # the farthest first
    places = rng.uniform(-1.3, 1.3, count)
    size, tone, turn, sway = (
        rng.uniform(low, top, count) for low, top in ((0.8, 1.25), (0.8, 1.12), (0.0, 6.0), (0.0, 6.0))
    )
    near = 0.055 if "subject" in stage.without else 0.13
    for index in range(count):
        close = 1 - float(high[index])
        wide = (0.030 + near * close**1.4) * float(size[index])
        bend = 0.05 * close * np.sin(2.2 * stage.t + sway[index]) + 0.03 * close * stage.dx
        cx, cy = (
            np.float32(places[index]) + bend,
            np.float32(foot + 0.10 + 0.88 * float(high[index]) ** 0.8 * (0.35 - foot) * 0.62),
        )
        columns = np.flatnonzero((np.abs(x - cx) < wide).any(axis=(0, 1)))
        if not len(columns):
            continue
        part = slice(columns[0], columns[-1] + 1)
        low = cy - np.float32(3.2 * wide)
        up = np.clip((y - low) / (cy - low), 0, 1)
        stem = stage.mask_edge(np.abs(x[:, :, part] - cx + 0.3 * bend * (1 - up)) - np.float32(0.07 * wide))
        stem = stem * ((y < cy) & (y > low))
        image = stage.image[:, :, part]
        image += (green * np.float32(0.6) - image) * (0.9 * stem)[..., None]
        _draw_flower(stage, x - cx, y - cy, wide, petal * np.float32(tone[index]), float(turn[index]))


def _draw_flower(stage: Stage, x: np.ndarray, y: np.ndarray, size: float, petal: np.ndarray, turn: float) -> None:
    """Draw one blossom of six petals around x = y = 0; only the part of the picture that holds it is computed."""
    columns = np.flatnonzero((np.abs(x) < size * 1.1).any(axis=(0, 1)))
    rows = np.flatnonzero((np.abs(y) < size * 1.1).any(axis=(0, 2)))
    if not len(columns) or not len(rows):
        return
    across, down = slice(columns[0], columns[-1] + 1), slice(rows[0], rows[-1] + 1)
    x, y = x[:, :, across], y[:, down]
    r = np.sqrt(x * x + y * y)
    lobe = np.abs(np.cos(3 * np.arctan2(y, x) + turn))
    mask = stage.mask_edge(r - np.float32(size) * (0.50 + 0.50 * np.sqrt(lobe)))
    tone = (0.62 + 0.30 * lobe + 0.35 * r / np.float32(size))[..., None]
    part = stage.image[:, down, across]
    part += (petal * tone - part) * mask[..., None]
    heart = stage.mask_edge(r - np.float32(size * 0.27))[..., None]
    part += (f32((0.95, 0.72, 0.16)) * (1.1 - 0.9 * r / np.float32(size))[..., None] - part) * heart


@scene("desert", colours=("gold", "orange", "red", "pink", "white", "purple"))
def draw_desert(stage: Stage) -> None:
    """Draw dunes with a lit and a dark side; sand blows over their crests."""
    time = stage.spec.time_of_day
    draw_sky(stage, 0.05)
    sand = light_colour(stage.main, time, 0.75)
    light_side = float(stage.rng.choice((-1.0, 1.0)))
    for layer in range(4):
        near = layer / 3
        x, y = stage.locate(0.25 + 0.75 * near)
        phase = float(stage.rng.uniform(0, 6.28))
        frequency = 2.4 - 1.1 * near
        turn = frequency * x + phase + 0.5 * np.sin(frequency * 0.7 * x + phase)
        crest = 0.16 - 0.66 * near + (0.10 + 0.10 * near) * (1 - np.abs(np.sin(turn)) ** 0.8)
        body = stage.mask_edge(y - crest)
        depth = crest - y
        # the slip face falls from the crest, whose line bends away from the light as it comes down
        bent = turn + light_side * (0.9 * depth + 0.35 * np.sin(3.0 * depth + phase))
        side = smoothstep(-0.22, 0.22, light_side * np.sin(2 * bent))
        side = side * np.exp(-1.1 * depth) + 0.42 * (1 - np.exp(-1.1 * depth))
        ripple = 0.05 * np.sin(60 * (y + 0.35 * np.sin(3 * x)) - 3 * x) * near
        far = mix(sand, f32(SKIES[time].stops[0]), 0.42 * (1 - near))
        tone = 0.18 + 0.75 * side + ripple
        stage.paint(ramp((far * 0.34, far * 0.72, far * 1.1), tone), body)
        gust = sample_fbm(x * 0.9 - stage.t * np.float32(0.8 * stage.dx), y * 3.0 + layer, layer)
        veil = np.exp(-(((y - crest - 0.02) / 0.07) ** 2)) * smoothstep(0.46, 0.75, gust)
        stage.paint(mix(far, f32((1, 1, 1)), 0.35), 0.75 * veil)


@scene("sunrise", colours=("orange", "pink", "red", "purple", "gold"), times=NO_TIME, directions=("up", "down"))
def draw_sunrise(stage: Stage) -> None:
    """Draw the sun coming up or going down behind hills, the sky brightening or darkening with it."""
    x, y = stage.locate(0.15)
    height = 0.05 + 0.22 * stage.dy * (stage.t - 1.0)
    most = np.float32(stage.half_y - 0.42)  # from there it comes to rest, seen whole
    height = np.minimum(height, most) + 0.12 * (1 - np.exp(-np.maximum(height - most, 0) / 0.12))
    high = np.clip(0.5 + 1.1 * height, 0, 1)
    glow = stage.main
    stage.fill(ramp((mix(glow, f32((1, 0.95, 0.7)), 0.55), glow, glow * 0.55 + 0.05, f32((0.12, 0.12, 0.32))),
                    0.55 * (y + 0.25) + 0.28 - 0.25 * (high - 0.5)))  # fmt: skip
    sun_x = float(stage.rng.uniform(-0.4, 0.4))
    r = np.sqrt((x - sun_x) ** 2 + (y - height) ** 2)
    stage.light(mix(glow, f32((1, 0.9, 0.6)), 0.5), 0.6 * np.exp(-r * 3.2))
    stage.paint(f32((1.0, 0.94, 0.72)), stage.mask_edge(r - 0.24, 1.5))
    cloud = sample_fbm(x * 0.7 - stage.t * 0.06, y * 4 + 1, 1)
    stage.paint(mix(glow, f32((1, 0.9, 0.85)), 0.35), 0.6 * smoothstep(0.52, 0.72, cloud) * smoothstep(-0.1, 0.35, y))
    for layer, base in enumerate((-0.12, -0.38, -0.66)):
        near = layer / 2
        colour = mix(mix(glow * 0.5, f32((0.30, 0.20, 0.36)), 0.5), f32((0.06, 0.05, 0.12)), 0.25 + 0.75 * near)
        draw_ridge(stage, base, 0.14, colour, 0.35 + 0.6 * near, 0.5, shift=2.0 * layer)


@scene("leaves", colours=("orange", "red", "gold", "green", "purple", "pink"), times=("day", "dusk"),
       directions=("down", "left", "right"))  # fmt: skip
def draw_leaves(stage: Stage) -> None:
    """Draw leaves that fall and whirl in front of a soft wood."""
    time = stage.spec.time_of_day
    rng = stage.rng
    x, y = stage.locate(0.3)
    leaf = light_colour(stage.main, time, 0.6)
    back = mix(f32(SKIES[time].stops[0]), leaf, 0.35)
    stage.fill(ramp((back * 0.5, back * 0.95, back), 0.5 + 0.5 * y))
    soft = sample_fbm(x * 0.8 + float(rng.uniform(0, 4)), y * 0.8, 1)
    stage.paint(leaf * 0.85, 0.75 * smoothstep(0.48, 0.75, soft + 0.22 * y))
    for place in rng.uniform(-1.1, 1.1, 4):
        stage.paint(back * 0.32, 0.75 * stage.mask_edge(np.abs(x - np.float32(place) - 0.05 * y) - 0.05, 5))
    stage.paint(leaf * 0.5, 0.8 * smoothstep(-0.6, -0.85, y + 0.12 * soft))
    nx, ny = stage.locate(1.0)
    for index in range(14):
        size = float(rng.uniform(0.07, 0.14)) * (1 + index / 14)
        pace = float(rng.uniform(0.35, 0.6)) * (0.7 + index / 20)
        swing = 0.12 * np.sin(2.4 * stage.t + index)
        sway = (0.30 if stage.dx == 0 else 0.12) / 0.3
        across = wrap(np.float32(rng.uniform(-1.3, 1.3)) + swing * sway + stage.dx * 1.5 * pace * stage.t, 1.3)
        fall = wrap(np.float32(rng.uniform(-1.3, 1.3)) - pace * (1.0 if stage.dx == 0 else 0.4) * stage.t, 1.3)
        angle = 2.2 * stage.t * (1 if index % 2 else -1) + index
        flip = 0.35 + 0.65 * np.abs(np.sin(1.7 * stage.t + 2 * index))
        lx, ly = nx - across, ny - fall
        u = (np.cos(angle) * lx + np.sin(angle) * ly) / np.float32(size)
        v = (np.cos(angle) * ly - np.sin(angle) * lx) / (np.float32(size) * flip)
        outline = (np.abs(v) - 0.5 * (1 - u * u) * (1 - 0.25 * u)) * np.float32(size)
        tone = (0.75 + 0.35 * np.sign(v) * 0.5 + 0.2 * (index % 3 - 1))[..., None]
        stage.paint(leaf * tone, stage.mask_edge(outline) * (np.abs(u) < 1))


@scene("birds", colours=("orange", "pink", "purple", "blue", "gold", "red", "teal"), times=NO_TIME)
def draw_birds(stage: Stage) -> None:
    """Draw a flock that flies across a coloured sky, wings beating."""
    rng = stage.rng
    x, y = stage.locate(0.15)
    stage.fill(ramp((mix(stage.main, f32((1, 0.97, 0.85)), 0.65), stage.main, stage.main * 0.45), 0.5 + 0.5 * y))
    r = np.sqrt((x - np.float32(rng.uniform(-0.5, 0.5))) ** 2 + (y + 0.35) ** 2)
    stage.paint(mix(stage.main, f32((1, 1, 0.9)), 0.85), stage.mask_edge(r - 0.28, 1.5))
    streak = sample_fbm(x * 0.5 - stage.t * 0.05 * stage.dx, y * 2.6, 0)
    stage.paint(mix(stage.main, f32((1, 1, 1)), 0.55), 0.5 * smoothstep(0.52, 0.75, streak))
    draw_ridge(stage, -0.78, 0.10, stage.main * 0.16, 0.7)
    nx, ny = stage.locate(0.8)
    lead_x, lead_y = float(rng.uniform(-0.2, 0.3)) * stage.dx, float(rng.uniform(0.1, 0.4))
    for index in range(9):
        rank, side = (index + 1) // 2, 1 if index % 2 else -1
        bx = lead_x - stage.dx * 0.17 * rank + float(rng.uniform(-0.03, 0.03))
        by = lead_y + 0.12 * rank * side + float(rng.uniform(-0.03, 0.03))
        size = np.float32(0.125 * rng.uniform(0.85, 1.2))
        u = wrap(nx - bx - stage.dx * 0.42 * stage.t, 1.35) / size
        v = (ny - by - 0.02 * np.sin(3 * stage.t + index)) / size
        beat = np.sin(10 * stage.t + 1.7 * index)
        wing = np.abs(v - beat * 0.55 * np.abs(u) + 0.22 * beat * u * u) - 0.13 * (1.15 - np.abs(u))
        stage.paint(stage.main * 0.08, stage.mask_edge(wing * size) * (np.abs(u) < 1.15))
        stage.paint(stage.main * 0.08, stage.mask_edge((np.sqrt((u * 0.5) ** 2 + (v * 1.5) ** 2) - 0.2) * size))


@scene("balloons", times=("dawn", "day", "dusk"), directions=("up", "left", "right"))
def draw_balloons(stage: Stage) -> None:
    """Draw hot-air balloons over hills."""
    time = stage.spec.time_of_day
    rng = stage.rng
    draw_sky(stage, -0.5)
    sky = SKIES[time]
    draw_clouds(stage, 0.35, mix(f32(sky.light), f32(sky.stops[1]), 0.3), f32(sky.stops[2]), 0.05, 0.2)
    draw_ridge(stage, -0.62, 0.10, mix(light_colour(f32((0.2, 0.4, 0.42)), time), f32(sky.stops[0]), 0.45), 0.3)
    draw_ridge(stage, -0.84, 0.08, light_colour(f32((0.16, 0.34, 0.18)), time), 0.6, shift=2)
    x, y = stage.locate(0.8)
    for index, size in enumerate((0.13, 0.19, 0.34)):
        place = float((-0.55, 0.6, 0.0)[index] + rng.uniform(-0.2, 0.2))
        height = float((0.45, 0.30, 0.02)[index] + rng.uniform(-0.15, 0.1))
        pace = (0.10, 0.13, 0.20)[index]
        reach = LONGEST + 1.8 * size  # from where nothing of it is seen
        bx = x - stage.bring_back(place + stage.dx * pace * (stage.t - 1), reach, 0.8)
        up = stage.bring_back(height + stage.dy * pace * (stage.t - 1), reach, 0)
        by = y - up - 0.012 * np.sin(2 * stage.t + index)
        u, v = bx / np.float32(size), by / np.float32(size)
        # a sphere above, drawn in to a cone below
        taper = np.where(v > -0.2, np.sqrt(np.clip(1 - v * v, 0, 1)), np.clip(0.98 - 0.62 * (-0.2 - v), 0.2, 1))
        mask = stage.mask_edge((np.abs(u) - taper) * np.float32(size)) * ((v > -1.25) & (v < 1))
        panel = np.floor(np.arcsin(np.clip(u / np.maximum(taper, 0.01), -1, 1)) * 2.55 + 0.5) % 2
        cloth = stage.main if index != 1 else mix(stage.main, f32((1, 1, 1)), 0.25)
        second = f32((0.98, 0.94, 0.86)) if stage.spec.colour != "white" else f32((0.80, 0.30, 0.28))
        shade = np.clip(0.92 - 0.32 * u + 0.15 * v, 0.45, 1.15)[..., None]
        stripe = (0.8 * panel * (1 if index == 2 else 0.35))[..., None]
        stage.paint(
            light_colour(cloth, time, 0.6) * shade * (1 - stripe) + light_colour(second, time, 0.6) * shade * stripe,
            mask,
        )
        basket = light_colour(f32((0.40, 0.25, 0.14)), time)
        stage.paint(basket, stage.mask_box(bx, by + 1.62 * size, 0.19 * size, 0.15 * size))
        ropes = np.abs(np.abs(u) - 0.17) * np.float32(size) - 0.006
        stage.paint(basket * 0.6, 0.8 * stage.mask_edge(ropes) * ((v < -1.2) & (v > -1.5)))
        fire = np.clip(np.sin(2.6 * stage.t + 2 * index), 0, 1) ** 4
        stage.light(f32((1.0, 0.7, 0.25)), 0.8 * fire * np.exp(-((u / 0.3) ** 2) - ((v + 1.25) / 0.3) ** 2))


@scene("windmill", directions=TURNS, cameras=STILL_OR_PAN)
def draw_windmill(stage: Stage) -> None:
    """Draw a windmill that turns its coloured sails among fields."""
    time = stage.spec.time_of_day
    rng = stage.rng
    draw_sky(stage, -0.35)
    sky = SKIES[time]
    draw_clouds(stage, 0.42, mix(f32(sky.light), f32(sky.stops[1]), 0.3), f32(sky.stops[2]), 0.1, 0.2)
    x, y = stage.locate(0.6)
    draw_ridge(stage, -0.36, 0.06, mix(light_colour(GRASS, time), f32(sky.stops[0]), 0.35), 0.3)
    field = sample_fbm(x * 0.8, y * 5, 2)
    green = light_colour(GRASS, time, 0.8)
    stage.paint(ramp((green * 0.6, green * 1.25), field), stage.mask_edge(y + 0.48 - 0.05 * np.sin(2 * x)))
    place = np.float32(rng.uniform(-0.3, 0.3))
    x0, y0 = x - place, y - 0.15
    half = 0.17 - 0.10 * (y + 0.3)
    tower = stage.mask_edge(np.abs(x0) - half) * stage.mask_edge(np.abs(y + 0.20) - 0.40)
    shade = np.clip(0.95 - 1.6 * x0, 0.55, 1.1)[..., None]
    stage.paint(light_colour(f32((0.93, 0.89, 0.82)), time) * shade, tower)
    roof = stage.mask_edge(np.abs(x0) - 0.55 * (0.42 - y)) * stage.mask_edge(np.abs(y - 0.30) - 0.11)
    stage.paint(light_colour(stage.main * 0.6, time, 0.7), roof)
    stage.paint(light_colour(f32((0.25, 0.17, 0.13)), time), stage.mask_box(x0, y + 0.50, 0.05, 0.09))
    angle = 1.5 * stage.turn * stage.t + float(rng.uniform(0, 1.5))
    sail = light_colour(stage.main, time, 0.6)
    for arm in range(4):
        a = angle + np.float32(arm * np.pi / 2)
        u = np.cos(a) * x0 + np.sin(a) * y0
        v = np.cos(a) * y0 - np.sin(a) * x0
        cloth = stage.mask_edge(np.abs(u - 0.38) - 0.26) * stage.mask_edge(np.abs(v - 0.07) - 0.062)
        lattice = (0.8 + 0.2 * np.sign(np.sin(u * 55)))[..., None]
        stage.paint(sail * lattice, cloth)
        stage.paint(
            light_colour(f32((0.3, 0.2, 0.15)), time),
            stage.mask_edge(np.abs(u - 0.32) - 0.32) * stage.mask_edge(np.abs(v) - 0.014),
        )
    stage.paint(light_colour(f32((0.2, 0.14, 0.1)), time), stage.mask_disc(x0, y0, 0.045))
