"""Brushwork: the strokes, tiles or dots of a style laid over a painted picture at its full size.

What a style picture has beyond its soft colours is cut into patches, and each place of the picture gets one that has
its colours, turned so that its strokes run along the picture's edges. A patch goes on where its neighbour ends as long
as the colours allow it, so that a whole tile or stroke may appear (Ashikhmin 2001, "Synthesizing natural textures").
Before that the painting is smoothed along its edges (Cabral and Leedom 1993, "Imaging vector fields using line integral
convolution"). Where much is told by little, as in faces, less of both is done.

Letters: H and W height and width in pixels, h and w those of the style picture, M places of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

PATCH = 28  # side of a patch in pixels of the style
DETAIL = 5.0  # what is finer than this many pixels of the style is its brushwork
FLOW_SIDE, FLOW_REACH = 480, 2.5  # longer side at which edges are looked for, and over how many of its pixels
STYLE_REACH = 3.0
WIDER = ((1, 1.0), (4, 0.1), (12, 0.02))  # how far edges are felt where there are none, and how much
STEPS, STEP = 2, 1.2  # of the smoothing in each direction, and pixels of the style in a step
SPACING, RAMP, JITTER = 0.62, 0.38, 6  # shares of a patch; places are moved by up to a sixth of their distance
NEAREST = 10  # patches of the style that a place is given one of
LEAP = 1.6  # how much worse than those a patch may be that goes on where its neighbour ends
LEAST_LEAP, MOST_TURN = 2e-3, 0.5  # the least of that in squares of colours, and the turn in radians it may be off
LAID = 0.8  # of the style's own contrast
CAREFUL = 0.8, 0.6  # where care is taken, how much of the smoothing and of the brushwork is not done


@dataclass(frozen=True)
class Brushwork:
    """What is taken from a style picture of h x w pixels in [0, 1].

    Attributes:
        detail: (h, w, 3), about 0.
        colours: the soft colours, (h, w, 3).
        turns: the direction of the strokes in radians, (h, w).
        places: row and column of the middle of each patch, (M, 2).
        tree: finds places by their colours.
    """

    detail: FloatArray
    colours: FloatArray
    turns: FloatArray
    places: NDArray[np.int64]
    tree: Any


def extract_brushwork(pixels: FloatArray) -> Brushwork:
    """Take the brushwork of a style picture (h, w, 3) in [0, 1]."""
    import cv2
    from scipy.spatial import cKDTree

    border = cv2.BORDER_REFLECT
    soft = cv2.GaussianBlur(pixels, (0, 0), DETAIL, borderType=border)
    colours = np.asarray(cv2.GaussianBlur(pixels, (0, 0), PATCH / 4, borderType=border), dtype=np.float32)
    height, width = pixels.shape[:2]
    rows, columns = (
        np.arange(min(PATCH // 2, side // 3), side - min(PATCH // 2, side // 3), 3) for side in (height, width)
    )
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    tree = cKDTree(colours[places[:, 0], places[:, 1]])
    return Brushwork(pixels - soft, colours, find_directions(pixels, STYLE_REACH), places, tree)


def find_directions(pixels: FloatArray, reach: float) -> FloatArray:
    """Find the direction of the edges around each pixel of (H, W, 3), radians (H, W): that of the structure tensor."""
    import cv2

    grey = np.ascontiguousarray(pixels.mean(axis=2, dtype=np.float32))
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    tensor = np.stack([across * across, across * down, down * down], axis=2)
    felt: Any = sum(share * cv2.GaussianBlur(tensor, (0, 0), reach * wide) for wide, share in WIDER)
    turns = 0.5 * np.arctan2(2 * felt[:, :, 1], felt[:, :, 0] - felt[:, :, 2]) + np.pi / 2
    return np.asarray(turns, dtype=np.float32)


def lay_brushwork(
    painting: FloatArray, styles: Sequence[tuple[Brushwork, float]], scale: float, care: FloatArray
) -> FloatArray:
    """Lay the brushwork of styles over a painting.

    Args:
        painting: (H, W, 3) in [0, 1], in the colours of the styles.
        styles: each with its share; they sum up to 1.
        scale: pixels of the painting to one of the style.
        care: how much of the painting's own drawing is kept, (H, W, 1) in [0, 1].

    Returns:
        (H, W, 3), about [0, 1] but not clipped; the mean and spread of the colours are the painting's.
    """
    turns = _find_flow(painting)
    smooth = _smooth_along(painting, turns, STEP * scale)
    smooth += CAREFUL[0] * care * (painting - smooth)
    made = smooth + LAID * (1 - CAREFUL[1] * care) * _join_patches(smooth, turns, styles, scale)
    (mean, spread), (own_mean, own_spread) = _measure(painting), _measure(made)
    return np.asarray((made - own_mean) * (spread / np.maximum(own_spread, 1e-4)) + mean, dtype=np.float32)


def _measure(pixels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Measure mean and spread of the colours of (H, W, 3), (3,) each."""
    exact = pixels.reshape(-1, 3).astype(np.float64)
    return exact.mean(axis=0).astype(np.float32), exact.std(axis=0).astype(np.float32)


