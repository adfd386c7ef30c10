"""Scenes with water: ocean, boat, lighthouse, waterfall, underwater, pond ripples, rain, ink."""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import mix
from models.video.scenes.canvas import LONGEST, Stage, f32, ramp, smoothstep, wrap
from models.video.scenes.noise import sample_fbm
from models.video.scenes.registry import NO_TIME, SIDEWAYS, STILL_OR_PAN, STILL_OR_ZOOM, scene
from models.video.scenes.sky import SKIES, draw_clouds, draw_ridge, draw_sky, draw_water, light_colour
from models.video.scenes.town import draw_rainy_street

WATER = ("teal", "blue", "green", "purple", "pink", "red")


def _draw_matching_clouds(stage: Stage, cover: float, drift: float) -> None:
    """Draw clouds in the colours of the sky."""
    sky = SKIES[stage.spec.time_of_day]
    bright = mix(f32(sky.light), f32(sky.stops[1]), 0.35)
    draw_clouds(stage, cover, bright, mix(f32(sky.stops[2]), bright, 0.3), drift)


@scene("ocean", colours=WATER)
def draw_ocean(stage: Stage) -> None:
    """Draw waves that roll sideways under sun or moon."""
    sun_x = draw_sky(stage, 0.12)
    _draw_matching_clouds(stage, 0.42, 0.12 * stage.dx)
    draw_water(stage, 0.12, stage.main, sun_x, 1.5 * stage.dx, 0.35)


@scene("boat", directions=SIDEWAYS)
def draw_boat(stage: Stage) -> None:
    """Draw a sailing boat with coloured sails that crosses a bay, its sail mirrored in the water."""
    sun_x = draw_sky(stage, 0.0)
    time = stage.spec.time_of_day
    sky = SKIES[time]
    draw_ridge(stage, 0.02, 0.10, mix(light_colour(f32((0.22, 0.34, 0.40)), time), f32(sky.stops[0]), 0.45), 0.2)
    draw_water(stage, 0.0, f32((0.12, 0.36, 0.56)), sun_x, 0.5 * stage.dx, 0.2)
    x, y = stage.locate(0.7)
    start = float(stage.rng.uniform(-0.45, 0.45)) - 0.3 * stage.dx
    size = float(stage.rng.uniform(0.85, 1.15))
    bob = 0.02 * np.sin(2.2 * stage.t)
    lean = 0.10 * np.sin(1.3 * stage.t + 1)
    middle = stage.bring_back(start + 0.30 * stage.dx * stage.t, LONGEST + 0.6, 0.7)
    x0 = (x - middle) / np.float32(size) * stage.dx  # bow to +x
    y0 = (y + 0.30 - bob) / np.float32(size)
    sail = light_colour(stage.main, time, 0.7)
    down = -(y0 + 0.16)
    reflection = (
        smoothstep(0.0, 0.04, down) * np.exp(-down * 4) * stage.mask_edge(np.abs(x0 - 0.02 * np.sin(30 * y0)) - 0.16, 3)
    )
    stage.paint(sail * 0.75, 0.5 * reflection)
    xs = x0 - lean * (y0 + 0.1)
    for side, low, high, wide in ((1, -0.06, 0.62, 0.34), (-1, -0.06, 0.72, 0.30)):
        up = (y0 - low) / np.float32(high - low)
        along = side * (xs + 0.02 * side)
        belly = wide * (1 - up) * (1 + 0.35 * np.sin(np.pi * np.clip(up, 0, 1)))
        mask = stage.mask_edge(-along + 0.015) * stage.mask_edge(along - belly) * ((up > 0) & (up < 1))
        shade = 0.78 + 0.22 * np.clip(along / np.maximum(belly, 0.01), 0, 1)
        stage.paint(sail * shade[..., None], mask)
    stage.paint(light_colour(f32((0.25, 0.16, 0.12)), time), stage.mask_box(xs, y0 - 0.3, 0.012, 0.44))
    hull = np.abs(x0) - (0.40 + 0.5 * (y0 + 0.12))
    stage.paint(
        light_colour(f32((0.36, 0.20, 0.13)), time), stage.mask_edge(hull) * stage.mask_edge(np.abs(y0 + 0.115) - 0.05)
    )
    stage.light(f32((0.8, 0.85, 0.9)), 0.35 * np.exp(-((y0 + 0.18) ** 2) * 900) * smoothstep(0.55, 0.3, np.abs(x0)))


