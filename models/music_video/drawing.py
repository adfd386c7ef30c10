"""One frame of a music video: a moment of a clip, through a camera that dances, in the colours of the moment.

Everything here is a function of the frame's number, so that frames can be drawn in any order and by several threads.

Letters: S side of a clip's frames, H and W of the video's, K frames of a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.beats.network import FRAME_RATE as CURVE_RATE
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.overlays import Overlays
from models.music_video.own_views import BEAT_ZOOM, USUAL_ZOOM, Move, draw_own
from models.music_video.painted import PaintedPixels, compute_amounts
from models.music_video.plan import MusicVideoPlan, Shot
from models.music_video.templates import TEMPLATES
from models.music_video.transitions import Transition, blend
from models.music_video.visualiser import Visualiser

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

CLIP_RATE = 24.0  # frames a second of a prepared clip at its own pace
PULSE_S = 0.16  # in which an accent fades to a third
ZOOM_KICK, PAN_KICK, TURN_KICK_DEG = 0.11, 0.022, 2.6
FLASH_GAIN, FLASH_LIFT = 0.38, 34.0
HUE_OF_SECTION_DEG, HUE_KICK_DEG = 40.0, 12.0
MAIN_SIDE = 512  # a clip's frame is brought to this side by a cubic filter before the camera looks at it
VIGNETTE = 0.42
OWN_LIGHT = 0.5  # of the flash, on a person's own pictures


def locate_beats(accents: NDArray[np.int64], frames: Floats) -> Floats:
    """Count the accents passed at each frame, with the share of the way to the next: 2.5 is midway after the third.

    Before the first and after the last accent the median interval goes on.
    """
    if len(accents) < 2:
        return frames / (0.5 * FRAME_RATE)
    interval = float(np.median(np.diff(accents)))
    inside = np.interp(frames, accents, np.arange(len(accents)))
    before = (frames - accents[0]) / interval
    after = len(accents) - 1 + (frames - accents[-1]) / interval
    return np.where(frames < accents[0], before, np.where(frames > accents[-1], after, inside))


def ease(position: Floats, strength: float) -> Floats:
    """Bend beat positions so that the pace is greatest on the beats and least between; whole numbers stay.

    The pace at share u of a beat is 1 + strength cos(2 pi u).
    """
    return position + strength * np.sin(2 * np.pi * position) / (2 * np.pi)


def fold_back(way: Floats, length: float) -> Floats:
    """Fold a way along a line of `length` that turns at its ends, to [0, length]."""
    return length - np.abs(np.mod(way, 2 * length) - length) if length > 0 else np.zeros_like(way)


@dataclass(frozen=True)
class FrameMoment:
    """What a frame shows.

    Attributes:
        shot: number of the shot; clip: of the key clip; place: where in the clip, in its frames.
        pulse: how fresh and strong the last accent is, in [0, 1]; side: -1 or 1, which way it kicks.
        share: of the shot that has passed, in [0, 1].
        brightness: of the sound now, in [0, 1].
    """

    shot: int
    clip: int
    place: float
    pulse: float
    side: int
    share: float
    brightness: float


class Choreography:
    """From a frame's number to what it shows."""

    def __init__(self, request: MusicVideoRequest, plan: MusicVideoPlan, clip_frames: int) -> None:
        """Take clip_frames, K of every prepared clip, at CLIP_RATE."""
        self.request, self.plan, self.clip_frames = request, plan, clip_frames
        self.starts = np.array([shot.start for shot in plan.shots])
        accents = plan.accents
        interval = float(np.median(np.diff(accents))) if len(accents) > 1 else 0.5 * FRAME_RATE
        length = max(1, clip_frames - 1)
        # So many beats from one end of the clip to the other that it keeps about its own pace, and turns in mid-beat,
        # where it is slowest.
        beats = max(1, round(length / (interval * CLIP_RATE / FRAME_RATE)))
        self.step = length / beats
        self.fade_frames = min(PULSE_S * FRAME_RATE, 0.4 * interval)

    def find_moment(self, frame: int, number: int | None = None) -> FrameMoment:
        """Find what frame number `frame` shows, of the shot `number` where it is seen beyond its ends."""
        plan, look = self.plan, self.request.look
        if number is None:
            number = int(np.searchsorted(self.starts, frame, side="right") - 1)
        shot = plan.shots[number]
        at = np.array([float(frame)])
        way = self.step * (ease(locate_beats(plan.accents, at), 0.95 * look.motion) + 0.5)
        length = float(max(1, self.clip_frames - 1))
        turn = (
            round(shot.clip_phase * 2 * length / self.step) * self.step
        )  # whole beats, so that turns stay in mid-beat
        place = float(fold_back(way + turn, length)[0])
        last = int(np.searchsorted(plan.accents, frame, side="right") - 1)
        pulse = 0.0
        if last >= 0:
            pulse = float(plan.strengths[last] * np.exp(-(frame - plan.accents[last]) / self.fade_frames))
        curve = self.request.features.brightness
        now = min(len(curve) - 1, int(frame / FRAME_RATE * CURVE_RATE)) if len(curve) else 0
        share = (frame - shot.start) / max(1, shot.end - shot.start)
        return FrameMoment(
            number, shot.clip, place, pulse, 1 if last % 2 else -1, share, float(curve[now]) if len(curve) else 0.0
        )


