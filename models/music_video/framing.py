"""Where the people and the subject of a picture are, and which part of it a frame of another shape shows.

People are found by the network of `models.style.people`; their heads count most, so that a crop takes legs before
heads. Where nobody is, the spectral residual says what stands out (Hou & Zhang 2007, "Saliency Detection: A Spectral
Residual Approach"), with some weight for the middle.

Letters: H and W height and width of a picture, h and w of its map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.style.people import find_people

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

MAP_SIDE = 96  # the longer side of a map of importance
LOOK_SIDE = 320  # the longer side that is looked at
UPPER_SHARE = 0.2  # of a person, from above: about as broad as the head
HEAD_SHAPE, LEAST_HEAD = 1.3, 0.12  # a head's height in widths of it; and at least, of the whole person
MOST_GROWTH = 6
FALL = 0.75  # of what the top of a head counts less than the face
FACE = 0.58  # where in a head the middle of the face is, from above
LEAST_ROW = 0.1  # what the lowest part of a person counts
HEADROOM = 0.08  # of the picture's height, over a head
LEAST_PERSON, MOST_PEOPLE = 0.015, 0.92  # shares of the picture; outside them the network saw something else
SMALL_BESIDE = 0.08  # of the largest person's area, under which a patch is none
RESIDUAL_SIDE = 64
MIDDLE_WEIGHT = 0.2
EDGE_WEIGHT = 3.0  # what it costs to cut through a subject
NARROW, WIDE = 0.2, 0.4  # shares that the best window holds: up to the first it cuts through any subject
OFF_MIDDLE = 0.02  # what a window loses by lying off the middle, where nothing else decides


@dataclass(frozen=True)
class Window:
    """A part of a picture in shares of its width and height: its left and top edge, its width and height."""

    x: float
    y: float
    width: float
    height: float


def find_importance(picture: Pixels) -> tuple[Floats, bool]:
    """Map how much each part of uint8 (H, W, 3) counts: (h, w) of sum 1, and whether these are people."""
    import cv2

    small = _shrink(picture, LOOK_SIDE)
    size = _shrink(small, MAP_SIDE).shape[1::-1]
    people = find_people(small)[..., 0]
    mask = np.asarray(cv2.resize(people, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    if LEAST_PERSON <= float((mask > 0.5).mean()) <= MOST_PEOPLE:
        weighted = _weigh_heads(mask)
        return weighted / weighted.sum(), True
    found = _find_salience(small, size)
    return found / found.sum(), False


def _shrink(picture: Pixels, side: int) -> Pixels:
    import cv2

    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small


def _weigh_heads(mask: NDArray[np.float32]) -> Floats:
    """Weigh people the more the higher, each row of one as much as a broader one, with some room over the head."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    areas = stats[1:count, cv2.CC_STAT_AREA]
    weighted = np.full(mask.shape, 1e-6)
    room = max(1, round(HEADROOM * mask.shape[0]))
    for number in np.flatnonzero(areas >= SMALL_BESIDE * areas.max(initial=1)) + 1:
        person = labels == number
        top, height = int(stats[number, cv2.CC_STAT_TOP]), int(stats[number, cv2.CC_STAT_HEIGHT])
        widths = person.sum(axis=1)
        head_height = _measure_head(widths[top : top + height])
        below = (np.arange(len(mask)) - top) / head_height
        # the face counts most, then the head's edges, and the rest the less the lower
        rows = np.where(below <= 1, 1 - FALL * np.square((below - FACE) / FACE), 0.5 * np.exp(1 - below))
        told = np.maximum(LEAST_ROW, rows)
        rows = told / np.maximum(1, widths)
        size = np.sqrt(areas[number - 1])  # of several people the larger ones count more, but not alone
        weighted += size * person * rows[:, None]
        over = person[top : top + room].any(axis=0)
        weighted[max(0, top - room) : top, over] += size * told[top] / max(1, int(over.sum()))
    return weighted


def _measure_head(widths: NDArray[np.int64]) -> float:
    """Measure how many rows a head takes of a person whose rows are so wide, from above.

    The rows near the top are narrower than the face, so a head grows until it is as high as its own widest rows tell;
    of a face that fills the picture it reaches to the end.
    """
    height = len(widths)
    head = HEAD_SHAPE * float(np.median(widths[: max(1, round(UPPER_SHARE * height))]))
    for _ in range(MOST_GROWTH):
        wide = float(np.percentile(widths[: max(1, round(FACE * head))], 90))
        if HEAD_SHAPE * wide <= 1.02 * head:
            break
        head = HEAD_SHAPE * wide
    return min(float(height), max(LEAST_HEAD * height, head))


