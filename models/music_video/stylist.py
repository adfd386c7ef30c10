"""Shots painted in the style of a picture by texture synthesis: nothing is learned, and the same is painted each time.

A photo is painted once for its shot, and the camera moves over the painting. Of what moves every third frame is painted
on a smaller canvas; between two of them both are carried along the motion of the source, so that strokes stay where
they are on things and nothing flickers. How much of the painting is seen in a frame is the business of `painted`.

Letters: H and W height and width of a picture in pixels, h and w those of its canvas.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray

from models.media.clip_reader import read_picture
from models.music_video.contracts import MusicVideoRequest
from models.music_video.own_views import ClipView, Move, PhotoView, View
from models.music_video.painted import PaintedPixels
from models.music_video.plan import Shot
from models.music_video.segments import digest_file
from models.style import optical_flow
from models.style.canvas import FINE_DETAIL, choose_canvas, resize_pixels
from models.style.colours import measure_picture, move_colours
from models.style.painters import SynthesisPainter, pad, paint_textures, to_array, to_tensor
from models.style.people import find_people
from models.style.texture_synthesis import SynthesisPlan, TextureStyle, extract_texture
from models.style.video_contracts import StyledPart

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Pair = tuple[Pixels, Pixels]  # a frame as it is, and painted

PHOTO_PLAN = SynthesisPlan(
    ((4, 17, 5), (4, 9, 3), (2, 9, 3), (1, 9, 3), (1, 6, 3)), patches=2000, components=24, content=0.3
)
MOVING_PLAN = SynthesisPlan(((4, 9, 3), (2, 9, 3), (1, 9, 3), (1, 6, 3)), patches=1000, components=16, content=0.2)
PHOTO_SIDE, MOVING_SIDE = 480, 400  # longer sides of their canvases
EVERY = 3  # frames of what moves, of which one is painted
AHEAD = 3  # frames of a clip that are painted before they are asked for
CARRY = 0.7  # of the last painting, in the next
LEAST_TRUST = 0.02  # of a motion, where neither of two explains a pixel
REMEMBERED_STYLES, REMEMBERED_CLIPS = 12, 4
TRIAL_SIZE = 256, 144
MOVING_COST = 0.5  # of a pixel in what moves, of that in a photo
NOBODY = "Nobody was found in {}, so that all of it counts as background."


class StyleShelf:
    """What was taken from style pictures, kept for the videos to come."""

    def __init__(self) -> None:
        self._kept: LRUCache[str, TextureStyle] = LRUCache(REMEMBERED_STYLES)

    @torch.inference_mode()
    def find(self, path: Path) -> TextureStyle:
        """Cut the patches of a picture, or find them.

        Raises:
            MediaError: it is gone, or no picture.
        """
        key = digest_file(path)
        if key not in self._kept:
            side = SynthesisPainter.style_side
            pixels = pad(to_tensor(read_picture(path, side, 2 * side)))
            self._kept[key] = extract_texture(pixels, PHOTO_PLAN)  # it has the patches of the other plan, too
        return self._kept[key]


class Stylist:
    """Paints the shots of one video.

    Attributes:
        notes: sentences for the person, as they come up.
    """

    def __init__(self, request: MusicVideoRequest, shelf: StyleShelf) -> None:
        self.shelf = shelf
        self.notes: list[str] = []
        self._clips: LRUCache[tuple[int, str], PaintedPixels] = LRUCache(REMEMBERED_CLIPS)
        self.use(request)

    def use(self, request: MusicVideoRequest) -> None:
        """Take the request anew, of the same video; its style pictures may lie elsewhere now."""
        self.request, self.pictures = request, dict(request.painting.pictures)

    def dress(self, view: View, shot: Shot, first: int, pool: ThreadPoolExecutor) -> View:
        """Return a view that shows a photo or clip painted, where its shot is to be; it takes the view over.

        Args:
            first: the first frame of the video in which the shot is seen.
            pool: a thread that paints clips ahead.
        """
        if not shot.style:
            return view
        style = self.shelf.find(self.pictures[shot.style])
        if isinstance(view, PhotoView):
            return PaintedPhotoView(view, self._paint_photo(view.picture, style, shot.source))
        if isinstance(view, ClipView):
            return PaintedClipView(view, first, lambda frames: self._paint_moving(frames, style, shot.source), pool)
        return view

    def paint_clip(self, clip: Pixels, shot: Shot) -> Pixels | PaintedPixels:
        """Paint a key clip, uint8 (K, S, S, 3), where its shot is to be painted."""
        if not shot.style:
            return clip
        key = shot.clip, shot.style
        if key not in self._clips:
            style = self.shelf.find(self.pictures[shot.style])
            painted = np.stack([made for _, made in self._paint_moving(iter(clip), style, "the model's pictures")])
            self._clips[key] = PaintedPixels(clip, painted)
        return self._clips[key]

    def estimate_s(self, photos: int, moving_frames: int, style: str) -> float:
        """Estimate how long it takes to paint so many photos and frames of what moves, by painting a small picture."""
        import time

        noise = np.random.default_rng(0).integers(0, 256, (TRIAL_SIZE[1], TRIAL_SIZE[0], 3), dtype=np.uint8)
        found, began_s = self.shelf.find(self.pictures[style]), time.perf_counter()
        _paint(noise, found, PHOTO_PLAN)
        pixel_s = (time.perf_counter() - began_s) / (TRIAL_SIZE[0] * TRIAL_SIZE[1])
        across, up = self.request.frame_size
        shape = min(across, up) / max(across, up)
        pixels = photos * PHOTO_SIDE**2 * shape + moving_frames / EVERY * MOVING_SIDE**2 * shape * MOVING_COST
        return pixels * pixel_s

    def _paint_photo(self, picture: Pixels, style: TextureStyle, name: str) -> Pixels:
        canvas = _make_canvas(picture, PHOTO_SIDE)
        made = _paint(canvas, style, PHOTO_PLAN)
        return enlarge_painting(self._restrict(made, canvas, self._find_part(canvas, name)), canvas, picture)

    def _paint_moving(
        self, frames: Iterator[Pixels], style: TextureStyle, name: str
    ) -> Iterator[tuple[Pixels, Pixels]]:
        """Yield frames uint8 (H, W, 3) as they are and painted, in order."""
        last: tuple[Pixels, FloatArray] | None = None  # the canvas that was painted last, and what it became
        for sources in _list_blocks(frames):
            canvases = [_make_canvas(each, MOVING_SIDE) for each in sources]
            now = canvases[-1]
            if last is not None and np.array_equal(now, last[0]):
                made = last[1]  # a source of fewer frames a second shows each for a while
            else:
                made = self._paint_key(now, style, last, name)
            for number, (source, canvas) in enumerate(zip(sources, canvases, strict=True), 1):
                seen = made
                if number < len(sources) and last is not None:
                    seen = carry_between(canvas, last, (now, made), number / len(sources))
                part = None if self.request.painting.part is StyledPart.ALL else seen[..., 3:]
                yield source, enlarge_painting(self._restrict(seen[..., :3], canvas, part), canvas, source)
            last = now, made

    def _paint_key(
        self, canvas: Pixels, style: TextureStyle, last: tuple[Pixels, FloatArray] | None, name: str
    ) -> FloatArray:
        """Paint a frame on which those around it lean, float32 (h, w, 4): colours, and how much of each is painted."""
        made = _paint(canvas, style, MOVING_PLAN)
        if last is not None:
            offsets, trust = optical_flow.find_motion(last[0], canvas)
            if float(trust.mean()) >= optical_flow.CUT_TRUST:
                made = optical_flow.blend(made, last[1][..., :3], offsets, trust, CARRY)
        part = self._find_part(canvas, name)
        whole = np.ones((*made.shape[:2], 1), np.float32) if part is None else part
        return np.ascontiguousarray(np.concatenate([made, whole], axis=2), dtype=np.float32)

    def _find_part(self, canvas: Pixels, name: str) -> FloatArray | None:
        """Tell how much of each pixel is painted, float32 (h, w, 1); None is all."""
        part = self.request.painting.part
        if part is StyledPart.ALL:
            return None
        people = find_people(canvas)
        if not people.any() and NOBODY.format(name) not in self.notes:
            self.notes.append(NOBODY.format(name))
        return people if part is StyledPart.PERSON else 1.0 - people

    @staticmethod
    def _restrict(made: FloatArray, canvas: Pixels, part: FloatArray | None) -> FloatArray:
        if part is None:
            return made
        original = canvas.astype(np.float32) / 255.0
        return np.asarray(original + part * (made - original), dtype=np.float32)


class PaintedPhotoView:
    """A photo under a moving camera, with its painting."""

    def __init__(self, view: PhotoView, painted: Pixels) -> None:
        self.view, self.picture = view, PaintedPixels(view.picture, painted)

    def pull(self, frame: int) -> tuple[PaintedPixels, Floats, Move]:
        """Return both pictures, the map from shares of the photo to their pixels, and the move."""
        return self.picture, *self.view.pull(frame)[1:]

    def close(self) -> None:
        """Let both go."""
        self.view.close()
        del self.picture


class PaintedClipView:
    """A stretch of a clip, painted as it is read, some frames ahead by a thread."""

    def __init__(
        self, view: ClipView, first: int, paint: Callable[[Iterator[Pixels]], Iterator[Pair]], pool: ThreadPoolExecutor
    ) -> None:
        """Begin with frame number `first` of the video; `paint` paints frames in order."""
        self.view, self._at = view, first - 1
        self._painted = paint(view.pull(frame)[0] for frame in range(first, view.frames.stop))
        self._last = PaintedPixels(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8))
        self._pool = pool
        self._ahead = deque(pool.submit(next, self._painted, None) for _ in range(AHEAD))

    def pull(self, frame: int) -> tuple[PaintedPixels, Floats, Move]:
        """Return the next frame as it is and painted, the map from shares to its pixels, and the move.

        Raises:
            MediaError: the clip has gone or is damaged.
        """
        while self._at < min(frame, self.view.frames.stop - 1):
            found = self._ahead.popleft().result()
            self._ahead.append(self._pool.submit(next, self._painted, None))
            if found is not None:
                self._last = PaintedPixels(*found)
            self._at += 1
        height, width = self._last.plain.shape[:2]
        return self._last, np.array([0.0, 0.0, width, height]), self.view.move

    def close(self) -> None:
        """End painting and reading."""
        for each in self._ahead:
            each.cancel()
        wait(self._ahead)
        self._painted.close()  # type: ignore[attr-defined]
        self.view.close()


def enlarge_painting(made: FloatArray, canvas: Pixels, source: Pixels) -> Pixels:
    """Bring a painted canvas (h, w, 3) in [0, 1] to the size of its source, uint8 (H, W, 3).

    What is finer than the canvas comes from the source, as in `models.style.canvas`.
    """
    import cv2

    small = np.round(np.clip(made, 0, 1) * 255.0).astype(np.uint8)
    if canvas.shape == source.shape:
        return small
    size = source.shape[1::-1]
    seen = cv2.resize(canvas, size, interpolation=cv2.INTER_CUBIC)
    painted = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    fine = cv2.addWeighted(source, FINE_DETAIL, seen, -FINE_DETAIL, 128)
    return np.asarray(cv2.addWeighted(painted, 1, fine, 1, -128), dtype=np.uint8)


def carry_between(
    canvas: Pixels, before: tuple[Pixels, FloatArray], after: tuple[Pixels, FloatArray], share: float
) -> FloatArray:
    """Make what lies between two paintings, each given with its canvas, from both along the motion of the canvases.

    Args:
        canvas: uint8 (h, w, 3), of the moment; share: of the way from `before` to `after`, in (0, 1).
    """
    total: Any = 0.0
    weights: Any = 0.0
    for (source, made), near in ((before, 1 - share), (after, share)):
        offsets, trust = optical_flow.find_motion(source, canvas)
        weight = near * (trust + LEAST_TRUST)
        total = total + weight * optical_flow.warp(made, offsets)
        weights = weights + weight
    return np.asarray(total / weights, dtype=np.float32)


@torch.inference_mode()
def _paint(canvas: Pixels, style: TextureStyle, plan: SynthesisPlan) -> FloatArray:
    """Paint a canvas uint8 (h, w, 3) whole, float32 (h, w, 3) in [0, 1]."""
    pixels = to_tensor(canvas)
    made = paint_textures(move_colours(pixels, measure_picture(pixels), style.colours), style, plan)
    return to_array(made)


def _make_canvas(picture: Pixels, side: int) -> Pixels:
    """Shrink a picture to a canvas of a longer side, at most."""
    return resize_pixels(picture, choose_canvas((picture.shape[1], picture.shape[0]), 1.0, side))


def _list_blocks(frames: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    """Yield the first frame alone, then EVERY at a time."""
    block: list[Pixels] = []
    is_first = True
    for frame in frames:
        block.append(frame)
        if is_first or len(block) == EVERY:
            yield block
            block, is_first = [], False
    if block:
        yield block
