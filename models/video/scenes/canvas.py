"""The stage that scenes are drawn on: clock, camera, coordinates, shapes and light; all of a clip's frames at once.

World: x from -1 (left) to 1 (right), y from -1 (bottom) to 1 (top), before the camera moves; a picture that is no
square shows up to LONGEST of the world along its longer side, and less along the other. Depth 1 moves with the camera
in full, depth 0 (the sky) not at all. No random draw depends on the picture's size, shape or frames, so that the same
spec gives the same scene in all of them.

Letters: T frames, H x W pixels, N particles.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.scene_spec import FRAMES_PER_SECOND, SPEEDS, SceneEvent, SceneSpec, get_rgb

Array = NDArray[np.floating[Any]]

PAN_PER_S = 0.20
ZOOM_PER_S = 0.17
RAMP = 512
LONGEST = 1.2  # half of the longer side of a picture that is no square, in world units: what scenes fill
EDGE_X = 1.15  # particles that leave the picture here come back on the other side


def f32(values: object) -> Array:
    """Convert to a float32 array."""
    return np.asarray(values, np.float32)


def smoothstep(low: float, high: float, values: Array) -> Array:
    """Rise from 0 below `low` to 1 above `high` by a cubic; `low` may be the greater."""
    share = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return share * share * (3 - 2 * share)


def ramp(colours: Sequence[object], values: Array) -> Array:
    """Map values in [0, 1] to colours: `colours` are K stops of (3,), evenly spaced; the values' shape + (3,)."""
    stops = f32(colours)
    places = np.linspace(0, len(stops) - 1, RAMP, dtype=np.float32)
    low = np.minimum(places.astype(int), len(stops) - 2)
    table = stops[low] + (stops[low + 1] - stops[low]) * (places - low)[:, None]
    return table.take((np.clip(values, 0, 1) * (RAMP - 1)).astype(np.int32), axis=0)


def wrap(values: Array, half: float = EDGE_X) -> Array:
    """Wrap into [-half, half), as a particle that leaves on one side returns on the other."""
    return (values + half) % (2 * half) - half


def draw_profile(x: Array, rng: np.random.Generator, roughness: float = 0.5, octaves: int = 6) -> Array:
    """Draw a height profile over x, about in [-1, 1]: sines of doubling frequency with random phases."""
    height = np.zeros_like(x)
    for octave in range(octaves):
        frequency = 2**octave * rng.uniform(0.8, 1.2)
        height += roughness**octave * np.sin(np.float32(frequency * 2.2) * x + np.float32(rng.uniform(0, 2 * np.pi)))
    return height * np.float32(1 - roughness)


@dataclass(frozen=True, eq=False)
class SceneView:
    """How a scene is looked at.

    Attributes:
        frames: how many are drawn; first: the number of the first of them in its clip; whole: how many the clip has.
        shape: rows and columns in pixels.
        camera: zoom and sideways place in each frame, (frames,) each; None for as the spec says.
        fine: whether it is drawn for people to look at, with more in it than the video model learns from.
        without: what is left out because it is laid over: "subject" in front of a land, "moon".
    """

    frames: int
    shape: tuple[int, int]
    frames_per_second: float = FRAMES_PER_SECOND
    first: int = 0
    whole: int = 0
    camera: tuple[Array, Array] | None = None
    fine: bool = False
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", self.whole or self.first + self.frames)

    @property
    def halves(self) -> tuple[float, float]:
        """Return half the width and half the height of the picture in world units."""
        rows, columns = self.shape
        longer = min(max(rows, columns) / min(rows, columns), LONGEST)
        unit = longer / max(rows, columns)
        return columns * unit, rows * unit


