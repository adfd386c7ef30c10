"""Key clips: made by the video model, enlarged, and filled with frames in between.

What the model makes is kept small (16 frames of 64 pixels take 0.2 MB; large ones are compressed) for as long as the
generator lives, so that a preview and the whole video, or a second video with another cut, need not make it twice; the
enlarged clips are kept for a few only, so that memory does not grow with the song.

Letters: F frames of the model, K frames prepared, S side in pixels.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from models.contracts import VideoRequest
from models.music_video.contracts import MAX_KEY_CLIPS, MusicVideoRequest
from models.music_video.plan import KeyClip
from models.video.interpolation import interpolate
from models.video.scene_spec import FRAMES_PER_SECOND
from models.video.shapes import resize_frames
from models.video.upscaler import soften
from models.video.upscaler import upscale_bicubic as bicubic

Pixels = NDArray[np.uint8]
Upscale = Callable[[Pixels], Pixels]
MadeClip = Pixels | list[bytes]
"""What a model made: frames uint8 (F, S, S, 3), large ones compressed."""

CLIP_FRAMES = 16
IN_BETWEEN = 3  # prepared frames for each of the model's: 8 a second become 24
PREPARED_FRAMES = CLIP_FRAMES * IN_BETWEEN - (IN_BETWEEN - 1)
PREPARED_KEPT = 4
KEY_SIDE = 576  # of a key clip of a model that draws large
KEPT_QUALITY = 95  # as which such a clip is kept
MADE_KEPT = 2 * MAX_KEY_CLIPS  # at the least all of one video


def fit_frames(frames: Pixels) -> Pixels:
    """Map uint8 (N, R, S, 3) to (PREPARED_FRAMES, side, side, 3) where there are as many, else to (CLIP_FRAMES, ...).

    It is the middle square, even in time, at most KEY_SIDE large.
    """
    rows, columns = frames.shape[1:3]
    square = min(rows, columns)
    top, left = (rows - square) // 2, (columns - square) // 2
    count = PREPARED_FRAMES if len(frames) >= PREPARED_FRAMES else CLIP_FRAMES
    last = len(frames) if len(frames) >= 1.1 * count else count  # of a few too many none is skipped in between
    chosen = np.linspace(0, min(last, len(frames)) - 1, count).round().astype(int)
    cut = frames[chosen, top : top + square, left : left + square]
    return cut if square <= KEY_SIDE else resize_frames(cut, KEY_SIDE, KEY_SIDE)


def pack_frames(frames: Pixels) -> list[bytes]:
    """Compress frames uint8 (F, S, S, 3), so that many clips can be kept."""
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, KEPT_QUALITY]
    return [cv2.imencode(".jpg", frame[..., ::-1], quality)[1].tobytes() for frame in frames]


def unpack_frames(packed: list[bytes]) -> Pixels:
    """Undo `pack_frames`."""
    import cv2

    frames: list[Any] = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in packed]
    return np.ascontiguousarray(np.stack(frames)[..., ::-1])


def fill_between(frames: Pixels) -> Pixels:
    """Map uint8 (F, S, S, 3) to ((F - 1) * IN_BETWEEN + 1, S, S, 3): frames between frames, and none after the last."""
    return interpolate(frames, IN_BETWEEN)[: (len(frames) - 1) * IN_BETWEEN + 1]


@dataclass(frozen=True)
class ClipProgress:
    """A step of the video model's work on one clip: how far it is, and what the frames look like."""

    share: float
    preview: Pixels | None


