"""A poster: the frame of a finished video that stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.clip_info import probe
from models.media.clip_reader import read_stretch
from models.media.write import write_picture
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.overlays import TITLE_S
from models.music_video.plan import plan_video
from models.music_video.storyboard import Storyboard

Pixels = NDArray[np.uint8]


def choose_frame(request: MusicVideoRequest, storyboard: Storyboard, pictures: Sequence[Pixels | None]) -> int:
    """Choose a frame: the middle of the shot with most contrast and colour; where there is a title, the frame that
    shows it.
    """
    if request.title:
        return min(request.frame_count - 1, round(sum(TITLE_S) / 2 * FRAME_RATE))
    shots = plan_video(replace(request, storyboard=storyboard)).shots
    scores = [_rate(picture) if picture is not None else -1.0 for picture in pictures[: len(shots)]]
    best = shots[int(np.argmax(scores))] if scores else shots[0]
    return min(request.frame_count - 1, (best.start + min(best.end, request.frame_count)) // 2)


def _rate(picture: Pixels) -> float:
    values = picture.astype(np.float64)
    return float(values.mean(axis=-1).std() + np.ptp(values, axis=-1).mean())


def write_poster(
    request: MusicVideoRequest, storyboard: Storyboard, pictures: Sequence[Pixels | None], path: Path
) -> Path:
    """Write the poster of a finished video as a JPEG.

    Raises:
        MediaError: the video cannot be read.
    """
    info = probe(request.out)
    frame = min(choose_frame(request, storyboard, pictures), max(0, info.frames - 1))
    size = request.frame_size
    frames: Any = read_stretch(request.out, info, frame / FRAME_RATE, 1, request.rate, size, can_seek=True)
    with closing(frames):
        return write_picture(path, next(frames))
