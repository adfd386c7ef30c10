"""What lies over the pictures of a music video: title, words, end card, watermark, and the fades at both ends.

Letters: H and W height and width of a frame in pixels.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.clip_info import probe
from models.media.clip_reader import read_picture
from models.media.program import MediaError
from models.music_video.captions import Caption
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.lettering import karaoke_layer, lay_over, opacity, text_layer

Pixels = NDArray[np.uint8]

TITLE_S = (0.4, 4.6)
END_CARD_S, END_CARD_DARK, END_CARD_FADE_S = 4.0, 0.62, 0.5
CAPTION_BOTTOM, PHONE_BOTTOM = 0.94, 0.74  # of the frame's height; phones lay their buttons over the rest of 9:16
MARK_SIDE, MARK_GAP, MARK_OPACITY = 0.14, 0.04, 0.85  # of the shorter side
PHONE_TOP = 0.1


class Overlays:
    """Draws what lies over the pictures; several threads may use it at once."""

    def __init__(self, request: MusicVideoRequest) -> None:
        """Read the watermark.

        Raises:
            MediaError: it is no picture.
        """
        self.request, self.size = request, request.frame_size
        self.mark = read_mark(request.finish.watermark, self.size) if request.finish.watermark is not None else None

    def draw(self, drawn: Pixels, time_s: float) -> Pixels:
        """Draw all of a moment over a frame uint8 (H, W, 3), in place, and return it."""
        request, (width, height) = self.request, self.size
        self._draw_end_card(drawn, time_s)
        shown = opacity(time_s, *TITLE_S)
        unit = min(width, height)
        if request.title and shown > 0:
            lay_over(drawn, text_layer(request.title, width, unit * 0.11), (width / 2, height * 0.46), shown)
        if request.artist and shown > 0:
            lay_over(drawn, text_layer(request.artist, width, unit * 0.05), (width / 2, height * 0.60), shown)
        for caption in request.captions:
            if caption.start_s <= time_s < caption.end_s:
                self._draw_caption(drawn, caption, time_s)
        if self.mark is not None:
            tall, wide = self.mark[1].shape[:2]
            gap = MARK_GAP * unit
            top = max(gap, PHONE_TOP * height) if request.is_tall else gap
            lay_over(drawn, self.mark, (width - gap - wide / 2, top + tall / 2), MARK_OPACITY)
        return self._fade(drawn, time_s)

    def _draw_caption(self, drawn: Pixels, caption: Caption, time_s: float) -> None:
        width, height = self.size
        unit = min(width, height)
        if self.request.finish.karaoke:
            layer = karaoke_layer(caption.text, width, unit * 0.075, count_sung(caption, time_s))
        else:
            layer = text_layer(caption.text, width, unit * 0.062)
        lowest = PHONE_BOTTOM if self.request.is_tall else CAPTION_BOTTOM
        bottom = height * lowest - layer[0].shape[0] / 2
        lay_over(drawn, layer, (width / 2, bottom), opacity(time_s, caption.start_s, caption.end_s))

    def _draw_end_card(self, drawn: Pixels, time_s: float) -> None:
        """Darken the last seconds and write the end card over them."""
        text, (width, height) = self.request.finish.end_text, self.size
        begin_s = find_end_card(self.request)
        if not text or time_s < begin_s:
            return
        import cv2

        share = min(1.0, (time_s - begin_s) / END_CARD_FADE_S)
        cv2.convertScaleAbs(drawn, dst=drawn, alpha=1 - END_CARD_DARK * share)
        lay_over(drawn, text_layer(text, width, min(width, height) * 0.075), (width / 2, height * 0.48), share)

    def _fade(self, drawn: Pixels, time_s: float) -> Pixels:
        finish, light = self.request.finish, 1.0
        if finish.fade_in_s > 0:
            light = min(light, (time_s + 0.5 / FRAME_RATE) / finish.fade_in_s)
        if finish.fade_out_s > 0:
            light = min(light, (self.request.shown_s - time_s - 0.5 / FRAME_RATE) / finish.fade_out_s)
        if light >= 1:
            return drawn
        import cv2

        return np.asarray(cv2.convertScaleAbs(drawn, alpha=max(0.0, light)), dtype=np.uint8)


def count_sung(caption: Caption, time_s: float) -> int:
    """Return how many words of a caption are sung at a time; without times each takes as long as it has letters."""
    if caption.words_s:
        return int(np.searchsorted(caption.words_s, time_s, side="right"))
    words = caption.text.split()
    weights = np.cumsum([0.0, *(len(word) + 1.0 for word in words)])
    sung_s = 0.9 * (caption.end_s - caption.start_s)
    begins = caption.start_s + sung_s * weights[:-1] / weights[-1]
    return int(np.searchsorted(begins, time_s, side="right"))


def find_end_card(request: MusicVideoRequest) -> float:
    """Return when the end card begins, in seconds."""
    return max(0.0, request.shown_s - END_CARD_S)


@lru_cache(maxsize=4)
def read_mark(path: Path, size: tuple[int, int]) -> tuple[Pixels, NDArray[np.float32]]:
    """Read a watermark for frames of `size` (W, H): colours uint8 (h, w, 3) and cover in [0, 1], float32 (h, w, 1).

    Raises:
        MediaError: it is no picture.
    """
    import cv2
    from PIL import Image

    side = max(8, round(MARK_SIDE * min(size)))
    if not probe(path).is_picture:
        raise MediaError(f"{path.name} is no picture; the watermark must be one.")
    cover: Any = None
    try:
        with Image.open(path) as opened:
            if "A" in opened.getbands() or "transparency" in opened.info:
                opened.thumbnail((4 * side, 4 * side))
                values = np.asarray(opened.convert("RGBA"))
                colours, cover = values[..., :3], values[..., 3:].astype(np.float32) / 255
    except OSError:
        pass
    if cover is None:
        colours = read_picture(path, side, 4 * side)
        cover = np.ones((*colours.shape[:2], 1), np.float32)
    scale = side / max(colours.shape[:2])
    small = max(1, round(colours.shape[1] * scale)), max(1, round(colours.shape[0] * scale))
    shrunk: Any = cv2.resize(np.ascontiguousarray(colours), small, interpolation=cv2.INTER_AREA)
    alpha: Any = cv2.resize(cover[..., 0], small, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.uint8), np.asarray(alpha, dtype=np.float32)[..., None]