def _find_flow(painting: FloatArray) -> FloatArray:
    """Find the directions of a large picture on a small copy, (H, W)."""
    import cv2

    height, width = painting.shape[:2]
    share = min(1.0, FLOW_SIDE / max(height, width))
    small = cv2.resize(
        painting, (max(1, round(width * share)), max(1, round(height * share))), interpolation=cv2.INTER_AREA
    )
    turns = find_directions(np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), dtype=np.float32), FLOW_REACH)
    doubled = np.stack([np.cos(2 * turns), np.sin(2 * turns)], axis=2)  # half a turn is no turn
    doubled = cv2.resize(doubled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(0.5 * np.arctan2(doubled[:, :, 1], doubled[:, :, 0]), dtype=np.float32)


def _smooth_along(painting: FloatArray, turns: FloatArray, step: float) -> FloatArray:
    """Take the mean of a picture along lines that follow the directions (H, W)."""
    import cv2

    height, width = turns.shape
    edge, none = cv2.BORDER_REPLICATE, cast(Any, None)  # both coordinates are in one map
    start = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)
    ways = np.stack([np.cos(turns), np.sin(turns)], axis=2)
    total = painting.copy()
    for sign in (1, -1):
        at, way = start.copy(), sign * ways
        for number in range(STEPS):
            at += step * way
            total += cv2.remap(painting, at, none, cv2.INTER_LINEAR, borderMode=edge)
            if number < STEPS - 1:
                there = cv2.remap(ways, at, none, cv2.INTER_NEAREST, borderMode=edge)
                way = there * np.where((there * way).sum(axis=2, keepdims=True) < 0, np.float32(-1), np.float32(1))
    return np.asarray(total / (2 * STEPS + 1), dtype=np.float32)