@scene("lighthouse", colours=("red", "blue", "green", "gold", "white"), times=("dusk", "night"), cameras=STILL_OR_PAN)
def draw_lighthouse(stage: Stage) -> None:
    """Draw a beam of light that turns over the sea and flashes when it faces the viewer."""
    sun_x = draw_sky(stage, -0.15, sun=stage.spec.time_of_day == "dusk")
    _draw_matching_clouds(stage, 0.4, 0.08 * stage.dx)
    draw_water(stage, -0.15, f32((0.08, 0.22, 0.38)), sun_x, 0.6 * stage.dx, 0.25)
    x, y = stage.locate(0.6)
    place = float(stage.rng.uniform(-0.4, 0.4))
    start = float(stage.rng.uniform(0, 6.28))
    rate = 2.4 * stage.dx
    angle = start + rate * stage.t
    x0, y0 = x - np.float32(place), y - np.float32(0.46)
    reach, facing = np.cos(angle), np.sin(angle)
    along = x0 * np.sign(reach)
    width = 0.03 + 0.20 * np.maximum(along, 0)
    beam = np.exp(-((y0 / width) ** 2)) * smoothstep(-0.02, 0.05, along) * np.abs(reach)
    stage.light(f32((1.0, 0.93, 0.70)), 0.75 * beam * np.exp(-0.5 * np.maximum(along, 0)))
    draw_ridge(stage, -0.42, 0.10, f32((0.05, 0.06, 0.10)), 0.6)
    up = (y + 0.38) / 0.80
    half = 0.115 - 0.045 * up
    body = stage.mask_edge(np.abs(x0) - half) * ((up > -0.2) & (up < 1))
    stripe = (np.floor(up * 5) % 2)[..., None]
    shade = (0.5 + 0.5 * np.clip((x0 + 0.1) / 0.2, 0, 1))[..., None] * 0.75
    stage.paint((stage.main * (1 - stripe) + f32((0.93, 0.92, 0.9)) * stripe) * shade, body)
    stage.paint(f32((0.12, 0.12, 0.15)), stage.mask_box(x0, y - 0.44, 0.10, 0.02))
    stage.paint(f32((1.0, 0.92, 0.6)), stage.mask_box(x0, y - 0.50, 0.055, 0.05))
    stage.paint(
        stage.main * 0.6,
        stage.mask_edge(np.abs(x0) - 0.09 * (0.66 - y) / 0.11) * stage.mask_box(x0, y - 0.6, 0.2, 0.05),
    )
    flash = np.clip(-facing, 0, 1) ** 10
    stage.light(f32((1.0, 0.95, 0.8)), flash * (1.3 * np.exp(-(x0**2 + y0**2) * 14) + 0.25))
    for lap in range(-20, 21):
        stage.record_event("flash", (1.5 * np.pi - start + 2 * np.pi * lap) / rate, 0.8, place)


@scene("waterfall", colours=("blue", "teal", "white", "green", "purple", "pink"), times=("day", "dusk", "night"),
       directions=("down",))  # fmt: skip
