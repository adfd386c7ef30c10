"""Bodies for things whose picture is a head or a bust: drawn by rule in its colours, with legs that step.

Shapes are capsules, lit from above left as rounded bodies are. Lengths are in widths of the head, y downwards, the
head's middle above (0.5, 0.5). A body comes in STEPS pictures of equal size, one a part of a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 8
UNIT = 96  # pixels of a head's width
SWING = 0.42  # radians that a leg swings at most
LIGHT = np.array((-0.36, -0.62, 0.70), np.float32)

Array = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

SKIN: Colour = (1.0, 0.78, 0.20)
DARK: Colour = (0.24, 0.21, 0.30)
WHITE: Colour = (0.94, 0.94, 0.97)


@dataclass(frozen=True)
class FourLegs:
    """A body in profile, to the right of a head.

    Attributes:
        coat, legs: colours; leg: length of the legs.
        tail: its end beside the body's, with the widths of both ends and the colour of its tip; None for none.
        below: how much lower than the head's middle the back of the neck is.
    """

    coat: Colour
    legs: Colour | None = None
    leg: float = 0.46
    tail: tuple[float, float, float, float, Colour] | None = None
    below: float = 0.42
    long: float = 0.72


@dataclass(frozen=True)
class TwoLegs:
    """A body seen from the front, under a head: what it wears above and below, and its hands."""

    shirt: Colour
    trousers: Colour = (0.33, 0.36, 0.50)
    hands: Colour = SKIN
    shoes: Colour = DARK


@dataclass(frozen=True)
class Bird:
    """A plump body with two thin legs, to the right of a head."""

    coat: Colour
    legs: Colour = (0.96, 0.66, 0.16)


def _bushy(tip: Colour) -> tuple[float, float, float, float, Colour]:
    return 0.62, -0.34, 0.10, 0.19, tip


BROWN: Colour = (0.47, 0.34, 0.31)
GREY: Colour = (0.62, 0.62, 0.65)
BODIES: dict[str, FourLegs | TwoLegs | Bird] = {
    "fox": FourLegs((0.97, 0.52, 0.16), DARK, tail=_bushy(WHITE)),
    "wolf": FourLegs(GREY, (0.55, 0.55, 0.58), 0.56, tail=_bushy((0.45, 0.45, 0.48))),
    "raccoon": FourLegs(GREY, DARK, tail=_bushy(DARK)),
    "lion": FourLegs((0.97, 0.64, 0.20), None, 0.52, (0.60, -0.10, 0.05, 0.11, BROWN), long=0.86),
    "bear": FourLegs(BROWN, None, 0.40, (0.10, -0.08, 0.08, 0.10, BROWN), long=0.66),
    "polar bear": FourLegs(WHITE, None, 0.40, (0.10, -0.08, 0.08, 0.10, WHITE), long=0.66),
    "panda": FourLegs((0.90, 0.88, 0.97), (0.30, 0.26, 0.42), 0.36, long=0.56),
    "koala": FourLegs(GREY, None, 0.32, long=0.46),
    "hamster": FourLegs((0.98, 0.72, 0.50), (0.98, 0.62, 0.50), 0.24, long=0.40),
    "moose": FourLegs(BROWN, (0.38, 0.28, 0.27), 0.86, below=0.30, long=0.96),
    "boar": FourLegs(BROWN, DARK, 0.40, (0.18, -0.06, 0.04, 0.05, DARK), below=0.14, long=0.70),
    "unicorn": FourLegs((0.86, 0.82, 0.98), None, 0.84, (0.34, 0.52, 0.13, 0.09, (0.93, 0.52, 0.93)), 0.52, 0.92),
    "frog": FourLegs((0.20, 0.80, 0.52), (0.16, 0.70, 0.46), 0.20, long=0.34),
    "chicken": Bird((0.92, 0.91, 0.96)),
    "baby": TwoLegs((0.62, 0.82, 0.98), (0.62, 0.82, 0.98), shoes=SKIN),
    "child": TwoLegs((0.98, 0.52, 0.20)),
    "boy": TwoLegs((0.16, 0.55, 0.95)),
    "girl": TwoLegs((0.93, 0.32, 0.55), (0.60, 0.42, 0.85)),
    "old man": TwoLegs((0.45, 0.55, 0.42), (0.45, 0.38, 0.34)),
    "old woman": TwoLegs((0.60, 0.40, 0.72), (0.45, 0.35, 0.58)),
    "angel": TwoLegs(WHITE, WHITE, shoes=SKIN),
    "santa": TwoLegs((0.88, 0.14, 0.16), (0.88, 0.14, 0.16), WHITE),
    "robot": TwoLegs((0.80, 0.77, 0.90), (0.45, 0.43, 0.58), (0.93, 0.20, 0.42)),
    "alien": TwoLegs((0.45, 0.42, 0.62), (0.45, 0.42, 0.62), (0.35, 0.80, 0.45), (0.35, 0.80, 0.45)),
    "cowboy": TwoLegs((0.72, 0.30, 0.22), (0.28, 0.40, 0.66), SKIN, (0.42, 0.26, 0.16)),
    "clown": TwoLegs((0.98, 0.80, 0.20), (0.20, 0.52, 0.95), WHITE, (0.90, 0.15, 0.20)),
    "ogre": TwoLegs((0.40, 0.14, 0.20), DARK, (0.87, 0.16, 0.22)),
    "goblin": TwoLegs((0.40, 0.14, 0.20), DARK, (0.87, 0.16, 0.22)),
}  # fmt: skip


class _Canvas:
    """Shapes laid over one another, float32 (R, S, 4), colours multiplied by opacity."""

    def __init__(self, left: float, top: float, wide: float, high: float) -> None:
        self.left, self.top = left, top
        self.pixels = np.zeros((round(high * UNIT), round(wide * UNIT), 4), np.float32)
        rows, columns = self.pixels.shape[:2]
        self.x = (np.arange(columns, dtype=np.float32)[None] + 0.5) / UNIT + np.float32(left)
        self.y = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / UNIT + np.float32(top)

    def lay_capsule(self, a: tuple[float, float], b: tuple[float, float], ra: float, rb: float, colour: Colour) -> None:
        """Lay a rounded limb from a to b with the radii of both ends."""
        along = np.asarray(b, np.float32) - np.asarray(a, np.float32)
        length = max(float(along @ along), 1e-6)
        share = np.clip(((self.x - a[0]) * along[0] + (self.y - a[1]) * along[1]) / length, 0, 1)
        radius = ra + (rb - ra) * share
        dx = (self.x - (a[0] + share * along[0])) / radius
        dy = (self.y - (a[1] + share * along[1])) / radius
        far = np.sqrt(dx**2 + dy**2)
        depth = np.sqrt(np.clip(1 - far**2, 0, 1))
        lit = np.clip(dx * LIGHT[0] + dy * LIGHT[1] + depth * LIGHT[2], -1, 1)
        shade = 0.80 + 0.26 * lit
        rgb = np.clip(np.asarray(colour, np.float32) * shade[..., None], 0, 1)
        shine = np.clip(lit - 0.86, 0, 1)[..., None] * 1.2
        rgb = rgb + (1 - rgb) * shine
        cover = np.clip((1 - far) * radius * UNIT + 0.5, 0, 1)[..., None]
        self.lay(np.concatenate([rgb * cover, cover], axis=2))

    def lay(self, layer: Array, row: int = 0, column: int = 0) -> None:
        """Lay a picture (R, S, 4) over, its first pixel at a row and a column."""
        part = self.pixels[row : row + layer.shape[0], column : column + layer.shape[1]]
        part[...] = layer + part * (1 - layer[..., 3:])


def dress_body(picture: Array, name: str, pose: str, walks: bool = True) -> tuple[Array, ...]:
    """Draw the whole of a thing, float32 (R, S, 4) each: STEPS pictures of one that walks, else one.

    Args:
        picture: its head or its bust, as `models.video.cutouts` reads it.
        pose: "head" or "bust".
    """
    head = _resize(picture)
    body = BODIES.get(name)
    phases = np.arange(STEPS if walks else 1) / STEPS * 2 * np.pi
    if pose == "bust":
        drawn = [_draw_bust(head, phase if walks else None) for phase in phases]
    elif isinstance(body, FourLegs):
        drawn = [_draw_four_legs(head, body, phase if walks else None) for phase in phases]
    elif isinstance(body, Bird):
        drawn = [_draw_bird(head, body, phase if walks else None) for phase in phases]
    elif body is not None:
        drawn = [_draw_two_legs(head, body, phase if walks else None) for phase in phases]
    else:
        return (picture,)
    return _trim_together(drawn)


def _resize(picture: Array) -> Array:
    """Make a picture UNIT pixels wide."""
    import cv2

    size = UNIT, max(1, round(picture.shape[0] * UNIT / picture.shape[1]))
    made: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.float32)


def _trim_together(drawn: list[Array]) -> tuple[Array, ...]:
    """Cut the same empty border off all pictures."""
    seen = np.max([each[..., 3] for each in drawn], axis=0) > 0.05
    rows, columns = np.nonzero(seen)
    return tuple(each[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy() for each in drawn)


def _darken(colour: Colour, share: float = 0.8) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share


def _draw_four_legs(head: Array, body: FourLegs, phase: float | None) -> Array:
    """Draw a head with a body in profile behind it."""
    high = head.shape[0] / UNIT
    canvas = _Canvas(-0.3, -0.1, 2.9, high + 1.9)
    spine, thick = high / 2 + body.below, 0.27 + 0.10 * min(body.long, 0.9)
    front, back = 0.62, 0.62 + body.long
    legs, thin = body.legs or body.coat, 0.125 if body.leg < 0.7 else 0.09

    def step(x: float, shift: float, colour: Colour) -> None:
        turn = 0.0 if phase is None else SWING * np.sin(phase + shift)
        bend = 0.0 if phase is None else 0.10 * max(0.0, np.cos(phase + shift)) * body.leg
        hip = spine + 0.55 * thick
        foot = x + np.sin(turn) * body.leg, hip + np.cos(turn) * (body.leg - bend) + 0.18
        canvas.lay_capsule((x, hip), foot, 1.25 * thin, thin, colour)
        canvas.lay_capsule((foot[0] - 0.06, foot[1] + 0.02), (foot[0] + 0.02, foot[1] + 0.02), thin, thin, colour)

    if body.tail is not None:
        across, down, narrow, wide, tip = body.tail
        root, end = (back + 0.7 * thick, spine - 0.3 * thick), (back + thick + across, spine + down)
        middle = root[0] + 0.62 * (end[0] - root[0]), root[1] + 0.62 * (end[1] - root[1])
        canvas.lay_capsule(root, end, narrow, wide, body.coat if tip != body.coat else tip)
        canvas.lay_capsule(middle, end, 0.9 * (narrow + 0.62 * (wide - narrow)), wide, tip)
    step(front + 0.14, np.pi, _darken(legs))
    step(back - 0.10, 0.0, _darken(legs))
    canvas.lay_capsule((front, spine), (back, spine), thick, 1.04 * thick, body.coat)
    step(front - 0.06, 0.0, legs)
    step(back + 0.08, np.pi, legs)
    canvas.lay(head, round((0 - canvas.top) * UNIT), round((0 - canvas.left) * UNIT))
    return canvas.pixels


def _draw_bird(head: Array, body: Bird, phase: float | None) -> Array:
    """Draw a bird's head with a plump body and two thin legs."""
    high = head.shape[0] / UNIT
    canvas = _Canvas(-0.3, -0.1, 2.6, high + 1.4)
    middle = high + 0.02
    for shift, x in ((np.pi, 0.92), (0.0, 0.78)):
        turn = 0.0 if phase is None else SWING * np.sin(phase + shift)
        foot = x + np.sin(turn) * 0.5, middle + 0.25 + np.cos(turn) * 0.5
        canvas.lay_capsule((x, middle + 0.2), foot, 0.05, 0.05, body.legs)
        canvas.lay_capsule((foot[0] - 0.14, foot[1]), (foot[0] + 0.04, foot[1]), 0.045, 0.05, body.legs)
    canvas.lay_capsule((1.2, middle - 0.1), (1.62, middle - 0.42), 0.22, 0.16, _darken(body.coat, 0.93))
    canvas.lay_capsule((0.66, middle - 0.06), (1.14, middle - 0.02), 0.42, 0.38, body.coat)
    canvas.lay(head, round((0 - canvas.top) * UNIT), round((0 - canvas.left) * UNIT))
    canvas.lay_capsule((0.86, middle - 0.02), (1.16, middle - 0.02), 0.2, 0.12, _darken(body.coat, 0.9))
    return canvas.pixels