def _join_patches(
    painting: FloatArray, turns: FloatArray, styles: Sequence[tuple[Brushwork, float]], scale: float
) -> FloatArray:
    """Join turned patches of the styles' detail to a layer of the size of a painting, (H, W, 3)."""
    import cv2

    random = np.random.default_rng(0)
    height, width = painting.shape[:2]
    side = max(4, round(PATCH * scale))
    spacing, ramp = max(2, round(SPACING * side)), max(1, round(RAMP * side))
    rows, columns = (np.arange(0, length + spacing, spacing) for length in (height, width))
    middles = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=2)
    middles = middles + random.integers(-(spacing // JITTER), spacing // JITTER + 1, middles.shape)
    down, right = middles[:, :, 0].clip(0, height - 1), middles[:, :, 1].clip(0, width - 1)
    colours = cv2.GaussianBlur(painting, (0, 0), side / 4)[down, right]
    wanted = turns[down, right]
    chosen = random.choice(len(styles), size=down.shape, p=[share for _, share in styles])
    lots = random.random(down.shape)
    found = [each.tree.query(colours, min(NEAREST, len(each.places))) for each, _ in styles]
    window = np.ones(side, np.float32)
    window[:ramp] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
    window = (np.minimum(window, window[::-1])[:, None] * np.minimum(window, window[::-1])[None, :])[:, :, None]
    total = np.zeros((height + 4 * side, width + 4 * side, 3), np.float32)
    weight = np.zeros((height + 4 * side, width + 4 * side, 1), np.float32)
    laid: dict[tuple[int, int], _Patch] = {}
    for row, column in np.ndindex(down.shape):
        which = int(chosen[row, column])
        style, (distances, nearest) = styles[which][0], found[which]
        middle, colour, wish = middles[row, column], colours[row, column], float(wanted[row, column])
        reach = LEAP * float(np.atleast_1d(distances[row, column])[-1]) ** 2 + LEAST_LEAP
        beside = (laid.get((row, column - 1)), laid.get((row - 1, column)))
        patch = next(
            (
                each
                for each in (_go_on(near, which, style, middle, scale) for near in beside if near)
                if each and _fits(each, style, colour, wish, reach)
            ),
            None,
        )
        if patch is None:
            options = np.atleast_1d(nearest[row, column])
            place = style.places[options[int(lots[row, column] * len(options))]]
            turn = (wish - float(style.turns[place[0], place[1]]) + np.pi / 2) % np.pi - np.pi / 2
            patch = _Patch(which, (int(middle[0]), int(middle[1])), (float(place[0]), float(place[1])), turn)
        laid[row, column] = patch
        top, left = (at + 2 * side - side // 2 for at in patch.middle)
        seen = (slice(top, top + side), slice(left, left + side))
        total[seen] += window * _cut_turned(style.detail, patch, side, scale)
        weight[seen] += window * window
    inside = (slice(2 * side, 2 * side + height), slice(2 * side, 2 * side + width))
    return np.asarray(total[inside] / np.sqrt(weight[inside].clip(1e-4)), dtype=np.float32)  # unlike waves add so


@dataclass(frozen=True)
class _Patch:
    """A patch that was laid: which style's, its middle in the painting and in the style, and its turn in radians."""

    style: int
    middle: tuple[int, int]
    place: tuple[float, float]
    turn: float


def _go_on(near: _Patch, which: int, style: Brushwork, middle: NDArray[np.int64], scale: float) -> _Patch | None:
    """Return what of the same style lies beside a patch, or None where its picture ends."""
    if near.style != which:
        return None
    down, right = ((int(middle[axis]) - near.middle[axis]) / scale for axis in (0, 1))
    cos, sin = math.cos(near.turn), math.sin(near.turn)
    place = near.place[0] - right * sin + down * cos, near.place[1] + right * cos + down * sin
    edge = PATCH // 2
    if all(edge <= at < side - edge for at, side in zip(place, style.turns.shape, strict=True)):
        return _Patch(which, (int(middle[0]), int(middle[1])), place, near.turn)
    return None


def _fits(patch: _Patch, style: Brushwork, colour: FloatArray, wish: float, reach: float) -> bool:
    """Tell whether a patch has about the colour (3,) and the direction that are wanted."""
    row, column = (int(at) for at in patch.place)
    gap = style.colours[row, column] - colour
    off = (float(style.turns[row, column]) + patch.turn - wish + np.pi / 2) % np.pi - np.pi / 2
    return float(gap @ gap) <= reach and abs(off) < MOST_TURN


def _cut_turned(detail: FloatArray, patch: _Patch, side: int, scale: float) -> FloatArray:
    """Cut a patch out of a style's detail, turned and scaled, (side, side, 3)."""
    import cv2

    cos, sin = scale * math.cos(patch.turn), scale * math.sin(patch.turn)
    row, column = patch.place
    matrix = np.array(
        [[cos, -sin, side / 2 - cos * column + sin * row], [sin, cos, side / 2 - sin * column - cos * row]], np.float32
    )
    flags, border = cv2.INTER_CUBIC, cv2.BORDER_REFLECT
    return np.asarray(cv2.warpAffine(detail, matrix, (side, side), flags=flags, borderMode=border), dtype=np.float32)
