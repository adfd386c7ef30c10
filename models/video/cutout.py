"""Characters cut out of the plain paper that they stand on: transparent frames and sheets of them, as games use them.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
PAPER = (226, 222, 210)  # the plain ground that the video model learns characters on, easy to cut out again
TOLERANCE = 26.0  # distance of colours, of 442 from black to white
PLAIN_SHARE = 0.9  # of the border's pixels that must be alike in a clip on paper
PAPER_DISTANCE = 40.0  # of its ground from PAPER, at most: what a model draws is a little off
SHEET_COLUMNS = 8


def find_paper(frames: Pixels) -> NDArray[np.float32] | None:
    """Find the colour, float32 (3,), of the plain paper under the clip uint8 (F, R, S, 3); None without paper."""
    border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]], axis=1)
    pixels = border.reshape(-1, 3).astype(np.float32)
    ground: NDArray[np.float32] = np.median(pixels, axis=0).astype(np.float32)
    alike = np.linalg.norm(pixels - ground, axis=1) < TOLERANCE
    far = np.linalg.norm(ground - np.asarray(PAPER, np.float32)) > PAPER_DISTANCE
    return None if far or alike.mean() < PLAIN_SHARE else ground


def cut_out(frames: Pixels, ground: NDArray[np.float32], tolerance: float = TOLERANCE) -> Pixels:
    """Make the ground transparent, from the border inwards: what is enclosed by the figure stays.

    Args:
        frames: uint8 (F, R, S, 3).
        ground: colour of the paper, (3,).
        tolerance: distance of colours up to which a pixel is ground.

    Returns:
        uint8 (F, R, S, 4). Where figure and paper mix at the edge, opacity and colour are parted.
    """
    colours = frames.astype(np.float32)
    distance = np.linalg.norm(colours - ground, axis=-1)
    outside = _flood(distance < tolerance)
    edge = ~outside & _dilate(outside) & (distance < 2.5 * tolerance)
    opacity = np.where(outside, 0.0, np.where(edge, (distance - tolerance) / (1.5 * tolerance), 1.0))
    opacity = np.where(edge, np.clip(opacity, 0.2, 1.0), opacity)[..., None]
    own = np.where(edge[..., None], (colours - (1 - opacity) * ground) / np.maximum(opacity, 0.2), colours)
    own = np.where(outside[..., None], 0.0, own)
    return np.concatenate([own.clip(0, 255), opacity * 255], axis=-1).round().astype(np.uint8)


def build_sprite_sheet(frames: Pixels, columns: int = SHEET_COLUMNS) -> Pixels:
    """Lay frames (F, R, S, C) side by side in rows of `columns`: (rows * R, columns * S, C); what is left over is 0."""
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    spare = np.zeros((rows * columns - len(frames), *frames.shape[1:]), frames.dtype)
    grid = np.concatenate([frames, spare]).reshape(rows, columns, *frames.shape[1:])
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * frames.shape[1], columns * frames.shape[2], -1)


def _flood(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find what of `free` (F, R, S) is joined to the border, step by step to the four sides."""
    reached = np.zeros_like(free)
    reached[:, [0, -1]] = free[:, [0, -1]]
    reached[:, :, [0, -1]] |= free[:, :, [0, -1]]
    while True:
        wider = _dilate(reached) & free
        if np.array_equal(wider, reached):
            return reached
        reached = wider


def _dilate(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add to the mask (F, R, S) its neighbours on four sides."""
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= mask[:, :, :-1]
    grown[:, :, :-1] |= mask[:, :, 1:]
    return grown
