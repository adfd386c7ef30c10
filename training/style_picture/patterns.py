"""Pictures drawn by rule: strokes, hatching, dots, tiles. Styles to train on, and to choose from in the gallery.

A pattern is a name and a seed; the same pair gives the same picture.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Painter = Callable[[np.random.Generator, int, list[Colour]], Image.Image]


def draw_pattern(kind: str, seed: int, size: int = 256) -> NDArray[np.uint8]:
    """Draw the pattern `kind` with random colours and sizes, uint8 (size, size, 3).

    Raises:
        ValueError: there is no such pattern.
    """
    if kind not in PATTERNS:
        raise ValueError(f"pattern is {kind!r}; it must be one of {', '.join(PATTERNS)}.")
    rng = np.random.default_rng(seed)
    return np.asarray(PATTERNS[kind](rng, size, draw_palette(rng)).convert("RGB"))


def draw_palette(rng: np.random.Generator, count: int = 6) -> list[Colour]:
    """Draw colours that go together: a few hues, from dark to light."""
    hue = rng.random()
    spread = rng.choice([0.04, 0.1, 0.5])
    colours = []
    for at in np.linspace(0.12, 0.97, count):
        own = (hue + spread * rng.standard_normal()) % 1.0
        saturation = np.clip(rng.normal(0.55, 0.22), 0.05, 0.95)
        red, green, blue = colorsys.hsv_to_rgb(own, float(saturation) * (1.15 - 0.6 * at), float(at))
        colours.append((int(255 * red), int(255 * green), int(255 * blue)))
    return colours


def draw_field(rng: np.random.Generator, size: int, cells: int) -> NDArray[np.float64]:
    """Draw a smooth random surface in [0, 1], (size, size)."""
    coarse = Image.fromarray(rng.random((cells + 3, cells + 3)).astype(np.float32))
    field = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)
    return (field - field.min()) / max(float(np.ptp(field)), 1e-9)


def draw_strokes(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw short thick brush strokes along a flow, as in a post-impressionist sky."""
    picture = Image.new("RGB", (size, size), colours[2])
    pen = ImageDraw.Draw(picture)
    angle = draw_field(rng, size, int(rng.integers(2, 5))) * math.pi * rng.uniform(1.5, 4)
    tone = draw_field(rng, size, int(rng.integers(2, 6)))
    length, width = rng.uniform(8, 22), int(rng.integers(2, 6))
    for _ in range(int(7 * size * size / (length * width))):
        x, y = rng.integers(0, size, 2)
        turn = angle[y, x] + rng.normal(0, 0.15)
        shade = np.clip(tone[y, x] * 1.2 - 0.1 + rng.normal(0, 0.16), 0, 0.999)
        dx, dy = math.cos(turn) * length / 2, math.sin(turn) * length / 2
        colour = _shake(rng, colours[int(shade * len(colours))])
        pen.line([(x - dx, y - dy), (x + dx, y + dy)], fill=colour, width=width)
    return picture