def make_camera(
    shot: Shot, moment: FrameMoment, request: MusicVideoRequest, side: int, size: tuple[int, int]
) -> Floats:
    """Make the affine map (2, 3) from a picture of `side` pixels to the frame of `size` (W, H)."""
    look = request.look
    width, height = size
    whole, filling = min(size) / side, max(size) / side
    scale = whole ** (1 - shot.framing) * filling**shot.framing
    grown = shot.zoom * moment.share if shot.zoom >= 0 else -shot.zoom * (1 - moment.share)
    scale *= 1.04 + grown + ZOOM_KICK * look.zoom * moment.pulse
    angle = np.deg2rad(shot.turn * (moment.share - 0.5) + TURN_KICK_DEG * look.rotate * moment.pulse * moment.side)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    flip = -1.0 if shot.flipped else 1.0
    middle = np.array([side / 2, side / 2])
    middle += side * np.array(shot.drift) * (moment.share - 0.5)
    middle[0] += side * PAN_KICK * look.pan * moment.pulse * moment.side
    turned = np.array([[flip * cos, sin], [-flip * sin, cos]])
    centre = np.array([width / 2, height / 2]) - turned @ middle
    return np.concatenate([turned, centre[:, None]], axis=1)


def make_colours(shot: Shot, moment: FrameMoment, request: MusicVideoRequest) -> NDArray[np.float32]:
    """Make the matrix (3, 4) on red, green, blue and 1: hue by section, saturation by the sound, light by the
    accent.
    """
    look = request.look
    steps = (0.0, 1.0, -0.8, 0.5, -1.5, 1.8)
    hue = HUE_OF_SECTION_DEG * steps[shot.section % len(steps)] + HUE_KICK_DEG * moment.pulse * moment.side
    hue *= look.colour
    saturation = 1.0 + look.colour * (0.25 * moment.brightness + 0.3 * moment.pulse)
    luminance = np.array([0.2126, 0.7152, 0.0722])
    grey = np.tile(luminance, (3, 1))
    angle = np.deg2rad(hue)
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turned = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)
    matrix = (grey + saturation * (np.eye(3) - grey)) @ turned
    light = look.flash * moment.pulse * (1.4 if moment.share < 0.02 else 1.0)
    return np.concatenate([matrix * (1 + FLASH_GAIN * light), np.full((3, 1), FLASH_LIFT * light)], 1).astype(
        np.float32
    )


def make_vignette(size: tuple[int, int]) -> Pixels:
    """Compute the brightness of each pixel of a frame (W, H), uint8 (H, W, 3): darker towards the corners."""
    x, y = np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1])
    far = np.sqrt(x[None] ** 2 + y[:, None] ** 2) / np.sqrt(2)
    mask = 255 * (1 - VIGNETTE * np.clip(far - 0.35, 0, 1) ** 1.6)
    return np.repeat(mask.astype(np.uint8)[..., None], 3, axis=2)


