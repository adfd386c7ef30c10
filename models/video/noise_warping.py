"""Warped noise: a share of a clip's initial noise is one picture, carried along where the prompt says.

What moves left and what moves right look the same as long as nothing but noise is seen, so that words alone decide a
motion late and weakly; noise that already moves decides it from the first step (after Chang et al. 2024, "How I Warped
Your Noise", and Burgert et al. 2025, "Go-with-the-Flow", section 3; here without training on such noise, hence only a
share of it). Pixels are carried, never averaged, so that the noise keeps its spread.

Letters: C channels, F frames, R x S pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.video.scene_spec import SPEEDS

SHARE = 0.6  # of the noise's deviation
PIXELS, RADIANS, GROWTH = 2.0, 0.12, 1.04  # from frame to frame, of 64 pixels a side, at normal speed
SLIDES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
TURNS = {"clockwise": 1, "counterclockwise": -1}
ZOOMS = {"in": 1, "out": -1}
SHIFTS = {"pan left": "right", "pan right": "left", "zoom in": "in", "zoom out": "out"}  # by the camera


def trace_pixels(
    frames: int, side: tuple[int, int], direction: str, speed: str, ring: bool = False
) -> tuple[Tensor, Tensor]:
    """Find where each pixel of each frame comes from in the picture that moves: rows and columns, int64 (F, R, S).

    Args:
        direction: a key of SLIDES, TURNS or ZOOMS.
        speed: a key of SPEEDS.
        ring: whether the last frame leads to the first: speeds are then rounded to whole rounds, and a zoom is none.
    """
    rows, columns = side
    y, x = torch.meshgrid(torch.arange(rows) - (rows - 1) / 2, torch.arange(columns) - (columns - 1) / 2, indexing="ij")
    k, rate = torch.arange(frames, dtype=torch.float32).view(-1, 1, 1), SPEEDS[speed]

    def round_step(step: float, full: float) -> float:
        """`step` a frame, such that all frames make whole rounds of `full`, at least one."""
        return max(1, round(step * frames / full)) * full / frames if ring else step

    if direction in SLIDES:
        right, down = SLIDES[direction]
        step_x, step_y = (round_step(PIXELS * rate * full / 64, full) for full in (columns, rows))
        from_y, from_x = y - k * down * step_y, x - k * right * step_x
    elif direction in TURNS:
        angle = -k * TURNS[direction] * round_step(RADIANS * rate, math.tau)
        from_y, from_x = angle.sin() * x + angle.cos() * y, angle.cos() * x - angle.sin() * y
    else:
        scale = 1.0 if ring else (GROWTH**rate) ** (-k * ZOOMS[direction])
        from_y, from_x = y * scale + 0 * k, x * scale + 0 * k
    row = (from_y + (rows - 1) / 2).round().long() % rows
    column = (from_x + (columns - 1) / 2).round().long() % columns
    return row, column


def draw_warped_noise(
    own: Tensor, direction: str, speed: str, random: torch.Generator, ring: bool = False, share: float = SHARE
) -> Tensor:
    """Draw noise (1, C, F, R, S) with a share that moves.

    None moves where `direction` is none of SLIDES, TURNS and ZOOMS.
    """
    if direction not in {**SLIDES, **TURNS, **ZOOMS}:
        return own
    picture = torch.randn((own.shape[1], *own.shape[3:]), generator=random)
    row, column = trace_pixels(own.shape[2], (own.shape[3], own.shape[4]), direction, speed, ring)
    return math.sqrt(1 - share**2) * own + share * picture[:, row, column][None]