def draw_hatching(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw ink lines in several directions, denser where it is dark."""
    picture = Image.new("RGB", (size, size), colours[-1])
    pen = ImageDraw.Draw(picture)
    tone = draw_field(rng, size, int(rng.integers(2, 6)))
    for layer, turn in enumerate(rng.uniform(0, math.pi) + np.array([0.0, 0.8, 1.7])):
        ink = colours[int(rng.integers(0, 2))]
        for _ in range(int(0.09 * size * size)):
            x, y = rng.integers(0, size, 2)
            if tone[y, x] < 0.35 + 0.22 * layer:
                continue
            own, length = turn + rng.normal(0, 0.06), rng.uniform(5, 13)
            end = (x + math.cos(own) * length, y + math.sin(own) * length)
            if rng.random() < 0.5:
                pen.line([(x, y), end], fill=ink, width=1)
    return picture


def draw_dots(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw printer's dots: a grid whose dots grow with the tone."""
    scale = 3
    picture = Image.new("RGB", (size * scale, size * scale), colours[-1])
    pen = ImageDraw.Draw(picture)
    step, turn = rng.uniform(5, 12), rng.uniform(0, math.pi / 2)
    for ink in (colours[0], colours[3]):
        tone = draw_field(rng, size, int(rng.integers(2, 5)))
        turn += 0.5
        reach = int(size / step) + 2
        for row in range(-reach, reach):
            for column in range(-reach, reach):
                x = size / 2 + step * (column * math.cos(turn) - row * math.sin(turn))
                y = size / 2 + step * (column * math.sin(turn) + row * math.cos(turn))
                if 0 <= x < size and 0 <= y < size:
                    r = 0.62 * step * math.sqrt(tone[int(y), int(x)])
                    pen.ellipse([scale * (x - r), scale * (y - r), scale * (x + r), scale * (y + r)], fill=ink)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def draw_points(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw small dabs of pure colour side by side."""
    picture = Image.new("RGB", (size, size), colours[-2])
    pen = ImageDraw.Draw(picture)
    tone = draw_field(rng, size, int(rng.integers(2, 6)))
    radius = rng.uniform(1.5, 3.6)
    for _ in range(int(1.6 * size * size / radius**2)):
        x, y = rng.integers(0, size, 2)
        shade = np.clip(tone[y, x] + rng.normal(0, 0.2), 0, 0.999)
        colour = _shake(rng, colours[int(shade * len(colours))], 26)
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    return picture


def draw_tiles(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw glass pieces with lead between them."""
    step = rng.uniform(9, 26)
    count = int((size / step) ** 2)
    centres = rng.uniform(-step, size + step, (count + 30, 2))
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="xy"), axis=-1).reshape(-1, 2)
    from scipy.spatial import cKDTree

    gaps, nearest = cKDTree(centres).query(grid, k=2)
    tone = draw_field(rng, size, int(rng.integers(2, 6)))
    at = np.clip(centres.astype(int), 0, size - 1)
    shade = np.clip(tone[at[:, 1], at[:, 0]] + rng.normal(0, 0.12, len(centres)), 0, 0.999)
    table = np.array(colours)[(shade * len(colours)).astype(int)] + rng.normal(0, 14, (len(centres), 3))
    pixels = table[nearest[:, 0]]
    lead = gaps[:, 1] - gaps[:, 0] < rng.uniform(1.2, 2.8)
    pixels[lead] = np.array(colours[0]) * rng.choice([0.35, 1.0])
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8).reshape(size, size, 3))


def draw_contours(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw bands of flat colour with dark lines, as in a woodcut."""
    tone = draw_field(rng, size, int(rng.integers(3, 7)))
    rings = rng.uniform(9, 22)
    phase = (tone * rings) % 1.0
    table = np.array(colours)[rng.permutation(len(colours))]
    pixels = table[(tone * rings).astype(int) % len(colours)]
    pixels[phase < 0.22] = np.array(colours[0]) // 2
    return Image.fromarray(pixels.astype(np.uint8))


def draw_weave(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw cloth: threads over and under."""
    step = int(rng.integers(4, 9))
    rows, columns = np.mgrid[0:size, 0:size]
    over = (rows // step + columns // step) % 2 == 0
    tone = draw_field(rng, size, int(rng.integers(2, 6)))
    table = np.array(colours, dtype=np.float64)
    pixels = table[np.clip((tone * len(colours)).astype(int), 0, len(colours) - 1)]
    along = np.where(over, rows % step, columns % step) / step
    light = 0.55 + 0.5 * np.sin(math.pi * along) + rng.normal(0, 0.04, along.shape)
    return Image.fromarray(np.clip(pixels * light[:, :, None], 0, 255).astype(np.uint8))


def draw_wash(rng: np.random.Generator, size: int, colours: list[Colour]) -> Image.Image:
    """Draw watercolour: soft blots with darker rims on grainy paper."""
    pixels = np.full((size, size, 3), 240.0) * np.array(colours[-1]) / 255.0
    for _ in range(int(rng.integers(8, 20))):
        shape = draw_field(rng, size, int(rng.integers(3, 9)))
        level = rng.uniform(0.55, 0.75)
        inside = 1 / (1 + np.exp(-(shape - level) * 60))
        rim = np.exp(-(((shape - level) * 26) ** 2))
        ink = np.array(colours[int(rng.integers(0, len(colours) - 1))]) / 255.0
        pixels *= 1 - (0.45 * inside + 0.3 * rim)[:, :, None] * (1 - ink)
    grain = draw_field(rng, size, size // 2)
    return Image.fromarray(np.clip(pixels * (0.9 + 0.16 * grain[:, :, None]), 0, 255).astype(np.uint8))


def _shake(rng: np.random.Generator, colour: Colour, amount: float = 16) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.normal(0, amount, 3), 0, 255).astype(int)
    return int(red), int(green), int(blue)


PATTERNS: dict[str, Painter] = {
    "strokes": draw_strokes,
    "hatching": draw_hatching,
    "dots": draw_dots,
    "points": draw_points,
    "tiles": draw_tiles,
    "contours": draw_contours,
    "weave": draw_weave,
    "wash": draw_wash,
}