class Stage:
    """One clip in the making.

    Attributes:
        t: float32 (T, 1, 1), seconds of the scene's own time: the clip's, times the speed.
        dx, dy: where the subject moves, each -1, 0 or 1; y upwards.
        turn: 1 anticlockwise, -1 clockwise, 0 neither.
        px: width of a pixel in world units.
        image: float32 (T, H, W, 3) in [0, 1], what is drawn so far.
    """

    def __init__(self, spec: SceneSpec, view: SceneView) -> None:
        self.spec, self.frames = spec, view.frames
        self.fine, self.without = view.fine, view.without
        self.rows, self.columns = view.shape
        self.half_x, self.half_y = view.halves
        self.rng = np.random.default_rng(spec.seed)
        numbers = np.arange(view.first, view.first + view.frames, dtype=np.float32)
        self.seconds = numbers / np.float32(view.frames_per_second)
        self.duration_s = view.whole / view.frames_per_second
        self.speed = SPEEDS[spec.speed]
        self.t = (self.seconds * np.float32(self.speed))[:, None, None]
        self.dx = {"left": -1, "right": 1}.get(spec.direction, 0)
        self.dy = {"down": -1, "up": 1}.get(spec.direction, 0)
        self.turn = {"clockwise": -1, "counterclockwise": 1}.get(spec.direction, 0)
        self.px = 2.0 * self.half_y / self.rows
        self.main = get_rgb(spec.colour)
        across, down = (f32((np.arange(count) + 0.5) / count * 2 - 1) for count in (self.columns, self.rows))
        self._x, self._y = self.half_x * across[None, None, :], -self.half_y * down[None, :, None]
        middle = self.seconds[:, None, None] - np.float32(self.duration_s / 2)
        self._pan = f32(PAN_PER_S) * middle * {"pan left": -1, "pan right": 1}.get(spec.camera, 0)
        self._zoom = np.exp(f32(ZOOM_PER_S) * middle * {"zoom out": -1, "zoom in": 1}.get(spec.camera, 0))
        if view.camera is not None:
            self._zoom, self._pan = (f32(each)[:, None, None] for each in view.camera)
        self.image = np.zeros((self.frames, self.rows, self.columns, 3), np.float32)
        self.events: list[SceneEvent] = []

    def locate(self, depth: float = 1.0) -> tuple[Array, Array]:
        """Return the world places of the pixels of a layer: x (T, 1, W), y (T, H, 1)."""
        zoom = self._zoom ** np.float32(depth)
        return self._x / zoom + self._pan * np.float32(depth), self._y / zoom

    def at_rest(self) -> Stage:
        """Return a stage of one frame for what stands still before a still camera, else this one."""
        if self.frames == 1 or np.ptp(self._zoom) or np.ptp(self._pan):
            return self
        still = copy(self)
        still.frames, still.t, still.seconds = 1, self.t[:1] * 0, self.seconds[:1] * 0
        still._zoom, still._pan = self._zoom[:1], self._pan[:1]
        still.image = np.zeros((1, *self.image.shape[1:]), np.float32)
        return still

    def view(self) -> tuple[Array, Array]:
        """Return the zoom and the sideways place of the camera in each frame, float32 (T,) each, at depth 1."""
        zoom, pan = (np.broadcast_to(f32(each), (self.frames, 1, 1))[:, 0, 0] for each in (self._zoom, self._pan))
        return zoom, pan

    def fill(self, colour: Array) -> None:
        """Cover everything with (3,), or with an array that broadcasts to the image."""
        self.image[...] = colour

    def paint(self, colour: Array, mask: Array) -> None:
        """Lay a colour, (3,) or (T, H, W, 3), over the image where `mask` (broadcasts to T, H, W) is 1."""
        self.image += (colour - self.image) * mask[..., None]

    def light(self, colour: Array, amount: Array) -> None:
        """Add light of a colour (3,); amount broadcasts to (T, H, W)."""
        self.image += f32(colour) * amount[..., None]

    def mask_edge(self, distance: Array, soft: float = 1.0) -> Array:
        """Return the coverage of a shape from its signed distance (negative inside), soft over `soft` pixels."""
        return np.clip(np.float32(0.5) - distance * np.float32(1 / (self.px * soft)), 0, 1)

    def mask_disc(self, x: Array, y: Array, radius: Array | float, soft: float = 1.0) -> Array:
        """Return the coverage of a disc around x = y = 0."""
        return self.mask_edge(np.sqrt(x * x + y * y) - radius, soft)

    def mask_box(self, x: Array, y: Array, half_width: Array | float, half_height: Array | float) -> Array:
        """Return the coverage of a box around x = y = 0."""
        return self.mask_edge(np.abs(x) - half_width) * self.mask_edge(np.abs(y) - half_height)

    def render_glow(
        self,
        x: Array,
        y: Array,
        radius: Array | float,
        amount: Array | float,
        colours: Array,
        depth: float = 1.0,
    ) -> Array:
        """Render the light of many soft dots: Gaussians are separable, so that all dots are one matrix product a frame.

        Args:
            x, y: (T, N) centres; radius, amount: broadcastable to (T, N); colours: (3,) or (N, 3).

        Returns:
            float32 (T, H, W, 3).
        """
        at_x, at_y = self.locate(depth)
        shape = np.broadcast_shapes(np.shape(x), np.shape(y), (self.frames, 1))
        width = np.broadcast_to(np.maximum(f32(radius), self.px * 0.45), shape)[:, None, :]
        # a dot smaller than a pixel is drawn as wide as one, and as much fainter
        faint = (np.broadcast_to(f32(radius), shape) / width[:, 0, :]) ** 2 * np.broadcast_to(f32(amount), shape)
        x, y = np.broadcast_to(f32(x), shape)[:, None, :], np.broadcast_to(f32(y), shape)[:, None, :]
        columns = np.exp(-(((at_x.transpose(0, 2, 1) - x) / width) ** 2))  # (T, W, N)
        rows = np.exp(-(((at_y - y) / width) ** 2)) * faint[:, None, :]  # (T, H, N)
        colours = np.broadcast_to(f32(colours), (shape[1], 3))
        tinted = columns[:, :, None, :] * colours.T[None, None]  # (T, W, 3, N)
        flat = tinted.reshape(self.frames, self.columns * 3, shape[1])
        return (rows @ flat.transpose(0, 2, 1)).reshape(self.frames, self.rows, self.columns, 3)

    def draw_stars(self, count: int = 60, below: float = -1.0, amount: float = 0.9) -> None:
        """Draw twinkling stars above the height `below`."""
        rng = self.rng
        x, y = rng.uniform(-1.2, 1.2, count), rng.uniform(below, 1.15, count)
        size, phase = rng.uniform(0.006, 0.02, count), rng.uniform(0, 6.28, count)
        if self.fine:  # many are faint, few bright
            size = 0.0035 + 0.008 * ((size - 0.006) / 0.014) ** 4
        twinkle = 0.75 + 0.25 * np.sin(self.t[:, :, 0] * rng.uniform(1.5, 4, count) + phase)
        tint = f32(rng.uniform(0.75, 1.0, (count, 3)))
        self.image += self.render_glow(f32(x)[None], f32(y)[None], f32(size), f32(amount * twinkle), tint, depth=0.15)

    def reflect(self, horizon: float, tint: Array, strength: float = 0.6, sway: float = 0.02) -> None:
        """Mirror what is above a height into the water below it, darker, with small waves."""
        row = round((self.half_y - horizon) / (2 * self.half_y) * self.rows)
        depth = self.rows - row
        if depth <= 0 or row <= 0:
            return
        source = np.clip(row - 1 - np.arange(depth), 0, self.rows - 1)
        rows = (np.arange(depth, dtype=np.float32) + 0.5)[None] * np.float32(self.half_y / self.rows)
        wave = np.sin(90 * rows**0.7 + 5 * self.t[:, :, 0]) * (0.3 + 3 * rows) * np.float32(sway / self.px)
        columns = np.clip(np.arange(self.columns)[None, None] + wave[..., None], 0, self.columns - 1).astype(np.int32)
        mirrored = self.image[np.arange(self.frames)[:, None, None], source[None, :, None], columns]
        shade = f32(strength) * (1 - 0.5 * rows[..., None, None])
        self.image[:, row:] = mirrored * shade + f32(tint) * (1 - shade)

    def draw_moments(self, low: float, high: float, count: int, lead: float) -> tuple[Array, float]:
        """Draw moments of the scene's own time, gaps from `low` to `high` apart, the first `lead` early.

        Returns:
            They, (count,), and the period after which they come again.
        """
        whole = np.cumsum(self.rng.uniform(low, high, count))
        return whole - lead, float(whole[-1])

    def find_age(self, moment: float, period: float, before: float = 0.0) -> Array:
        """Find the time (T, 1, 1) since a moment that comes again each period, from `before` ahead of it."""
        age = self.t - np.float32(moment)
        return age - f32(period) * np.maximum(np.floor((age + before) / period), 0)

    def bring_back(self, x: Array, half: float, depth: float = 1.0) -> Array:
        """Bring what is `half` to one side of the camera back in on the other; nearer, places (T, 1, 1) stay."""
        return x - f32(2 * half) * np.floor((x - self._pan * np.float32(depth) + half) / f32(2 * half))

    def record_event(
        self, kind: str, scene_time: float, strength: float = 1.0, x: float = 0.0, period: float = 0.0
    ) -> None:
        """Record an event at a moment of the scene's own time, and each period after it, if it falls into the clip."""
        moments = np.arange(scene_time, self.duration_s * self.speed, period) if period else (scene_time,)
        for moment in moments:
            time_s = moment / self.speed
            if 0 <= time_s < self.duration_s:
                self.events.append(
                    SceneEvent(kind, float(time_s), float(np.clip(strength, 0, 1)), float(np.clip(x, -1, 1)))
                )

    def finish(self) -> np.ndarray:
        """Return uint8 (T, H, W, 3): bright light is rolled off softly, corners are a little darker."""
        image = np.maximum(self.image, 0)
        over = np.maximum(image - np.float32(0.82), 0)
        image = np.minimum(image, np.float32(0.82)) + over / (1 + over * np.float32(1 / 0.18))
        vignette = 1 - np.float32(0.10) * ((self._x / self.half_x) ** 2 + (self._y / self.half_y) ** 2)
        image *= (vignette * np.float32(255))[..., None]
        return (image + np.float32(0.5)).astype(np.uint8)