def _find_salience(picture: Pixels, size: tuple[int, int]) -> Floats:
    """Map what stands out by the spectral residual, as float64 of `size` (w, h) in [0, 1]."""
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)
    found = np.zeros((RESIDUAL_SIDE, RESIDUAL_SIDE), np.float64)
    for plane in np.moveaxis(cv2.resize(grey, (RESIDUAL_SIDE, RESIDUAL_SIDE), interpolation=cv2.INTER_AREA), 2, 0):
        spectrum = np.fft.fft2(plane)
        amplitude = np.log(np.abs(spectrum) + 1e-6)
        residual = amplitude - cv2.blur(amplitude, (3, 3))
        found += np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    found = np.asarray(cv2.GaussianBlur(found, (0, 0), 3.0), dtype=np.float64)
    found = (found - found.min()) / max(float(np.ptp(found)), 1e-12)
    x, y = np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1])
    middle = np.exp(-(x[None] ** 2 + y[:, None] ** 2) / 0.5)
    whole: Floats = cv2.resize(found, size, interpolation=cv2.INTER_LINEAR) + MIDDLE_WEIGHT * middle + 1e-6
    return whole


def place_window(importance: Floats, width: float, height: float) -> Window:
    """Place a window of a width and height in shares where it holds most and cuts through least; the sum of
    `importance` (h, w) is 1.
    """
    rows, columns = importance.shape
    high, wide = max(1, round(height * rows)), max(1, round(width * columns))
    around = np.pad(importance, 1)  # what lies beside the window, too
    sums = np.pad(around, ((1, 0), (1, 0))).cumsum(0).cumsum(1)

    def add_up(down: int, right: int, tall: int, broad: int) -> Floats:
        """Sum a block of `around` that lies `down` and `right` of each place of the window."""
        part = sums[down : down + rows - high + 1 + tall, right : right + columns - wide + 1 + broad]
        return part[tall:, broad:] - part[:-tall, broad:] - part[tall:, :-broad] + part[:-tall, :-broad]

    inside = add_up(1, 1, high, wide)
    beside = add_up(1, 0, high, 1) + add_up(1, wide + 1, high, 1) + add_up(0, 1, 1, wide)
    down, across = np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]]
    off = np.abs(across - (inside.shape[1] - 1) / 2) / columns + np.abs(down - (inside.shape[0] - 1) / 2) / rows
    spared = EDGE_WEIGHT * min(1.0, max(0.0, (float(inside.max()) - NARROW) / (WIDE - NARROW)))
    score = inside - spared * beside - OFF_MIDDLE * off
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    return Window(min(float(x) / columns, 1 - width), min(float(y) / rows, 1 - height), width, height)


def _cut(importance: Floats, window: Window) -> tuple[int, int, Floats]:
    """Return the first row and column of a window, and its part of a map."""
    rows, columns = importance.shape
    top, left = round(window.y * rows), round(window.x * columns)
    high, wide = max(1, round(window.height * rows)), max(1, round(window.width * columns))
    return top, left, importance[top : top + high, left : left + wide]


def measure_inside(importance: Floats, window: Window) -> float:
    """Measure the share of what counts that lies inside a window."""
    return float(_cut(importance, window)[2].sum())


def find_focus(importance: Floats, window: Window) -> tuple[float, float]:
    """Find the middle of what counts inside a window, in shares of the picture."""
    rows, columns = importance.shape
    top, left, part = _cut(importance, window)
    total = float(part.sum())
    if total <= 0:
        return window.x + window.width / 2, window.y + window.height / 2
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return (
        (left + 0.5 + float((part * x).sum()) / total) / columns,
        (top + 0.5 + float((part * y).sum()) / total) / rows,
    )


def fit_window(width: int, height: int, frame: tuple[int, int]) -> tuple[float, float]:
    """Return width and height, in shares of a picture of `width` x `height`, of its largest part of a frame's shape."""
    shape = (frame[0] / frame[1]) / (width / height)
    return (1.0, 1.0 / shape) if shape >= 1 else (shape, 1.0)