def _step_front(canvas: _Canvas, phase: float | None, top: float, half: float, leg: float, thin: float,
                trousers: Colour, shoes: Colour) -> None:  # fmt: skip
    """Draw two legs seen from the front; one is lifted where it steps."""
    for side in (-1, 1):
        lift = 0.0 if phase is None else 0.30 * leg * max(0.0, float(np.sin(phase)) * side)
        x, foot = 0.5 + side * half, top + leg - lift
        canvas.lay_capsule((x, top), (x, foot), 1.08 * thin, 0.92 * thin, trousers)
        canvas.lay_capsule((x - 0.06, foot + 0.05), (x + side * 0.02, foot + 0.05), 0.95 * thin, 0.8 * thin, shoes)


def _draw_two_legs(head: Array, body: TwoLegs, phase: float | None) -> Array:
    """Draw a head with a body under it."""
    high = head.shape[0] / UNIT
    canvas = _Canvas(-0.4, -0.1, 1.8, high + 1.5)
    chest, hips = high + 0.06, high + 0.40
    _step_front(canvas, phase, hips + 0.10, 0.17, 0.34, 0.145, body.trousers, body.shoes)
    canvas.lay_capsule((0.5, hips - 0.02), (0.5, hips + 0.06), 0.30, 0.30, body.trousers)
    for side in (-1, 1):
        swing = 0.0 if phase is None else 0.07 * side * float(np.sin(phase))
        hand = 0.5 + side * 0.46, hips - 0.02 + swing
        canvas.lay_capsule((0.5 + side * 0.24, chest), hand, 0.115, 0.095, _darken(body.shirt, 0.95))
        canvas.lay_capsule(hand, (hand[0] + side * 0.01, hand[1] + 0.05), 0.10, 0.10, body.hands)
    canvas.lay_capsule((0.5, chest - 0.02), (0.5, hips - 0.14), 0.25, 0.29, body.shirt)
    canvas.lay(head, round((0 - canvas.top) * UNIT), round((0 - canvas.left) * UNIT))
    return canvas.pixels


