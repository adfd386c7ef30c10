"""Named things laid over the frames of a scene: where each stands, how large, how it moves, in which light.

Everything follows from the staging, the seed and the time of a frame, so that the same clip at another size or rate of
frames shows the same. What is laid takes the scene's light and colour, and casts a soft shadow where it stands.

World: y from -1 (bottom) to 1 (top), x in the same units. Letters: F frames of R x S pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.cutouts import Cutout, CutoutPack, lay_over, tint, trim
from models.video.scene_spec import SPEEDS
from models.video.staging import Setting, Staging
from models.video.thing_motion import ALOFT, ThingPath, find_path
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import UNGROUNDED

MOST = 6
SIZES = {"small": 0.62, "large": 1.4}
PAN_PER_S, ZOOM_PER_S = 0.14, 0.10
LIGHTS = {"space": 0.92, "depth": 0.8, "starfield": 0.92, "city": 0.72}  # the least light there is
FLOORS = {
    "sand": (0.89, 0.77, 0.55),
    "road": (0.36, 0.37, 0.40),
    "dust": (0.58, 0.58, 0.60),
}

Array = NDArray[np.floating[Any]]
Frames = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Actor:
    """One cut-out on its way.

    Attributes:
        picture: float32 (R, S, 4); tall: its height in world units.
        path: over the frames; feet: of its ground.
        shadow: whether it stands on something.
        bust: whether it is cut off below, and so stands at the picture's edge.
    """

    picture: Array
    tall: float
    path: ThingPath
    feet: float
    shadow: bool
    bust: bool = False


def compose(
    frames: Frames, rate: float, staging: Staging, pack: CutoutPack, seed: int, length_s: float, loop: bool = False
) -> Frames:
    """Lay the things of a staging over frames uint8 (F, R, S, 3), `rate` a second, of a clip of `length_s`."""
    count, rows, columns = frames.shape[:3]
    times = (np.arange(count) / rate).astype(np.float32)
    actors = cast_actors(staging, pack, seed, times, length_s, columns / rows, loop)
    light = find_light(frames, staging.setting)
    floor = draw_floor(staging.setting, rows, columns, seed)
    zooms, pans = find_view(staging.things.camera, times, length_s)
    top = rows
    if floor is not None:
        top = int(np.argmax(floor[..., 3].max(axis=1) > 0))
        laid, kept = floor[top:, :, :3] * light * floor[top:, :, 3:], 1 - floor[top:, :, 3:]
    made = np.empty_like(frames)
    for number, frame in enumerate(frames):
        image = frame.astype(np.float32) / 255
        if floor is not None:
            image[top:] = image[top:] * kept + laid
        for actor in actors:
            _draw_actor(image, actor, number, float(zooms[number]), float(pans[number]), light)
        made[number] = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    return made


def find_view(camera: str, times: Array, length: float) -> tuple[Array, Array]:
    """Find the camera's zoom and sideways place at the times (F,)."""
    middle = times - np.float32(length / 2)
    zooms = np.exp(ZOOM_PER_S * middle * {"zoom out": -1, "zoom in": 1}.get(camera, 0))
    return zooms, PAN_PER_S * middle * {"pan left": -1, "pan right": 1}.get(camera, 0)