def draw_waterfall(stage: Stage) -> None:
    """Draw water that falls between mossy cliffs into a misty pool."""
    time = stage.spec.time_of_day
    x, y = stage.locate(0.8)
    draw_sky(stage, 0.5, sun=False)
    offset = f32(stage.rng.uniform(0, 4, 2))
    rock = sample_fbm(x * 1.6 + offset[0], y * 1.1 + offset[1], 0)
    moss = smoothstep(0.5, 0.68, sample_fbm(x * 2.4 + 1, y * 3.0 + offset[0], 1))
    stone = ramp((light_colour(f32((0.10, 0.09, 0.11)), time), light_colour(f32((0.44, 0.38, 0.36)), time)), rock)
    stone += (light_colour(f32((0.24, 0.42, 0.16)), time) * (0.5 + rock[..., None]) - stone) * moss[..., None]
    lip = 0.60 + 0.12 * np.sin(3 * x + offset[1])
    stage.paint(stone, stage.mask_edge(y - lip))
    wide = np.float32(stage.rng.uniform(0.26, 0.42))
    bend = 0.05 * np.sin(2.5 * y + offset[0])
    inside = np.abs(x - bend) - wide * (1.05 - 0.12 * y)
    streaks = 0.6 * sample_fbm(x * 3.6 + offset[0], y * 0.55 + stage.t * 1.0, 2)
    streaks += 0.4 * sample_fbm(x * 6.0, y * 1.1 + stage.t * 1.35, 3)
    water = light_colour(stage.main, time, 0.8)
    body = ramp((water * 0.45, water * 0.9, mix(water, light_colour(f32((1, 1, 1)), time), 0.75)), 1.9 * streaks - 0.42)
    stage.paint(body, stage.mask_edge(inside + 0.10 * (streaks - 0.5), 2.5) * stage.mask_edge(y - lip + 0.02))
    pool = smoothstep(-0.62, -0.72, y)
    ripple = sample_fbm(x * 1.3, y * 5 + stage.t * 0.35, 1)
    stage.paint(ramp((water * 0.25, water * 0.8), 1.8 * ripple - 0.45), pool)
    foam = np.exp(-(((y + 0.62) / 0.16) ** 2)) * np.exp(-((x / (wide * 1.7)) ** 2))
    mist = foam * (0.55 + 0.8 * (sample_fbm(x * 1.5, y * 1.5 - stage.t * 0.35, 0) - 0.3))
    stage.paint(mix(water, light_colour(f32((1, 1, 1)), time), 0.8), np.clip(1.25 * mist, 0, 0.92))


@scene("underwater", colours=("blue", "teal", "green", "purple"), times=NO_TIME)
def draw_underwater(stage: Stage) -> None:
    """Draw fish that swim through shafts of light above swaying weed; bubbles rise."""
    x, y = stage.locate(0.4)
    rng = stage.rng
    stage.fill(ramp((stage.main * 0.10, stage.main * 0.45, stage.main * 0.95, mix(stage.main, f32((1, 1, 1)), 0.55)),
                    0.5 * y + 0.5))  # fmt: skip
    rays = sample_fbm((x + 0.35 * y) * 1.3 + stage.t * 0.07, 0 * y + stage.t * 0.12, 1)
    stage.light(f32((0.75, 0.95, 1.0)), 0.75 * smoothstep(0.5, 0.8, rays) * smoothstep(-0.9, 1.0, y))
    draw_ridge(stage, -0.86, 0.10, mix(stage.main * 0.16, f32((0.25, 0.2, 0.14)), 0.4), 0.8)
    near_x, near_y = stage.locate(1.0)
    for _ in range(9):
        place, tall = float(rng.uniform(-1.1, 1.1)), float(rng.uniform(0.35, 0.85))
        up = np.clip((near_y + 1) / np.float32(tall), 0, 1)
        sway = 0.10 * up * np.sin(1.7 * stage.t + 4 * place + 2.5 * up)
        weed = stage.mask_edge(np.abs(near_x - place - sway) - 0.035 * (1 - up)) * (near_y + 1 < tall)
        stage.paint(mix(f32((0.05, 0.22, 0.13)), stage.main * 0.3, 0.4), 0.9 * weed)
    for index in range(5):
        size = float(rng.uniform(0.11, 0.20))
        place, height = float(rng.uniform(-1.1, 1.1)), float(-0.5 + 1.15 * index / 5 + rng.uniform(-0.05, 0.15))
        pace = float(rng.uniform(0.35, 0.6))
        fx = wrap(near_x - place - stage.dx * pace * stage.t, 1.35) * stage.dx / np.float32(size)
        fy = (near_y - height - 0.03 * np.sin(2 * stage.t + index)) / np.float32(size)
        body = stage.mask_edge((fx**2 + (fy / 0.5) ** 2 - 1) * np.float32(size * 0.5))
        wag = 0.25 * np.sin(9 * stage.t + index)
        tail = stage.mask_edge((np.abs(fy - wag * (-fx - 0.8)) - (-fx - 0.75) * 0.75) * np.float32(size))
        tail *= (fx > -1.55) & (fx < -0.75)
        fish = f32(((0.98, 0.62, 0.16), (0.96, 0.86, 0.42), (0.92, 0.36, 0.30))[int(rng.integers(3))])
        tone = np.clip(0.75 + 0.45 * fy, 0.35, 1.2)[..., None]
        stage.paint(fish * tone, np.maximum(body, tail))
        band = np.exp(-(((fx - 0.25) / 0.13) ** 2)) * body
        stage.paint(f32((0.98, 0.97, 0.92)), 0.75 * band)
        stage.paint(f32((0.05, 0.05, 0.08)), stage.mask_disc((fx - 0.62) * size, (fy - 0.12) * size, size * 0.10))
    count = 16
    bx, phase = rng.uniform(-1, 1, count), rng.uniform(0, 2.3, count)
    rise = wrap(f32(phase)[None] + stage.t[:, :, 0] * f32(rng.uniform(0.35, 0.7, count)))
    bubbles = stage.render_glow(f32(bx) + 0.03 * np.sin(5 * rise), rise, f32(rng.uniform(0.012, 0.035, count)), 0.7,
                         f32((0.85, 0.97, 1.0)))  # fmt: skip
    stage.image += bubbles