class KeyClips:
    """The key clips of one video model, made, kept and prepared."""

    def __init__(self, model: Any, upscale: Upscale | None = None, drawer: Any = None) -> None:
        """Take model: a generator of `VideoRequest`; upscale: uint8 (F, S, S, 3) to four times the side, by default the
        bicubic filter, softened; drawer: lays named things over its frames, as `VideoGenerator.compose` does, or None.
        What a model draws larger than it was asked for is not enlarged.
        """
        self.drawer = drawer
        self.model, self.upscale = model, upscale or (lambda frames: bicubic(soften(frames)))
        self._made: LRUCache[tuple[Any, ...], MadeClip] = LRUCache(MADE_KEPT)
        self._prepared: LRUCache[tuple[Any, ...], Pixels] = LRUCache(PREPARED_KEPT)
        self._lock = threading.Lock()

    @staticmethod
    def _make_key(request: MusicVideoRequest, clip: KeyClip) -> tuple[Any, ...]:
        return clip.prompt, clip.seed, request.negative_prompt, request.steps, request.guidance, request.size

    def has(self, request: MusicVideoRequest, clip: KeyClip) -> bool:
        """Check whether the model has made it already."""
        with self._lock:  # a look counts as a use: all clips of a video are asked for before others are made
            return self._made.get(self._make_key(request, clip)) is not None

    @staticmethod
    def make_video_request(request: MusicVideoRequest, clip: KeyClip) -> VideoRequest:
        """Make the request for the video model."""
        return VideoRequest(
            prompt=clip.prompt,
            negative_prompt=request.negative_prompt,
            frames=CLIP_FRAMES,
            size=request.size,
            steps=request.steps,
            guidance=request.guidance,
            seed=clip.seed,
            pixels=KEY_SIDE,
        )

    def make(self, request: MusicVideoRequest, clip: KeyClip) -> Generator[ClipProgress, None, None]:
        """Let the model make a clip, if it has not yet; yields as the sampler goes on."""
        if self.has(request, clip):
            return
        pieces = []
        with closing(self.model.stream(self.make_video_request(request, clip))) as chunks:
            for chunk in chunks:
                if len(chunk.frames):
                    pieces.append(chunk.frames)
                shown = chunk.preview if len(chunk.preview) else chunk.frames
                yield ClipProgress(chunk.done / max(chunk.total, 1), shown[len(shown) // 2] if len(shown) else None)
        made = fit_frames(np.concatenate(pieces))
        self.put(request, clip, made if made.shape[1] <= request.size else pack_frames(made))

    def get_made(self, request: MusicVideoRequest, clip: KeyClip) -> MadeClip:
        """Return a clip as the model made it.

        Raises:
            KeyError: it did not.
        """
        with self._lock:
            return self._made[self._make_key(request, clip)]

    def put(self, request: MusicVideoRequest, clip: KeyClip, made: MadeClip) -> None:
        """Keep a clip that the model made."""
        with self._lock:
            self._made[self._make_key(request, clip)] = made

    def make_whole(
        self, request: MusicVideoRequest, clip: KeyClip, should_end: Callable[[], bool] = lambda: False
    ) -> Pixels | None:
        """Let the model make a clip, unless `should_end` becomes true; return its last picture."""
        picture = None
        with closing(self.make(request, clip)) as steps:
            for step in steps:
                picture = step.preview
                if should_end():
                    break
        return picture

    def prepare(self, request: MusicVideoRequest, clip: KeyClip) -> Pixels:
        """Enlarge and fill a clip, uint8 (PREPARED_FRAMES, S, S, 3); it must have been made.

        Raises:
            KeyError: it was not.
        """
        key = self._make_key(request, clip)
        with self._lock:
            if key in self._prepared:
                return self._prepared[key]
            made = self._made[key]
        large = unpack_frames(made) if isinstance(made, list) else self.upscale(made)
        ready = large if len(large) == PREPARED_FRAMES else fill_between(large)
        if self.drawer is not None:
            ready = self.drawer.compose(self.make_video_request(request, clip), ready, FRAMES_PER_SECOND * IN_BETWEEN)
        with self._lock:
            self._prepared[key] = ready
        return ready

    def measure_clip_s(self, request: MusicVideoRequest, clip: KeyClip) -> float:
        """Measure the seconds of a clip by one step of the work, the second of a clip that is then given up.

        Only what goes on counts: some models say now and then that they are still at work.
        """
        began_s = time.perf_counter()
        first_done, clip_s = 0, 0.0
        with closing(self.model.stream(self.make_video_request(request, clip))) as chunks:
            for chunk in chunks:
                if chunk.done <= first_done:
                    continue
                now_s = time.perf_counter()
                clip_s, began_s = (now_s - began_s) / (chunk.done - first_done) * chunk.total, now_s
                if first_done:
                    break
                first_done = chunk.done
        return clip_s

    def list_credits(self, request: MusicVideoRequest, clips: Iterable[KeyClip]) -> tuple[str, ...]:
        """List what is to be said of things that are drawn by rule, nothing where there are none."""
        if self.drawer is None:
            return ()
        requests = (self.make_video_request(request, clip) for clip in clips)
        laid = dict.fromkeys(name for each in requests for name in self.drawer.list_laid(each))
        if self.drawer.draws_by_rule:
            return (f"Drawn by rule, the things from Fluent emoji: {', '.join(laid)}.",) if laid else ()
        return (f"Drawn by rule from Fluent emoji: {', '.join(laid)}. The scenes are the model's.",) if laid else ()

    def forget_prepared(self) -> None:
        """Give back the memory of the enlarged clips."""
        with self._lock:
            self._prepared.clear()


def open_key_clips(shared: Any) -> KeyClips:
    """Return the key clips of a model of the registry, enlarged and completed by its own network where it has one.

    Args:
        shared: the model; None where no shot needs one.
    """
    network = getattr(shared, "model", None)
    upscaler = getattr(network, "upscaler", None)
    enlarge = upscaler.enlarge if upscaler is not None else None
    return KeyClips(shared, enlarge, network if hasattr(network, "compose") else None)
