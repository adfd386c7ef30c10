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

from models.video.cutouts import Cutout, CutoutPack, lay_over
from models.video.dressing import prepare_picture
from models.video.ground import draw_floor, move_floor
from models.video.scene_spec import SPEEDS
from models.video.staging import Setting, Staging
from models.video.thing_motion import ThingPath, find_path
from models.video.thing_parsing import HANGING, ThingPrompt
from models.video.thing_words import UNGROUNDED
from models.video.weather import darken_night, let_fall

MOST = 6
SIZES = {"small": 0.62, "large": 1.4}
HATS = frozenset({"top hat", "sun hat", "cap", "graduation cap", "crown"})
PAN_PER_S, ZOOM_PER_S = 0.14, 0.10
LONGEST_MOVE_S, FARTHEST = 5.0, 0.1  # seconds; how far out the camera zooms, as a logarithm
ASIDE = 0.5 * PAN_PER_S * LONGEST_MOVE_S + 0.01  # how far to a side it goes
LIGHTS = {"space": 0.92, "depth": 0.8, "starfield": 0.92, "city": 0.72}  # the least light there is
INDOORS = np.full(3, 0.96, np.float32)
Array = NDArray[np.floating[Any]]
Frames = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Actor:
    """One cut-out on its way.

    Attributes:
        pictures: float32 (R, S, 4) each, of its steps or one; tall: their height in world units.
        path: over the frames; feet: of its ground.
        shadow: whether it stands on something.
    """

    pictures: tuple[Array, ...]
    tall: float
    path: ThingPath
    feet: float
    shadow: bool


def compose(
    frames: Frames,
    rate: float,
    staging: Staging,
    pack: CutoutPack,
    seed: int,
    length_s: float,
    loop: bool = False,
    out: Frames | None = None,
) -> Frames:
    """Lay the things of a staging over frames uint8 (F, R, S, 3), `rate` a second; `out` may be these frames."""
    count, rows, columns = frames.shape[:3]
    times = (np.arange(count) / rate).astype(np.float32)
    frames = darken_night(frames) if staging.scene.time == "night" else frames
    play = Play(staging, pack, seed, times, length_s, (rows, columns), loop)
    light = find_light(frames, staging.setting)
    made = np.empty_like(frames) if out is None else out
    for number, frame in enumerate(frames):
        made[number] = play.lay(frame, number, light)
    return made


class Play:
    """The things of a staging at given times, to be laid over frames one by one."""

    def __init__(
        self,
        staging: Staging,
        pack: CutoutPack,
        seed: int,
        times: Array,
        length_s: float,
        shape: tuple[int, int],
        loop: bool = False,
    ) -> None:
        """Give all things their paths over the times (F,), for frames of this shape (R, S)."""
        rows, columns = shape
        self.weather, self.seed, self.times = staging.weather, seed, times
        self.loop_s = length_s if loop else 0.0
        self.actors = cast_actors(staging, pack, seed, times, length_s, columns / rows, loop)
        self.zooms, self.pans = find_view("still" if loop else staging.things.camera, times, length_s)
        self.moves = bool(np.ptp(self.zooms) or np.ptp(self.pans))
        margin = round(rows / 2 * ASIDE + columns / 2 * (np.exp(FARTHEST) - 1)) + 1 if self.moves else 0
        self.floor = draw_floor(staging.setting, rows, columns, seed, margin)
        self.top = rows if self.floor is None else int(np.argmax(self.floor[..., 3].max(axis=1) > 0))

    def lay(self, frame: NDArray[np.uint8], number: int, light: Array) -> NDArray[np.uint8]:
        """Lay all over one frame uint8 (R, S, 3), the `number`th of the times, in a light (3,)."""
        image = frame.astype(np.float32) / 255
        if self.floor is not None and self.moves:
            floor = move_floor(self.floor, image.shape[:2], float(self.zooms[number]), float(self.pans[number]))
            image += (floor[..., :3] * light - image) * floor[..., 3:]
        elif self.floor is not None:
            floor = self.floor[self.top :]
            image[self.top :] += (floor[..., :3] * light - image[self.top :]) * floor[..., 3:]
        for actor in self.actors:
            _draw_actor(image, actor, number, float(self.zooms[number]), float(self.pans[number]), light)
        if self.weather:
            let_fall(image, self.weather, float(self.times[number]), self.seed, self.loop_s)
        return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def find_view(camera: str, times: Array, length: float) -> tuple[Array, Array]:
    """Find the camera's zoom and sideways place at the times (F,).

    In a long clip it moves as far as in one of LONGEST_MOVE_S, slower, and it zooms out to no more than it does in a
    short one: beyond is nothing to see.
    """
    moved_s = min(length, LONGEST_MOVE_S)
    middle = (times - np.float32(length / 2)) * np.float32(moved_s / length)
    nearer = max(0.0, ZOOM_PER_S * moved_s / 2 - FARTHEST)
    way = {"zoom out": -1, "zoom in": 1}.get(camera, 0)
    zooms = np.exp(ZOOM_PER_S * middle * way + np.float32(nearer * abs(way)))
    return zooms, PAN_PER_S * middle * {"pan left": -1, "pan right": 1}.get(camera, 0)