@scene("ripples", times=NO_TIME, directions=("none",), cameras=STILL_OR_ZOOM)
def draw_ripples(stage: Stage) -> None:
    """Draw drops that fall into a pond seen from above; rings widen and cross."""
    x, y = stage.locate()
    rng = stage.rng
    slope = 0.12 * (sample_fbm(x * 0.8 + stage.t * 0.06, y * 0.8, 1) - 0.5)
    moments, period = stage.draw_moments(0.25, 0.75, 40, 1.2)
    for moment in moments:
        px, py, strength = (float(v) for v in (rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8), rng.uniform(0.5, 1)))
        stage.record_event("drop", float(moment), strength, px, period)
        age = stage.find_age(moment, period)
        if not ((age > 0) & (age <= 3)).any():
            continue
        r = np.sqrt((x - px) ** 2 + (y - py) ** 2)
        front = r - 0.55 * age
        ring = np.sin(26 * front) * np.exp(-((front / 0.16) ** 2)) * np.exp(-1.1 * np.maximum(age, 0)) * (age > 0)
        slope = slope + np.float32(0.9 * strength) * ring
    tone = 0.45 + 0.16 * (y + 0.3 * x) + 0.55 * slope
    stage.fill(ramp((stage.main * 0.10, stage.main * 0.55, stage.main, mix(stage.main, f32((1, 1, 1)), 0.8)), tone))
    stage.light(f32((1, 1, 1)), 0.6 * smoothstep(0.35, 0.8, slope))


