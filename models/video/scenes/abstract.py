"""Abstract scenes: plasma, kaleidoscope, tunnel, bouncing ball, orbiting shapes, dancing tiles, soap bubbles."""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import COLOURS, mix
from models.video.scenes.canvas import Array, Stage, f32, ramp, smoothstep, wrap
from models.video.scenes.noise import sample_fbm
from models.video.scenes.registry import NO_TIME, SIDEWAYS, STILL_OR_ZOOM, TURNS, scene

WHITE = f32((1, 1, 1))
PARTNER = {
    "red": "gold", "orange": "purple", "gold": "blue", "green": "gold", "teal": "pink", "blue": "teal",
    "purple": "pink", "pink": "teal", "white": "blue",
}  # fmt: skip


def choose_partner(stage: Stage) -> Array:
    """Choose a second colour that goes well with the main one."""
    return f32(COLOURS[PARTNER[stage.spec.colour]])


@scene("plasma", times=NO_TIME, directions=("left", "right", "up", "down"), cameras=("still",))
def draw_plasma(stage: Stage) -> None:
    """Draw waves of colour that run through each other."""
    x, y = stage.locate()
    a, b, c = (np.float32(v) for v in stage.rng.uniform(0, 6.28, 3))
    t = 1.3 * stage.t
    px, py = x - 0.55 * stage.dx * stage.t, y - 0.55 * stage.dy * stage.t
    value = np.sin(3.2 * px + a) + np.sin(3.0 * py + b) + np.sin(2.3 * (px + py) + 0.4 * t)
    value = value + np.sin(4.2 * np.sqrt((px - 0.4 * np.sin(0.7 * t)) ** 2 + (py + 0.4 * np.cos(0.6 * t)) ** 2) + c)
    share = 0.5 + 0.5 * np.sin(1.15 * value + 0.3 * t)
    other = mix(stage.main, choose_partner(stage), 0.55)
    stage.fill(ramp((stage.main * 0.12, stage.main * 0.65, stage.main, other, mix(stage.main, WHITE, 0.55)), share))


@scene("kaleidoscope", times=NO_TIME, directions=TURNS, cameras=STILL_OR_ZOOM)
def draw_kaleidoscope(stage: Stage) -> None:
    """Draw a turning pattern of mirrored petals."""
    x, y = stage.locate()
    fold = int(stage.rng.integers(5, 9))
    r = np.sqrt(x * x + y * y) + 1e-4
    theta = np.arctan2(y, x) - stage.turn * 0.7 * stage.t
    sector = np.abs((theta * np.float32(fold / (2 * np.pi))) % 1 - 0.5) * np.float32(2 * np.pi / fold)
    u, v = r * np.cos(sector), r * np.sin(sector)
    a = float(stage.rng.uniform(4, 6))
    lace = np.sin(a * u * 1.6 - 1.2 * stage.t) * np.cos(a * v * 2.2 + 0.7 * stage.t) + 0.6 * np.sin(
        9 * r - 1.6 * stage.t
    )
    share = np.clip(0.5 + 0.42 * lace, 0, 1)
    other = choose_partner(stage)
    bright, tinted = mix(stage.main, WHITE, 0.6), mix(stage.main, other, 0.6)
    stage.fill(ramp((stage.main * 0.14, stage.main * 0.8, stage.main, bright, tinted), share))
    line = smoothstep(0.10, 0.02, np.abs(lace - 0.15))
    stage.paint(mix(other, WHITE, 0.45), 0.55 * line)
    stage.light(mix(stage.main, WHITE, 0.6), 0.7 * np.exp(-((r / 0.16) ** 2)))
    stage.image *= (1 - 0.55 * smoothstep(0.75, 1.35, r))[..., None]