def find_light(frames: Frames, setting: Setting) -> Array:
    """Find the light (3,) that falls on things: as bright and as coloured as the scene, both less so."""
    if setting.floor == "room":
        return INDOORS
    mean = frames[:: max(1, len(frames) // 8)].reshape(-1, 3).mean(axis=0) / 255
    bright = float(mean @ np.array((0.3, 0.59, 0.11)))
    cast = mean / max(bright, 1e-3)
    least = max(LIGHTS.get(setting.medium, 0.0), LIGHTS.get(setting.kind, 0.0))
    level = max(0.46 + 0.54 * min(1.0, bright / 0.42), least)
    share = 0.30 if setting.medium != "space" else 0.1
    return np.asarray(level * (1 + share * (np.clip(cast, 0.4, 1.8) - 1)), np.float32)


def cast_actors(
    staging: Staging, pack: CutoutPack, seed: int, times: Array, length: float, half: float, loop: bool
) -> list[Actor]:
    """Give every thing its place, size and path; the farthest comes first."""
    things, setting = staging.things, staging.setting
    rng = np.random.default_rng(seed)
    clock = times * np.float32(SPEEDS[things.speed])
    scene = _Scene(setting, clock, length * SPEEDS[things.speed] if loop else 0.0, half)
    first = pack.things[things.thing]
    if first.name in HANGING and things.act == "stand" and not things.other:
        return [_hang(scene, _dress(scene, pack, first, things.colour, things, "stand"), first)]
    if not things.other:
        return _cast_several(scene, pack, first, things, things.count, rng)
    other = pack.things[things.other]
    if first.name in HANGING and scene.setting.medium != "space":
        things, first, other = replace(things, thing=things.other, other=things.thing), other, first
    if other.kind == "sky" and first.kind != "sky":
        backdrop = _hang(
            scene, _dress(scene, pack, other, things.other_colour, replace(things, direction=""), "stand"), other
        )
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
        pictures: tuple[Array, ...],
        things: ThingPrompt,
        act: str,
        rng: np.random.Generator,
        tall: float,
        shift: float = 0.0,
        back: float = 0.0,
        delay_s: float = 0.0,
    ) -> Actor:
        """Let a thing act, `shift` to the right of the middle and `back` up the ground."""
        tall = _fit(pictures[0], tall)
        grounded = self.setting.medium == "ground" and act not in UNGROUNDED
        feet = self.setting.feet + back
        path = find_path(
            act, things.direction, self.clock + np.float32(delay_s), rng, tall, feet, self.half, self.loop_s
        )
        if self.setting.medium in {"space", "depth", "air"} and act in {"fly", "swim"}:
            middle = 0.0 if self.setting.medium != "air" else 0.05
            path = replace(path, y=path.y - path.y.mean() + np.float32(middle + back * 2))
        far = self.half + 0.62 * tall
        x = path.x + np.float32(shift)
        x = (x + np.float32(far)) % np.float32(2 * far) - np.float32(far) if things.direction and not self.loop_s else x
        return Actor(pictures, tall, replace(path, x=x), feet, grounded)

    def size_of(self, thing: Cutout, word: str, room: float = 1.0) -> float:
        """Return the height of a thing in world units, smaller where the picture is narrow."""
        return min(2 * thing.size * SIZES.get(word, 1.0) * room, 1.9) * min(1.0, self.half) ** 0.5

    def find_reach(self, pictures: tuple[Array, ...], tall: float) -> float:
        """Return how far to one side a thing can stand and be seen whole, however the dice fall."""
        high, wide = pictures[0].shape[:2]
        return max(0.0, self.half - 0.12 - _fit(pictures[0], tall) * wide / high / 2)


def _fit(picture: Array, tall: float) -> float:
    """Return the height in world units of a picture that may be so tall, or 1.25 times as wide."""
    high, wide = picture.shape[:2]
    return tall * high / max(high, wide * 0.8)


def _dress(
    scene: _Scene, pack: CutoutPack, thing: Cutout, colour: str, things: ThingPrompt, act: str
) -> tuple[Array, ...]:
    """Return the pictures of a thing in its colour, level, looking where it goes."""
    pose = "run" if act == "walk" and things.speed == "fast" else act
    whole = pack.load_whole(thing.name, pose, act in {"walk", "dance"})
    return tuple(prepare_picture(picture, thing, colour, things, act, scene.setting.medium) for picture in whole)


def _cast_several(
    scene: _Scene, pack: CutoutPack, thing: Cutout, things: ThingPrompt, count: int, rng: np.random.Generator
) -> list[Actor]:
    """Spread a number of equal things over the picture, those behind smaller."""
    count = min(count, MOST)
    room = (1.0, 0.84, 0.72, 0.62, 0.56, 0.52)[count - 1]
    tall = scene.size_of(thing, things.size, room)
    pictures = _dress(scene, pack, thing, things.colour, things, things.act)
    spread = min(scene.half * (0.5 if count == 2 else 0.66), scene.find_reach(pictures, tall))
    places = np.linspace(-1, 1, count) * spread if count > 1 else np.zeros(1)
    actors = []
    for number, place in enumerate(places):
        back = 0.0 if count == 1 else (0.10 if number % 2 == 0 else 0.0)
        own = tall * (1 - 0.9 * back)
        actors.append(scene.act(pictures, things, things.act, rng, own, float(place), back, 0.37 * number))
    return sorted(actors, key=lambda actor: -actor.feet)


def _hang(scene: _Scene, pictures: tuple[Array, ...], thing: Cutout) -> Actor:
    """Hang a thing in the sky behind all others, where it stays."""
    zero = np.zeros_like(scene.clock)
    tall = scene.size_of(thing, "", 1.0 if thing.name == "rainbow" else 0.6)
    tall = _fit(pictures[0], tall)
    wide = tall * pictures[0].shape[1] / pictures[0].shape[0]
    x, y = (scene.half - wide / 2, tall / 2 - 0.5) if thing.name == "rainbow" else (0.5 * scene.half, 0.55)
    return Actor(pictures, tall, ThingPath(zero + x, zero + y, zero, zero + 1, zero + 1, zero, zero), 0.0, False)


def _cast_pair(
    scene: _Scene, pack: CutoutPack, first: Cutout, other: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put two things beside each other; what stands of itself stands."""
    stays = other.act == "stand" and things.act != "stand" and things.relation != "and"
    act = "stand" if stays and scene.setting.medium in {"ground", "air"} else things.act
    still = replace(things, direction="") if act == "stand" else things
    room = 1.0 if other.size > 0.55 or first.size > 0.55 else 0.86
    behind = 0.12 if other.size >= first.size else 0.0
    leads = -1.0 if (things.direction == "right") != (things.relation == "chasing") else 1.0
    beside, pictures = (
        _dress(scene, pack, other, things.other_colour, still, act),
        _dress(scene, pack, first, things.colour, things, things.act),
    )
    tall, own = scene.size_of(other, things.other_size, room * (1 - behind)), scene.size_of(first, things.size, room)
    reaches = scene.find_reach(beside, tall), scene.find_reach(pictures, own)
    apart = 0.44 * scene.half
    far = min(apart, reaches[0])
    near = min(2 * apart - far, reaches[1])  # the small one makes room for the large one
    actors = [
        scene.act(beside, still, act, rng, tall, leads * far, behind, 0.4),
        scene.act(pictures, things, things.act, rng, own, -leads * near, 0.0 if behind else 0.05),
    ]
    return sorted(actors, key=lambda actor: -actor.feet)


def _cast_rider(
    scene: _Scene, pack: CutoutPack, rider: Cutout, mount: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put one thing on another: behind its back when it is a bust, on top when it is whole or small."""
    if mount.name in rider.poses:  # one picture shows both
        both = tuple(
            prepare_picture(each, rider, things.colour, things, things.act)
            for each in pack.load_whole(rider.name, mount.name)
        )
        return [scene.act(both, things, things.act, rng, scene.size_of(rider, things.size))]
    carried, low = rider.pose == "bust" or rider.kind == "person", mount.kind == "vehicle" and mount.size < 0.4
    below = scene.act(
        _dress(scene, pack, mount, things.other_colour, things, things.act), things, things.act, rng,
        scene.size_of(mount, things.other_size, 1.0 if low else 0.9),
    )  # fmt: skip
    tall, pictures = below.tall, _dress(scene, pack, rider, things.colour, things, "stand")
    if rider.pose == "bust" and not low:  # its legs are behind what it rides
        pictures = (prepare_picture(pack.load(rider.name), rider, things.colour, things, "stand"),)
    size = _fit(pictures[0], scene.size_of(rider, things.size))
    if not low:
        size = min(size, tall * (0.72 if carried else 0.8))
    sunk = 0.5 * tall if low else (0.16 if mount.kind == "animal" else 0.06) * tall + (0.40 if carried else 0.10) * size
    height, ahead = tall / 2 + size / 2 - sunk, (-0.05 if things.direction == "right" else 0.05) * tall
    if mount.home == "room":  # furniture is sat on at its seat
        height, ahead = size / 2 - 0.08 * tall, -0.12 * tall
    path = below.path
    x = path.x - np.sin(path.angle) * np.float32(height) + np.float32(ahead)
    y = path.y + np.cos(path.angle) * np.float32(height)
    above = Actor(pictures, size, replace(path, x=x, y=y, stretch=2 - path.stretch), below.feet, False)
    return [above, below] if carried and not low else [below, above]


def _cast_holder(
    scene: _Scene, pack: CutoutPack, first: Cutout, other: Cutout, things: ThingPrompt, rng: np.random.Generator
) -> list[Actor]:
    """Put a thing into the hands of another, or before its feet; among several it lies in front of them."""
    if things.count > 1:
        team = _cast_several(scene, pack, first, things, things.count, rng)
        still = replace(things, direction="")
        shared = _dress(scene, pack, other, things.other_colour, still, "stand")
        return [
            *team,
            scene.act(shared, things, other.act, rng, scene.size_of(other, things.other_size, 0.7), 0.1, -0.1),
        ]
    tall = scene.size_of(first, things.size)
    holder = scene.act(_dress(scene, pack, first, things.colour, things, things.act), things, things.act, rng, tall)
    still = replace(things, direction="")
    pictures = _dress(scene, pack, other, things.other_colour, still, "stand")
    tall, size = holder.tall, min(_fit(pictures[0], scene.size_of(other, things.other_size)), 0.42 * holder.tall)
    if other.name in HATS:
        return [holder, _put_on(holder, pictures[:1], things.direction == "right")]
    high, wide = holder.pictures[0].shape[:2]
    is_upright = wide < 0.8 * high
    ahead = (-1.0 if things.direction != "right" else 1.0) * (0.30 if is_upright else 0.48) * tall * wide / high
    down = -0.12 * tall if is_upright and other.kind != "sport" else -tall / 2 + size / 2
    path = holder.path
    swing = 0.05 * np.sin(np.arange(len(path.x), dtype=np.float32) * 0.4 * 24 / max(len(path.x), 24))
    held = replace(path, x=path.x + np.float32(ahead), y=path.y + np.float32(down), angle=path.angle + swing)
    return [holder, Actor(pictures, size, held, holder.feet, holder.shadow and not is_upright)]


def _put_on(wearer: Actor, hat: tuple[Array, ...], faces_right: bool) -> Actor:
    """Put a hat on a head: that of one who stands upright is in the middle, that of an animal where it looks to."""
    seen = wearer.pictures[0][..., 3] > 0.5
    high, wide = seen.shape
    side = slice(0, wide) if wide < 0.8 * high else slice(wide // 2, wide) if faces_right else slice(0, wide // 2)
    rows = np.nonzero(seen[:, side].any(axis=1))[0]
    brow = int(rows[0]) + round(0.13 * high)
    columns = np.nonzero(seen[int(rows[0]) : brow, side].any(axis=0))[0] + side.start
    scale = wearer.tall / high
    broad = max(float(columns[-1] - columns[0] + 1) * 1.15, 0.55 * (side.stop - side.start)) * scale
    tall = broad * hat[0].shape[0] / hat[0].shape[1]
    across = (float(columns.mean()) - wide / 2) * scale
    up = (high / 2 - float(rows[0]) - 0.07 * high) * scale + tall / 2
    path = wearer.path
    x = path.x + np.cos(path.angle) * np.float32(across) - np.sin(path.angle) * np.float32(up)
    y = path.y + np.sin(path.angle) * np.float32(across) + np.cos(path.angle) * np.float32(up) * path.stretch
    return Actor(hat, tall, replace(path, x=x, y=y), wearer.feet, False)


def _draw_actor(image: Array, actor: Actor, number: int, zoom: float, pan: float, light: Array) -> None:
    """Draw an actor's shadow and the actor into one frame float32 (R, S, 3), in place."""
    rows, columns = image.shape[:2]
    path, unit = actor.path, rows / 2

    def locate(x: float, y: float) -> tuple[float, float]:
        return (x - pan) * zoom * unit + columns / 2 - 0.5, rows / 2 - y * zoom * unit - 0.5

    size = float(path.size[number]) * zoom
    picture = actor.pictures[int(np.floor(path.phase[number] % 1 * len(actor.pictures))) % len(actor.pictures)]
    high, wide = picture.shape[:2]
    scale = actor.tall * size * unit / high
    stretch = float(path.stretch[number])
    x, y = float(path.x[number]), float(path.y[number])
    if actor.shadow:
        across, down = locate(x, actor.feet)
        lift = float(path.lift[number])
        fade = 1 / (1 + 6 * lift)
        down -= 0.04 * wide * scale
        _draw_shadow(image, across, down, 0.40 * wide * scale * (1 - 0.4 * min(lift, 1)), 0.42 * fade)
    lay_over(image, picture, locate(x, y), (scale * (2 - stretch), scale * stretch), float(path.angle[number]), light)


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
