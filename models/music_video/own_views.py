"""Shots of a person's own photos and clips: which part is shown, how the camera moves over it, and its frames.

A photo is read once for a shot, as large as the shot needs it and no larger; of a clip one stretch is decoded, frame by
frame. Every part that is shown lies within the picture, whatever the beat does to the camera.

Letters: H and W height and width of a frame in pixels.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.media.clip_reader import read_frames, read_stretch
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.framing import Window, find_focus, fit_window, measure_inside, place_window
from models.music_video.material import OwnMedium, find_liveliest
from models.music_video.plan import ALONG, MusicVideoPlan, Shot

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

ZOOM_A_SECOND, MOST_ZOOM = 0.03, 0.2  # of the slow move, at a zoom of 0.6
PAN_A_SECOND, MOST_PAN = 0.06, 0.6  # in widths of the window, at a pan of 0.5
KEPT_IN_PAN = 0.85  # of what counts at the end of a pan, at its beginning
BEAT_ZOOM = 0.055
CLIP_ZOOM = 0.05
USUAL_ZOOM, USUAL_PAN = 0.6, 0.5
MOST_TAKES = 12  # of a clip, after which they begin again


class View(Protocol):
    """What is seen of one shot."""

    def pull(self, frame: int) -> Any:
        """Return what frame number `frame` is drawn from; frames are asked for in order, by one thread."""

    def close(self) -> None:
        """Give back what is open."""


@dataclass(frozen=True)
class Move:
    """A slow, eased move of the camera from one window of a picture to another, with kicks towards a focus."""

    start: Window
    end: Window
    focus: tuple[float, float]

    def find_window(self, share: float, kick: float) -> Window:
        """Return what is seen at a share of the shot in [0, 1], drawn nearer to the focus by `kick`."""
        way = min(1.0, max(0.0, share))
        way = way * way * (3 - 2 * way)
        x, y, width, height = (
            a + way * (b - a)
            for a, b in zip(
                (self.start.x, self.start.y, self.start.width, self.start.height),
                (self.end.x, self.end.y, self.end.width, self.end.height),
                strict=True,
            )
        )
        near = 1 / (1 + kick)
        to_x = min(x + width, max(x, self.focus[0]))
        to_y = min(y + height, max(y, self.focus[1]))
        return Window(to_x - (to_x - x) * near, to_y - (to_y - y) * near, width * near, height * near)


def plan_move(
    medium: OwnMedium, importance: Floats, shot: Shot, request: MusicVideoRequest, rng: random.Random
) -> Move:
    """Plan the move over a photo: mostly towards the subject, sometimes away from it; over what is far wider than the
    frame also along it.
    """
    seconds, look = (shot.end - shot.start) / FRAME_RATE, request.look
    wide = fit_window(medium.info.width, medium.info.height, request.frame_size)
    grow = 1 + min(MOST_ZOOM, ZOOM_A_SECOND * seconds + 0.02) * look.zoom / USUAL_ZOOM
    whole = place_window(importance, *wide)
    near = place_window(importance, wide[0] / grow, wide[1] / grow)
    if shot.motion != "auto":
        return _plan_told_move(importance, shot.motion, whole, near, seconds)
    far = _pan_away(importance, whole, min(MOST_PAN, PAN_A_SECOND * seconds) * look.pan / USUAL_PAN)
    focus = find_focus(importance, near)
    return Move(near, whole, focus) if rng.random() < 0.3 else Move(far, near, focus)


def _plan_told_move(importance: Floats, motion: str, whole: Window, near: Window, seconds: float) -> Move:
    """Plan the move that a storyboard tells: still, closer, away, or along the picture."""
    focus = find_focus(importance, near)
    if motion in ("closer", "away"):
        return Move(whole, near, focus) if motion == "closer" else Move(near, whole, focus)
    across, down = ALONG.get(motion, (0.0, 0.0))
    reach = min(MOST_PAN, PAN_A_SECOND * seconds)
    from_to = []
    for share in (-0.5, 0.5):
        x = near.x + share * reach * near.width * across
        y = near.y + share * reach * near.height * down
        from_to.append(
            Window(min(max(0.0, x), 1 - near.width), min(max(0.0, y), 1 - near.height), near.width, near.height)
        )
    return Move(from_to[0], from_to[1], focus)


def _pan_away(importance: Floats, window: Window, reach: float) -> Window:
    """Move a window along its picture, away from where it lies best, as far as the subject stays in it."""
    right, below = 1 - window.width - window.x, 1 - window.height - window.y
    across, down = max(right, window.x), max(below, window.y)
    best = measure_inside(importance, window)
    while reach > 0.01:
        step_x = min(across, reach * window.width) * (1 if right >= window.x else -1)
        step_y = min(down, 0.3 * reach * window.height) * (1 if below >= window.y else -1)
        moved = Window(window.x + step_x, window.y + step_y, window.width, window.height)
        if measure_inside(importance, moved) >= KEPT_IN_PAN * best:
            return moved
        reach /= 2
    return window


class PhotoView:
    """A photo under a moving camera."""

    def __init__(self, medium: OwnMedium, move: Move, frame_size: tuple[int, int]) -> None:
        """Read the part of the photo that the move shows, as large as its nearest window needs it.

        Raises:
            MediaError: the photo has gone or was changed.
        """
        import cv2

        self.move, info = move, medium.info
        nearest = min(move.start.width, move.end.width) * info.width
        scale = min(1.0, frame_size[0] / nearest)
        width, height = max(1, round(info.width * scale)), max(1, round(info.height * scale))
        frames = read_frames(medium.path, info, width, height)
        picture = next(frames)
        left, top = min(move.start.x, move.end.x), min(move.start.y, move.end.y)
        right = max(move.start.x + move.start.width, move.end.x + move.end.width)
        bottom = max(move.start.y + move.start.height, move.end.y + move.end.height)
        first_x, first_y = max(0, int(left * width) - 2), max(0, int(top * height) - 2)
        cut = picture[first_y : int(bottom * height) + 3, first_x : int(right * width) + 3]
        enlarged = max(1.0, frame_size[0] / (nearest * scale))
        if enlarged > 1.01:  # smaller than the frame
            size = max(1, round(cut.shape[1] * enlarged)), max(1, round(cut.shape[0] * enlarged))
            self.picture: Any = cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC)
        else:
            self.picture = np.ascontiguousarray(cut)
        # from shares of the whole photo to pixels of the part
        self.offset = first_x / width, first_y / height
        self.scale = (
            self.picture.shape[1] / (cut.shape[1] / width),
            self.picture.shape[0] / (cut.shape[0] / height),
        )

    def pull(self, _frame: int) -> tuple[Pixels, Floats, Move]:
        """Return the part, the map from shares of the photo to its pixels, and the move."""
        return self.picture, np.array([*self.offset, *self.scale]), self.move

    def close(self) -> None:
        """Let the picture go; frames that are being drawn hold it themselves."""
        del self.picture


class ClipView:
    """A stretch of a clip under a camera that stands still but for the beat."""

    def __init__(
        self, medium: OwnMedium, start_s: float, frames: range, move: Move, crop: Window, size: tuple[int, int]
    ) -> None:
        """Open a stretch from `start_s` on for the frames of the video; `crop` is decoded at `size` (W, H)."""
        self.move, self.frames = move, frames
        self._reader: Iterator[Pixels] = read_stretch(
            medium.path, medium.info, start_s, len(frames), Fraction(FRAME_RATE), size,
            (crop.x, crop.y, crop.width, crop.height), medium.can_seek,
        )  # fmt: skip
        self._at, self._last = frames.start - 1, np.zeros((0, 0, 3), np.uint8)

    def pull(self, frame: int) -> tuple[Pixels, Floats, Move]:
        """Return the next frame, the map from shares to its pixels, and the move.

        Raises:
            MediaError: the clip has gone or is damaged.
        """
        while self._at < min(frame, self.frames.stop - 1):
            self._last = next(self._reader)
            self._at += 1
        height, width = self._last.shape[:2]
        return self._last, np.array([0.0, 0.0, width, height]), self.move

    def close(self) -> None:
        """End the reading."""
        self._reader.close()  # type: ignore[attr-defined]


def draw_own(pulled: tuple[Pixels, Floats, Move], share: float, kick: float, size: tuple[int, int]) -> Pixels:
    """Draw what was pulled from a view, uint8 (H, W, 3): the window of this moment at the size (W, H) of the frame."""
    import cv2

    picture, (left, top, wide, high), move = pulled
    window = move.find_window(share, kick)
    x, y = (window.x - left) * wide, (window.y - top) * high
    across, up = window.width * wide / size[0], window.height * high / size[1]
    # pixel centres lie at halves on both sides
    back = np.array([[across, 0.0, x + across / 2 - 0.5], [0.0, up, y + up / 2 - 0.5]])
    drawn: Any = cv2.warpAffine(
        picture, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return drawn


class OwnShots:
    """Which medium every shot shows, and its view.

    Args:
        media: those that are shown, by number; shots: for each shot of the plan the number of its medium, or None.
        reach: frames that a view shows before and after its shot, for transitions.
    """

    def __init__(
        self, request: MusicVideoRequest, plan: MusicVideoPlan, media: Mapping[int, OwnMedium],
        shots: Sequence[int | None], reach: int = 0,
    ) -> None:  # fmt: skip
        self.request, self.plan, self.media, self.shots, self.reach = request, plan, media, shots, reach

    def open(self, number: int) -> PhotoView | ClipView:
        """Open the view of a shot."""
        shot, place = self.plan.shots[number], self.shots[number]
        assert place is not None, "the shot shows one of the media"
        medium, rng = self.media[place], random.Random(f"move {shot.seed} {shot.take}")
        if medium.is_photo:
            importance = medium.find_importance()
            return PhotoView(medium, plan_move(medium, importance, shot, self.request, rng), self.request.frame_size)
        return self._open_clip(medium, shot)

    def _open_clip(self, medium: OwnMedium, shot: Shot) -> ClipView:
        seconds = (shot.end - shot.start) / FRAME_RATE
        beats_s = (self.plan.accents - shot.start) / FRAME_RATE
        used: list[tuple[float, float]] = []
        start_s = find_liveliest(medium, seconds, beats_s, used)
        for _ in range(shot.take % MOST_TAKES):  # each take is the liveliest beside those before
            used.append((start_s, start_s + seconds))
            start_s = find_liveliest(medium, seconds, beats_s, used)
        importance = medium.find_importance(start_s, start_s + seconds)
        size = self.request.frame_size
        crop = place_window(importance, *fit_window(medium.info.width, medium.info.height, size))
        focus_x, focus_y = find_focus(importance, crop)
        focus = (focus_x - crop.x) / crop.width, (focus_y - crop.y) / crop.height
        grow = 1 + (2 * CLIP_ZOOM if shot.motion in ("closer", "away") else CLIP_ZOOM * self.request.look.zoom)
        near = Window(focus[0] * (1 - 1 / grow), focus[1] * (1 - 1 / grow), 1 / grow, 1 / grow)
        decoded = 2 * round(size[0] * grow / 2), 2 * round(size[1] * grow / 2)
        frames = range(max(0, shot.start - self.reach), shot.end + self.reach)
        begin_s = max(0.0, start_s - (shot.start - frames.start) / FRAME_RATE)
        whole = Window(0, 0, 1, 1)
        moves = {"still": Move(whole, whole, focus), "away": Move(near, whole, focus)}
        return ClipView(medium, begin_s, frames, moves.get(shot.motion, Move(whole, near, focus)), crop, decoded)

    def open_trial(self) -> tuple[Pixels, Floats, Move] | None:
        """Open the first shot of a medium for a measurement, and return what is seen in it; None if there is none."""
        first = next((number for number, place in enumerate(self.shots) if place is not None), None)
        if first is None:
            return None
        view = OwnShots(self.request, self.plan, self.media, self.shots).open(first)
        pulled = view.pull(self.plan.shots[first].start)
        view.close()
        return pulled