@scene("tunnel", times=NO_TIME, directions=("in", "out"), cameras=("still",))
def draw_tunnel(stage: Stage) -> None:
    """Draw a flight through a tunnel of light."""
    x, y = stage.locate()
    rng = stage.rng
    cx = 0.16 * np.sin(0.9 * stage.t + rng.uniform(0, 6))
    cy = 0.12 * np.cos(0.7 * stage.t + rng.uniform(0, 6))
    u, v = x - cx, y - cy
    r = np.maximum(np.maximum(np.abs(u), np.abs(v)) if rng.random() < 0.35 else np.sqrt(u * u + v * v), 0.02)
    way = 1 if stage.spec.direction == "in" else -1
    depth = 0.42 / r + way * 1.15 * stage.t
    theta = np.arctan2(v, u) * np.float32(8 / (2 * np.pi)) + 0.25 * depth
    panels = np.abs((theta % 1) - 0.5) * 2
    rings = np.abs((depth % 1) - 0.5) * 2
    code = np.abs(np.sin(np.floor(theta % 8) * 12.9 + np.floor(depth) * 78.2) * 437.5) % 1
    fog = np.exp(-0.22 / r)
    tone = (0.25 + 0.65 * code) * smoothstep(0.98, 0.80, panels) * smoothstep(0.98, 0.75, rings)
    lamp = smoothstep(0.80, 1.0, rings)
    stage.fill(
        ramp((stage.main * 0.08, stage.main * 0.7, stage.main, mix(stage.main, choose_partner(stage), 0.6)), tone)
        * fog[..., None]
    )
    stage.light(mix(stage.main, WHITE, 0.55), 0.85 * lamp * fog)
    stage.light(mix(stage.main, WHITE, 0.65), 0.9 * np.exp(-((r / 0.11) ** 2)))


@scene("ball", times=NO_TIME, directions=SIDEWAYS, cameras=("still",))
def draw_ball(stage: Stage) -> None:
    """Draw a shiny ball that bounces over a chequered floor, squashed as it lands."""
    rng = stage.rng
    _, y = stage.locate(0.3)
    back = mix(choose_partner(stage) * 0.35, f32((0.10, 0.11, 0.20)), 0.5)
    stage.fill(ramp((mix(back, WHITE, 0.25), back, back * 0.5), 0.5 + 0.5 * y))
    floor_y = -0.52
    gx, gy = stage.locate()
    deep = np.maximum(np.float32(floor_y + 0.32) - gy, 0.03)
    check = (np.floor(gx / deep * 0.55) + np.floor(1.6 / deep)) % 2
    tile = ramp((back * 0.8, mix(back, WHITE, 0.6)), 0.15 + 0.7 * check)
    horizon = smoothstep(floor_y + 0.33, floor_y + 0.29, gy)
    far = np.exp(-0.10 / deep)[..., None]
    stage.paint(tile * far + mix(back, WHITE, 0.25) * (1 - far), horizon)
    radius = float(rng.uniform(0.17, 0.25))
    hop, phase = float(rng.uniform(0.62, 0.95)), float(rng.uniform(0, 1))
    tall = float(rng.uniform(0.65, 1.0))
    beat = stage.t / np.float32(hop) + phase
    inside = beat % 1
    height = np.float32(tall) * 4 * inside * (1 - inside)
    squash = 1 - 0.30 * np.exp(-height * 16)
    across = wrap(np.float32(rng.uniform(-1, 1)) + 0.75 * stage.dx * stage.t, 1.3)
    for bounce in range(40):
        moment = (bounce - phase) * hop
        place = float((draw_start(across) + 0.75 * stage.dx * moment + 1.3) % 2.6 - 1.3)
        stage.record_event("impact", moment, 0.9, place)
    bx = gx - across
    by = gy - np.float32(floor_y + radius) * 1.0 - height + np.float32(radius) * (1 - squash)
    shadow = np.exp(-((bx / (radius * (1.0 + 0.5 * height))) ** 2) - ((gy - floor_y) / 0.07) ** 2)
    stage.paint(back * 0.2, 0.75 * shadow / (1 + 1.5 * height))
    u, v = bx / np.float32(radius) * np.sqrt(squash), by / np.float32(radius) / squash
    r = np.sqrt(u * u + v * v)
    spin = -4.0 * stage.dx * stage.t
    stripe = np.abs(np.cos(spin) * v - np.sin(spin) * u) < 0.22
    bulge = np.sqrt(np.clip(1 - r * r, 0, 1))
    light = np.clip(0.30 + 0.62 * bulge - 0.25 * u + 0.38 * v, 0.1, 1.2)[..., None]
    body = np.where(
        stripe[..., None],
        mix(stage.main, WHITE, 0.8) if stage.spec.colour != "white" else f32((0.85, 0.2, 0.2)),
        stage.main,
    )
    stage.paint(body * light, stage.mask_edge((r - 1) * np.float32(radius)))
    stage.light(WHITE, 0.9 * np.exp(-((u + 0.35) ** 2 + (v - 0.42) ** 2) * 22))