def find_light(frames: Frames, setting: Setting) -> Array:
    """Find the light (3,) that falls on things: as bright and as coloured as the scene, both less so."""
    mean = frames[:: max(1, len(frames) // 8)].reshape(-1, 3).mean(axis=0) / 255
    bright = float(mean @ np.array((0.3, 0.59, 0.11)))
    cast = mean / max(bright, 1e-3)
    least = max(LIGHTS.get(setting.medium, 0.0), LIGHTS.get(setting.kind, 0.0))
    level = max(0.46 + 0.54 * min(1.0, bright / 0.42), least)
    share = 0.30 if setting.medium != "space" else 0.1
    return np.asarray(level * (1 + share * (np.clip(cast, 0.4, 1.8) - 1)), np.float32)


def draw_floor(setting: Setting, rows: int, columns: int, seed: int) -> Array | None:
    """Draw what is laid under the feet, float32 (R, S, 4) in [0, 1]; None where the scene has ground itself."""
    if setting.floor not in FLOORS:
        return None
    import cv2

    rng = np.random.default_rng(seed + 77)
    y: Array = 1 - (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / rows * 2
    x = ((np.arange(columns, dtype=np.float32)[None] + 0.5) / columns * 2 - 1) * columns / rows
    horizon = setting.feet + 0.34
    bend = 0.03 * np.sin(2.1 * x + float(rng.uniform(0, 6))) if setting.floor != "road" else 0 * x
    below = np.maximum(horizon + bend - y, 0)
    far = 1 / (below + 0.16)
    grain = np.zeros((rows, columns), np.float32)
    for blur, each in ((1.0, 9.0), (2.2, 5.0)):
        across, along = (
            np.asarray((x * far * each) % 96, np.float32),
            np.asarray((far * each * 3 + 0 * x) % 96, np.float32),
        )
        grain += cv2.remap(_draw_noise(rng, blur), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) / 2
    depth = {"sand": 0.035, "road": 0.02, "dust": 0.055}[setting.floor]
    tone = 0.86 + 0.22 * np.minimum(below / 0.6, 1) + depth * grain
    colour = np.asarray(FLOORS[setting.floor], np.float32) * tone[..., None]
    if setting.floor == "road":
        dash = np.abs(y - (setting.feet - 0.10)) < 0.012
        colour[dash & (np.sin(x * 9) > 0)] = 0.92
    edge = 2.5 / rows
    mask = np.clip((horizon + bend - y) / max(edge, 0.02), 0, 1)
    if setting.floor == "sand":  # foam where the sea ends
        foam = np.exp(-(((horizon + bend - y) / 0.018) ** 2))
        colour += (np.float32(0.97) - colour) * (0.8 * foam)[..., None]
    return np.concatenate([np.clip(colour, 0, 1), mask[..., None]], axis=2).astype(np.float32)


def _draw_noise(rng: np.random.Generator, blur: float, side: int = 96) -> Array:
    """Draw soft noise (side, side) of deviation 1 that goes on over its borders."""
    import cv2

    rough = np.pad(rng.normal(size=(side, side)).astype(np.float32), 12, mode="wrap")
    soft = cv2.GaussianBlur(rough, (0, 0), blur)[12:-12, 12:-12]
    return np.asarray(soft / soft.std(), np.float32)


def cast_actors(
    staging: Staging, pack: CutoutPack, seed: int, times: Array, length: float, half: float, loop: bool
) -> list[Actor]:
    """Give every thing its place, size and path; the farthest comes first."""
    things, setting = staging.things, staging.setting
    rng = np.random.default_rng(seed)
    clock = times * np.float32(SPEEDS[things.speed])
    scene = _Scene(setting, clock, length * SPEEDS[things.speed] if loop else 0.0, half)
    first = pack.things[things.thing]
    if not things.other:
        return _cast_several(scene, pack, first, things, things.count, rng)
    other = pack.things[things.other]
    if other.kind == "sky" and first.kind != "sky":
        backdrop = _hang(scene, _dress(pack, other, things.other_colour, replace(things, direction=""), "stand"), other)
        return [backdrop, *_cast_several(scene, pack, first, things, things.count, rng)]
    if things.relation == "riding":
        return _cast_rider(scene, pack, first, other, things, rng)
    if things.relation == "holding" and first.kind in {"animal", "person"} and other.size < 0.5:
        return _cast_holder(scene, pack, first, other, things, rng)
    return _cast_pair(scene, pack, first, other, things, rng)


@dataclass(frozen=True, eq=False)
class _Scene:
    """What all paths of a clip have in common."""

    setting: Setting
    clock: Array
    loop_s: float
    half: float

    def act(
        self,
        picture: Array,
        thing: Cutout,
        things: ThingPrompt,
        act: str,
        rng: np.random.Generator,
        tall: float,
        shift: float = 0.0,
        back: float = 0.0,
        delay_s: float = 0.0,
    ) -> Actor:
        """Let a thing act, `shift` to the right of the middle and `back` up the ground."""
        tall = _fit(picture, tall)
        bust = thing.pose == "bust" and act in {"walk", "stand", "hop", "dance", "grow", "drive", "swim"}
        grounded = self.setting.medium == "ground" and act not in UNGROUNDED
        feet = -1.06 if bust else self.setting.feet + back
        if bust:
            act = {"drive": "walk", "swim": "walk"}.get(act, act)
        path = find_path(
            act, things.direction, self.clock + np.float32(delay_s), rng, tall, feet, self.half, self.loop_s
        )
        if self.setting.medium in {"space", "depth", "air"} and act in {"fly", "swim"}:
            middle = 0.0 if self.setting.medium != "air" else 0.05
            path = replace(path, y=path.y - path.y.mean() + np.float32(middle + back * 2))
        far = self.half + 0.62 * tall
        x = path.x + np.float32(shift)
        x = (x + np.float32(far)) % np.float32(2 * far) - np.float32(far) if things.direction and not self.loop_s else x
        return Actor(picture, tall, replace(path, x=x), feet, grounded and not bust, bust)


def _size_of(thing: Cutout, word: str, room: float = 1.0) -> float:
    """Return the height of a thing in world units; busts are near the eye."""
    return min(2 * thing.size * SIZES.get(word, 1.0) * room, 1.9)


def _fit(picture: Array, tall: float) -> float:
    """Return the height in world units of a picture that may be so tall, or 1.25 times as wide."""
    high, wide = picture.shape[:2]
    return tall * high / max(high, wide * 0.8)


def _dress(pack: CutoutPack, thing: Cutout, colour: str, things: ThingPrompt, act: str) -> Array:
    """Return the picture of a thing in its colour, level, looking where it goes."""
    picture = pack.load(thing.name)
    if colour:
        picture = tint(picture, colour)
    if thing.pose == "bust" and act in ALOFT:  # where no edge hides that it ends there
        below = np.linspace(1, 0, picture.shape[0], dtype=np.float32)
        picture = picture * np.clip(below / 0.22, 0, 1)[:, None, None]
    if thing.tilt and act != "spin":
        turn = thing.tilt + (90 if thing.faces == "right" and act == "rise" and thing.tilt < 0 else 0)
        picture = _turn(picture, turn)
    wants = things.direction if things.direction in {"left", "right"} else thing.faces
    if thing.name == "rocket" and act != "rise" and things.direction in {"left", "right"}:
        picture = _turn(picture, -90.0)
    return np.ascontiguousarray(picture[:, ::-1]) if wants != thing.faces else picture


def _turn(picture: Array, degrees: float) -> Array:
    """Turn a picture (R, S, 4) anticlockwise, in a frame that holds all of it."""
    import cv2

    side = int(np.ceil(np.hypot(*picture.shape[:2])))
    matrix = cv2.getRotationMatrix2D(((picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2), degrees, 1.0)
    matrix[:, 2] += (side - picture.shape[1]) / 2, (side - picture.shape[0]) / 2
    turned: Any = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return trim(turned)


def _cast_several(
    scene: _Scene, pack: CutoutPack, thing: Cutout, things: ThingPrompt, count: int, rng: np.random.Generator
) -> list[Actor]:
    """Spread a number of equal things over the picture, those behind smaller."""
    count = min(count, MOST)
    room = (1.0, 0.84, 0.72, 0.62, 0.56, 0.52)[count - 1]
    tall = _size_of(thing, things.size, room)
    picture = _dress(pack, thing, things.colour, things, things.act)
    places = np.linspace(-1, 1, count) * scene.half * (0.5 if count == 2 else 0.66) if count > 1 else np.zeros(1)
    actors = []
    for number, place in enumerate(places):
        back = 0.0 if count == 1 else (0.10 if number % 2 == 0 else 0.0)
        own = tall * (1 - 0.9 * back)
        actors.append(scene.act(picture, thing, things, things.act, rng, own, float(place), back, 0.37 * number))
    return sorted(actors, key=lambda actor: -actor.feet)


def _hang(scene: _Scene, picture: Array, thing: Cutout) -> Actor:
    """Hang a thing in the sky behind all others, where it stays."""
    zero = np.zeros_like(scene.clock)
    tall = _size_of(thing, "", 1.0 if thing.name == "rainbow" else 0.6)
    tall = _fit(picture, tall)
    wide = tall * picture.shape[1] / picture.shape[0]
    x, y = (scene.half - wide / 2, tall / 2 - 0.5) if thing.name == "rainbow" else (0.5 * scene.half, 0.55)
    return Actor(picture, tall, ThingPath(zero + x, zero + y, zero, zero + 1, zero + 1, zero), 0.0, False)


def _cast_pair(
    scene: _Scene, pack: CutoutPack, first: Cutout, other: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put two things beside each other; what stands of itself stands."""
    stays = other.act == "stand" and first.act != "stand"
    act = "stand" if stays and scene.setting.medium == "ground" else things.act
    still = replace(things, direction="") if act == "stand" else things
    room = 1.0 if other.size > 0.55 or first.size > 0.55 else 0.86
    behind = 0.12 if other.size >= first.size else 0.0
    apart = 0.44 * scene.half
    leads = -1.0 if things.direction == "right" else 1.0
    actors = [
        scene.act(
            _dress(pack, other, things.other_colour, still, act), other, still, act, rng,
            _size_of(other, things.other_size, room * (1 - behind)), leads * apart, behind, 0.4,
        ),
        scene.act(
            _dress(pack, first, things.colour, things, things.act), first, things, things.act, rng,
            _size_of(first, things.size, room), -leads * apart, 0.0 if behind else 0.05,
        ),
    ]  # fmt: skip
    return sorted(actors, key=lambda actor: -actor.feet)


def _cast_rider(
    scene: _Scene, pack: CutoutPack, rider: Cutout, mount: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put one thing on another: behind its back when it is a bust, on top when it is whole or small."""
    carried, low = rider.pose != "whole" or rider.kind == "person", mount.kind == "vehicle" and mount.size < 0.4
    below = scene.act(
        _dress(pack, mount, things.other_colour, things, things.act), mount, things, things.act, rng,
        _size_of(mount, things.other_size, 1.0 if low else 0.9),
    )  # fmt: skip
    tall, picture = below.tall, _dress(pack, rider, things.colour, things, "stand")
    size = _fit(picture, _size_of(rider, things.size))
    if not low:
        size = min(size, tall * (0.72 if carried else 0.8))
    sunk = 0.5 * tall if low else (0.16 if mount.kind == "animal" else 0.06) * tall + (0.40 if carried else 0.10) * size
    height, ahead = tall / 2 + size / 2 - sunk, (-0.05 if things.direction == "right" else 0.05) * tall
    path = below.path
    x = path.x - np.sin(path.angle) * np.float32(height) + np.float32(ahead)
    y = path.y + np.cos(path.angle) * np.float32(height)
    above = Actor(picture, size, replace(path, x=x, y=y, stretch=2 - path.stretch), below.feet, False)
    return [above, below] if carried and not low else [below, above]


def _cast_holder(
    scene: _Scene, pack: CutoutPack, first: Cutout, other: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put a thing into the hands of another, or before its feet."""
    tall = _size_of(first, things.size)
    holder = scene.act(_dress(pack, first, things.colour, things, things.act), first, things, things.act, rng, tall)
    still = replace(things, direction="")
    picture = _dress(pack, other, things.other_colour, still, "stand")
    tall, size = holder.tall, min(_fit(picture, _size_of(other, things.other_size)), 0.5 * holder.tall)
    ahead = (-1.0 if things.direction != "right" else 1.0) * (0.16 if holder.bust else 0.42) * tall
    down = -0.26 * tall if holder.bust or first.pose == "head" else -tall / 2 + size / 2
    path = holder.path
    swing = 0.05 * np.sin(np.arange(len(path.x), dtype=np.float32) * 0.4 * 24 / max(len(path.x), 24))
    held = replace(path, x=path.x + np.float32(ahead), y=path.y + np.float32(down), angle=path.angle + swing)
    shadow = holder.shadow and not holder.bust and first.pose != "head"
    return [holder, Actor(picture, size, held, holder.feet, shadow)]


def _draw_actor(image: Array, actor: Actor, number: int, zoom: float, pan: float, light: Array) -> None:
    """Draw an actor's shadow and the actor into one frame float32 (R, S, 3), in place."""
    rows, columns = image.shape[:2]
    path, unit = actor.path, rows / 2

    def locate(x: float, y: float) -> tuple[float, float]:
        return (x - pan) * zoom * unit + columns / 2 - 0.5, rows / 2 - y * zoom * unit - 0.5

    size = float(path.size[number]) * zoom
    high, wide = actor.picture.shape[:2]
    scale = actor.tall * size * unit / high
    stretch = float(path.stretch[number])
    x, y = float(path.x[number]), float(path.y[number])
    if actor.shadow:
        across, down = locate(x, actor.feet)
        lift = float(path.lift[number])
        fade = 1 / (1 + 6 * lift)
        down -= 0.04 * wide * scale
        _draw_shadow(image, across, down, 0.40 * wide * scale * (1 - 0.4 * min(lift, 1)), 0.42 * fade)
    lay_over(
        image, actor.picture, locate(x, y), (scale * (2 - stretch), scale * stretch), float(path.angle[number]), light
    )


def _draw_shadow(image: Array, across: float, down: float, half: float, dark: float) -> None:
    """Darken a soft ellipse of an image (R, S, 3), in place."""
    rows, columns = image.shape[:2]
    high = max(half * 0.20, 0.6)
    left, right = max(int(across - 2.2 * half), 0), min(int(across + 2.2 * half) + 2, columns)
    top, bottom = max(int(down - 3 * high), 0), min(int(down + 3 * high) + 2, rows)
    if right <= left or bottom <= top:
        return
    x = (np.arange(left, right, dtype=np.float32)[None] - across) / max(half, 0.6)
    y = (np.arange(top, bottom, dtype=np.float32)[:, None] - down) / high
    image[top:bottom, left:right] *= (1 - dark * np.exp(-((x**2 + y**2) ** 1.3)))[..., None].astype(np.float32)