@scene("rain", times=("day", "dusk", "night"), cameras=STILL_OR_PAN)
def draw_rain(stage: Stage) -> None:
    """Draw slanting rain over an umbrella on a wet street."""
    if stage.fine:
        draw_rainy_street(stage)
        return
    time = stage.spec.time_of_day
    rng = stage.rng
    gloom = light_colour(f32((0.46, 0.52, 0.60)), time)
    x, y = stage.locate(0.2)
    stage.fill(ramp((gloom * 0.85, gloom, gloom * 0.6), 0.5 * y + 0.5))
    stage.paint(gloom * 0.5, 0.8 * smoothstep(0.42, 0.66, sample_fbm(x * 0.7 - stage.t * 0.06 * stage.dx, y * 1.2, 0)))
    for depth, base, shade in ((0.25, 0.12, 0.62), (0.45, -0.12, 0.36)):
        bx, by = stage.locate(depth)
        column = np.floor(bx * 4 + 9 * depth)
        height = base + 0.28 * np.sin(column * 12.9898) * np.sin(column * 4.1)
        stage.paint(gloom * shade, stage.mask_edge(by - height))
        window = ((np.abs((bx * 24) % 1 - 0.5) < 0.26) & (np.abs((by * 14) % 1 - 0.5) < 0.24)) & (by < height - 0.05)
        hash_ = np.sin(np.floor(bx * 24) * 127.1 + np.floor(by * 14) * 311.7) * 43758.5
        stage.paint(f32((1.0, 0.82, 0.45)), 0.65 * (window & ((hash_ % 1) > 0.72)))
    gx, gy = stage.locate(0.9)
    ground = stage.mask_edge(gy + 0.52)
    wet = sample_fbm(gx * 0.9, gy * 4, 2)
    stage.paint(ramp((gloom * 0.16, gloom * 0.62), 1.5 * wet - 0.25), ground)
    place = float(rng.uniform(-0.35, 0.35))
    ux, uy = gx - place - 0.04 * np.sin(1.5 * stage.t), gy - 0.02
    main = mix(stage.main, light_colour(stage.main, time), 0.5)
    stage.paint(main * 0.5, 0.55 * np.exp(-((ux / 0.33) ** 2) - ((gy + 0.72) / 0.14) ** 2))
    stage.paint(f32((0.08, 0.08, 0.10)), stage.mask_box(ux, uy + 0.22, 0.014, 0.34))
    dome = stage.mask_edge(np.sqrt(ux**2 + (uy / 0.82) ** 2) - 0.46) * stage.mask_edge(
        -uy + 0.05 * np.abs(np.sin(ux * 13.6))
    )
    rib = 0.70 + 0.38 * np.abs(np.cos(3.0 * np.arctan2(uy + 0.05, ux) + 1.57)) * (0.6 + uy)
    stage.paint(main * rib[..., None], dome)
    coat = stage.mask_edge(np.abs(ux) - (0.10 - 0.10 * (uy + 0.3))) * stage.mask_edge(np.abs(uy + 0.36) - 0.24)
    stage.paint(gloom * 0.22, coat)
    stage.paint(f32((0.36, 0.26, 0.22)), stage.mask_disc(ux, uy + 0.08, 0.075))
    count, length = 90, 6
    pace = f32(rng.uniform(2.6, 3.6, count))
    fall = wrap(f32(rng.uniform(-1.15, 1.15, count)) - stage.t[:, :, 0] * pace)
    across = wrap(f32(rng.uniform(-1.15, 1.15, count)) + stage.dx * 0.30 * pace * stage.t[:, :, 0])
    for part in range(length):
        streak = stage.render_glow(across + stage.dx * 0.006 * part, fall - 0.02 * part, 0.011, 0.32, gloom + 0.35, 0.8)
        stage.image += streak
    period = 4.3
    for _ in range(16):
        moment, sx, sy = (float(rng.uniform(*ends)) for ends in ((-0.3, period - 0.3), (-1, 1), (-0.95, -0.6)))
        stage.record_event("drop", moment, 0.3, sx, period)
        age = stage.find_age(moment, period)
        ring = np.sqrt((gx - sx) ** 2 + ((gy - sy) / 0.32) ** 2) - 0.42 * age
        stage.light(gloom + 0.3, 0.55 * np.exp(-((ring / 0.025) ** 2)) * ((age > 0) & (age < 0.5)) * (1 - age / 0.5))


@scene("ink", times=NO_TIME, directions=("up", "down"), cameras=STILL_OR_ZOOM)
def draw_ink(stage: Stage) -> None:
    """Draw a plume of ink that curls through clear water."""
    x, y = stage.locate()
    offset = f32(stage.rng.uniform(0, 4, 3))
    way = np.float32(stage.dy)
    swirl_u = sample_fbm(x * 0.7 + offset[0], y * 0.7 - way * stage.t * 0.32, 0) - 0.5
    swirl_v = sample_fbm(x * 0.7 + offset[1], y * 0.7 - way * stage.t * 0.26 + 2, 1) - 0.5
    u, v = x + 1.5 * swirl_u, y + 1.5 * swirl_v
    along = (way * v + 1) * 0.5  # 0 where it enters
    reach = 0.25 + 0.22 * stage.t
    plume = np.exp(-((u / (0.16 + 0.42 * np.clip(along, 0, 1))) ** 2)) * smoothstep(0.35, -0.25, along - reach - 0.35)
    detail = 0.65 + 0.9 * (sample_fbm(u * 1.5, v * 1.5 - way * stage.t * 0.4, 2) - 0.35)
    density = np.clip(1.15 * plume * detail, 0, 1)
    paper = f32((0.95, 0.95, 0.93)) if stage.spec.colour != "white" else f32((0.05, 0.07, 0.13))
    paper_edge = paper * 0.86
    stage.fill(ramp((paper, paper_edge), 0.5 * (x * x + y * y)))
    stage.paint(mix(stage.main, paper, 0.25), smoothstep(0.04, 0.40, density))
    stage.paint(stage.main * (0.45 if stage.spec.colour != "white" else 1.0), 0.85 * smoothstep(0.42, 0.95, density))