def draw_start(across: Array) -> float:
    """Draw where a path begins."""
    return float(across[0, 0, 0])


@scene("orbit", times=NO_TIME, directions=TURNS, cameras=STILL_OR_ZOOM)
def draw_orbit(stage: Stage) -> None:
    """Draw shapes that circle a glowing centre and leave trails."""
    rng = stage.rng
    x, y = stage.locate()
    r = np.sqrt(x * x + y * y)
    dark = mix(f32((0.03, 0.03, 0.08)), stage.main, 0.10)
    stage.fill(ramp((mix(dark, stage.main, 0.35), dark, dark * 0.4), r))
    other = choose_partner(stage)
    clock = stage.t[:, :, 0]
    kind = int(rng.integers(3))
    for ring, (radius, count, size) in enumerate(((0.38, 3, 0.11), (0.72, 5, 0.10))):
        stage.light(stage.main, 0.28 * np.exp(-(((r - radius) / 0.012) ** 2)))
        rate = stage.turn * (1.7 - 0.7 * ring)
        start = float(rng.uniform(0, 6.28))
        colour = stage.main if ring == 0 else mix(stage.main, other, 0.35)
        for index in range(count):
            angle = start + 2 * np.pi * index / count + rate * stage.t
            trail = angle[:, :, 0] - stage.turn * 0.05 * f32(np.arange(10))
            stage.image += stage.render_glow(radius * np.cos(trail), radius * np.sin(trail), 0.05, 0.22, colour * 0.8)
            u, v = x - radius * np.cos(angle), y - radius * np.sin(angle)
            own = 2 * angle
            ru, rv = np.cos(own) * u + np.sin(own) * v, np.cos(own) * v - np.sin(own) * u
            shapes = (
                np.sqrt(u * u + v * v) - size,
                np.maximum(np.abs(ru), np.abs(rv)) - size * 0.85,
                np.maximum(np.abs(ru) * 0.87 + 0.5 * rv, -rv) - size * 0.62,
            )
            tone = np.clip(0.9 + 2.5 * (v - 0.4 * u), 0.5, 1.25)[..., None]
            stage.paint(colour * tone, stage.mask_edge(shapes[kind]))
    pulse = 1 + 0.12 * np.sin(4 * clock)[..., None]
    stage.light(mix(stage.main, WHITE, 0.55), 1.1 * np.exp(-((r / (0.15 * pulse)) ** 2)))