def _draw_bust(bust: Array, phase: float | None) -> Array:
    """Draw a bust with what it wears carried on downwards, and legs."""
    rows = bust.shape[0]
    canvas = _Canvas(-0.2, -0.05, 1.4, rows / UNIT + 1.0)
    edge = np.median(bust[-6:-2], axis=0)  # (S, 4), the last rows
    inside = np.nonzero(edge[:, 3] > 0.5)[0]
    left, right = (int(inside.min()), int(inside.max()) + 1) if len(inside) else (0, UNIT)
    middle, half = (left + right) / 2 / UNIT, (right - left) / 2 / UNIT
    solid = edge[left:right]
    colours = solid[:, :3] / np.maximum(solid[:, 3:], 1e-3)
    worn = np.median(colours, axis=0)
    trousers = (float(worn[0]), float(worn[1]), float(worn[2]))
    if min(trousers) < 0.72:
        trousers = _darken(trousers, 0.72)
    top, leg = rows / UNIT + 0.10, 0.40
    shift = middle - 0.5
    canvas.x -= np.float32(shift)
    _step_front(canvas, phase, top, 0.44 * half, leg, 0.36 * half, trousers, DARK if min(worn) < 0.8 else trousers)
    canvas.x += np.float32(shift)
    more = round(0.30 * UNIT)
    down = np.linspace(0, 1, more, dtype=np.float32)[:, None]
    across = ((np.arange(UNIT, dtype=np.float32)[None] + 0.5) / UNIT - middle) / half
    cover = np.clip((1 - (np.abs(across) ** 2.6 + down**2.6)) * 9, 0, 1)[..., None]
    hem = np.repeat(edge[None], more, axis=0) * (1 - 0.16 * down[..., None] ** 2 * np.array((1, 1, 1, 0), np.float32))
    at = round((0 - canvas.top) * UNIT), round((0 - canvas.left) * UNIT)
    canvas.lay((hem * cover).astype(np.float32), at[0] + rows - 2, at[1])
    canvas.lay(bust, *at)
    return canvas.pixels