class FramePainter:
    """The painter of frames; several threads may use it at once."""

    def __init__(self, choreography: Choreography) -> None:
        self.choreography = choreography
        self.request, self.plan = choreography.request, choreography.plan
        self.size = self.request.frame_size
        self.vignette = make_vignette(self.size)
        self.overlays = Overlays(self.request)
        is_painted = any(shot.style for shot in self.plan.shots)
        self.amounts = compute_amounts(self.request, self.plan) if is_painted else np.zeros(self.plan.frames)

    def draw(self, frame: int, seen: Any) -> Pixels:
        """Draw frame number `frame`, uint8 (H, W, 3).

        Args:
            seen: of a key clip, the one that its moment names, uint8 (K, S, S, 3); of a person's own picture what its
                view gave; or what draws by rule.
        """
        number = self.choreography.find_moment(frame).shot
        return self.draw_layers(frame, [(number, seen)], None)

    def draw_layers(self, frame: int, layers: list[tuple[int, Any]], transition: Transition | None) -> Pixels:
        """Draw a frame in which one shot is seen, or two of them in a transition, with what is written over it."""
        parts = [self.draw_shot(frame, number, seen) for number, seen in layers]
        drawn = parts[0] if transition is None else blend(transition, frame, parts)
        if self.request.template:
            drawn = TEMPLATES[self.request.template].grade(drawn, frame)
        return self.overlays.draw(drawn, frame / FRAME_RATE)

    def draw_shot(self, frame: int, number: int | None, seen: Any) -> Pixels:
        """Draw what is seen of a shot, by default the one that this frame belongs to, without words."""
        moment = self.choreography.find_moment(frame, number)
        amount = float(self.amounts[min(frame, len(self.amounts) - 1)])
        if isinstance(seen, Visualiser):
            return seen.draw(frame, self.request.look.flash * moment.pulse)
        if isinstance(seen, tuple):
            picture = seen[0].mix(amount) if isinstance(seen[0], PaintedPixels) else seen[0]
            return self._draw_own(moment, (picture, *seen[1:]))
        if isinstance(seen, PaintedPixels):
            both = PaintedPixels(_find_between(seen.plain, moment.place), _find_between(seen.painted, moment.place))
            return self._draw_clip(moment, both.mix(amount))
        return self._draw_clip(moment, _find_between(seen, moment.place))

    def _draw_own(self, moment: FrameMoment, seen: tuple[Pixels, Floats, Move]) -> Pixels:
        """Draw a person's own picture in its own colours; the beat kicks the camera and lights it up."""
        import cv2

        look = self.request.look
        drawn: Any = draw_own(seen, moment.share, BEAT_ZOOM * look.zoom / USUAL_ZOOM * moment.pulse, self.size)
        light = OWN_LIGHT * look.flash * moment.pulse
        if light > 0.01:
            drawn = cv2.convertScaleAbs(drawn, dst=drawn, alpha=1 + FLASH_GAIN * light, beta=FLASH_LIFT * light)
        return np.asarray(drawn)

    def _draw_clip(self, moment: FrameMoment, seen: Pixels) -> Pixels:
        """Draw a moment of a key clip, uint8 (S, S, 3)."""
        import cv2

        shot = self.plan.shots[moment.shot]
        picture: Any = cv2.transform(seen, make_colours(shot, moment, self.request))
        side = MAIN_SIDE if picture.shape[0] < MAIN_SIDE else picture.shape[0]
        if picture.shape[0] != side:
            picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
        drawn: Any = cv2.warpAffine(
            picture,
            make_camera(shot, moment, self.request, side, self.size),
            self.size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        drawn = cv2.multiply(drawn, self.vignette, dst=drawn, scale=1 / 255)
        return np.asarray(drawn)


def _find_between(clip: Pixels, place: float) -> Pixels:
    """Return what a clip uint8 (K, S, S, 3) shows between two of its frames."""
    import cv2

    first = int(place)
    part = place - first
    if part > 0.02 and first + 1 < len(clip):
        return np.asarray(cv2.addWeighted(clip[first], 1 - part, clip[first + 1], part, 0), dtype=np.uint8)
    return clip[first]
