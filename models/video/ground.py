"""What is laid by rule under and around named things: sand, a road, the moon's dust, or a room with a window.

World: y from -1 (bottom) to 1 (top), x in the same units. Letters: R x S pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.staging import Setting

FLOORS = {
    "sand": (0.89, 0.77, 0.55),
    "road": (0.36, 0.37, 0.40),
    "dust": (0.58, 0.58, 0.60),
    "room": (0.66, 0.46, 0.30),
}
DEPTHS = {"sand": 0.035, "road": 0.02, "dust": 0.055, "room": 0.02}  # of the grain
WALL = (0.90, 0.84, 0.74)
PLANK = 0.34  # width of a board of the floor, at the eye

Array = NDArray[np.floating[Any]]


def draw_floor(setting: Setting, rows: int, columns: int, seed: int, margin: int = 0) -> Array | None:
    """Draw what is laid under the feet, float32 (R, S, 4) in [0, 1]; None where the scene has ground itself.

    `margin` is how many more columns are drawn on each side, for a camera that moves.
    """
    if setting.floor not in FLOORS:
        return None
    import cv2

    rng = np.random.default_rng(seed + 77)
    half = (columns - 1) / rows  # the x of the last column without the margin
    columns += 2 * margin
    y: Array = 1 - (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / rows * 2
    x = ((np.arange(columns, dtype=np.float32)[None] + 0.5) / columns * 2 - 1) * columns / rows
    horizon = setting.feet + 0.34
    bend = 0.03 * np.sin(2.1 * x + float(rng.uniform(0, 6))) if setting.floor not in {"road", "room"} else 0 * x
    below = np.maximum(horizon + bend - y, 0)
    far = 1 / (below + 0.16)
    grain = np.zeros((rows, columns), np.float32)
    for blur, each in ((1.0, 9.0), (2.2, 5.0)):
        across, along = (
            np.asarray((x * far * each) % 96, np.float32),
            np.asarray((far * each * 3 + 0 * x) % 96, np.float32),
        )
        grain += cv2.remap(_draw_noise(rng, blur), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) / 2
    tone = 0.86 + 0.22 * np.minimum(below / 0.6, 1) + DEPTHS[setting.floor] * grain
    colour = np.asarray(FLOORS[setting.floor], np.float32) * tone[..., None]
    if setting.floor == "road":
        dash = np.abs(y - (setting.feet - 0.10)) < 0.012
        colour[dash & (np.sin(x * 9) > 0)] = 0.92
    edge = 2.5 / rows
    mask = np.clip((horizon + bend - y) / max(edge, 0.02), 0, 1)
    if setting.floor == "sand":  # foam where the sea ends
        foam = np.exp(-(((horizon + bend - y) / 0.018) ** 2))
        colour += (np.float32(0.97) - colour) * (0.8 * foam)[..., None]
    if setting.floor == "room":
        boards = ((x * far * 0.9 + 7) % PLANK) / PLANK - 0.5
        colour *= (1 - 0.28 * np.exp(-((boards / 0.03) ** 2)))[..., None]
        return _build_walls(colour, mask, x, y, horizon, half)
    return np.concatenate([np.clip(colour, 0, 1), mask[..., None]], axis=2).astype(np.float32)


def move_floor(floor: Array, shape: tuple[int, int], zoom: float, pan: float) -> Array:
    """Move a floor, drawn with a margin, as the camera sees it in a frame of a shape (R, S); world units."""
    import cv2

    (rows, columns), wide = shape, floor.shape[1]
    across = (wide - 1) / 2 + pan * rows / 2 - (columns - 1) / 2 / zoom
    down = (rows - 1) / 2 * (1 - 1 / zoom)
    matrix = np.array([[1 / zoom, 0, across], [0, 1 / zoom, down]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved: Any = cv2.warpAffine(floor, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _build_walls(colour: Array, mask: Array, x: Array, y: Array, horizon: float, half: float) -> Array:
    """Build a wall behind a floor of colours (R, S, 3) under a mask (R, S), with a window that shows the scene."""
    y = y + 0 * x
    wall = np.asarray(WALL, np.float32) * (0.92 + 0.08 * y + 0.05 * np.cos(1.6 * (x / half)))[..., None]
    skirting = (y < horizon + 0.07)[..., None]
    wall = np.where(skirting, np.float32(0.97), wall)
    middle, wide, high = -0.42 * half, min(0.36, 0.42 * half), 0.36
    dx, dy = np.abs(x - middle) - wide, np.abs(y - 0.42) - high
    from_edge = np.maximum(dx, dy)
    is_frame = (np.abs(from_edge) < 0.045) | (
        (from_edge < 0) & (np.minimum(np.abs(x - middle), np.abs(y - 0.42)) < 0.018)
    )
    sill = (np.abs(y - (0.42 - high - 0.06)) < 0.035) & (dx < 0.09)
    shade = np.clip(1 - 0.16 * np.exp(-(((from_edge - 0.03) / 0.05) ** 2)), 0, 1)[..., None]
    wall = np.where((is_frame | sill)[..., None], np.float32(0.98), wall * shade)
    covered = np.where((from_edge < 0) & ~is_frame, 0.0, 1.0).astype(np.float32)
    colour = np.clip(colour * mask[..., None] + wall * (1 - mask[..., None]), 0, 1)
    return np.concatenate([colour, np.maximum(mask, covered)[..., None]], axis=2).astype(np.float32)


def _draw_noise(rng: np.random.Generator, blur: float, side: int = 96) -> Array:
    """Draw soft noise (side, side) of deviation 1 that goes on over its borders."""
    import cv2

    rough = np.pad(rng.normal(size=(side, side)).astype(np.float32), 12, mode="wrap")
    soft = cv2.GaussianBlur(rough, (0, 0), blur)[12:-12, 12:-12]
    return np.asarray(soft / soft.std(), np.float32)