@scene("tiles", times=NO_TIME, directions=TURNS, cameras=STILL_OR_ZOOM)
def draw_tiles(stage: Stage) -> None:
    """Draw a grid of squares that turns and swells on a beat."""
    rng = stage.rng
    x, y = stage.locate()
    count = int(rng.integers(3, 6))
    period, phase = float(rng.uniform(0.5, 0.8)), float(rng.uniform(0, 0.5))
    for beat in range(60):
        stage.record_event("beat", (beat + phase) * period, 0.8)
    since = (stage.t / np.float32(period) - phase) % 1
    hit = np.exp(-4.5 * since)
    base = mix(stage.main * 0.14, f32((0.04, 0.04, 0.09)), 0.4)
    stage.fill(base * (1 + 0.7 * hit[..., None]))
    u, v = (x + 1) * np.float32(count / 2), (y + 1) * np.float32(count / 2)
    column, row = np.floor(u), np.floor(v)
    lu, lv = u - column - 0.5, v - row - 0.5
    odd = (column + row) % 2
    angle = stage.turn * (0.9 * stage.t + 0.5 * smoothstep(0, 0.4, since)) + 0.35 * (column - row)
    ru, rv = np.cos(angle) * lu + np.sin(angle) * lv, np.cos(angle) * lv - np.sin(angle) * lu
    half = 0.27 + 0.09 * hit * np.where(odd > 0, 1, -0.4) + 0.03 * np.sin(2 * stage.t + column + 2 * row)
    distance = np.maximum(np.abs(ru), np.abs(rv)) - half
    cell = np.float32(2 / count)
    share = 0.5 + 0.5 * np.sin(0.9 * column + 1.3 * row + stage.t)
    colours = ramp(
        (stage.main * 0.75, stage.main, mix(stage.main, choose_partner(stage), 0.5)),
        np.where(odd > 0, share, 0.3 * share),
    )
    stage.light(stage.main, 0.5 * np.exp(-np.maximum(distance, 0) * 9) * (0.35 + 0.65 * hit))
    stage.paint(colours, stage.mask_edge(distance * cell))
    inner = np.maximum(np.abs(ru), np.abs(rv)) - half * 0.45
    stage.paint(mix(stage.main, WHITE, 0.65), odd * (0.35 + 0.65 * hit) * stage.mask_edge(inner * cell))


@scene("bubbles", times=NO_TIME, directions=("up", "left", "right"))
def draw_bubbles(stage: Stage) -> None:
    """Draw soap bubbles with rainbow rims that float by."""
    rng = stage.rng
    x, y = stage.locate(0.3)
    stage.fill(ramp((stage.main * 0.35, stage.main * 0.8, mix(stage.main, WHITE, 0.45)), 0.5 + 0.4 * y - 0.1 * x))
    blur = sample_fbm(x * 0.6 + float(rng.uniform(0, 4)), y * 0.6 + stage.t * 0.04, 1)
    stage.light(mix(stage.main, WHITE, 0.5), 0.4 * smoothstep(0.5, 0.8, blur))
    nx, ny = stage.locate()
    for index in range(11):
        radius = np.float32(rng.uniform(0.09, 0.17) * (1 + index / 9))
        pace = float(rng.uniform(0.22, 0.42))
        swing = 0.05 * np.sin(1.6 * stage.t + 2 * index)
        sideways = (0.9 if stage.dx else 0.0) * stage.dx * pace * stage.t
        upward = (1.0 if stage.dy else 0.25) * pace * stage.t
        bx = nx - wrap(np.float32(rng.uniform(-1.3, 1.3)) + swing + sideways, 1.35)
        by = ny - wrap(np.float32(rng.uniform(-1.3, 1.3)) + upward, 1.35)
        r = np.sqrt(bx * bx + by * by) / radius
        inside = stage.mask_edge((r - 1) * radius)
        rim = np.clip(r, 0, 1) ** 5
        hue = np.arctan2(by, bx) + 3 * r + 1.5 * stage.t + index
        film = 0.62 + 0.38 * np.cos(hue[..., None] + f32((0.0, 2.1, 4.2)))
        stage.paint(film * 0.6 + 0.4, inside * (0.10 + 0.62 * rim))
        stage.light(WHITE, inside * 0.9 * np.exp(-((bx / radius + 0.42) ** 2 + (by / radius - 0.45) ** 2) * 30))
        stage.light(WHITE, inside * 0.35 * np.exp(-((bx / radius - 0.45) ** 2 + (by / radius + 0.45) ** 2) * 22))
