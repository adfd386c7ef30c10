"""Title and lyrics as layers of letters, and how they are laid over a frame.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music_video.fonts import find_missing, is_plain, open_font, split_runs, usual_font

Pixels = NDArray[np.uint8]
Layer = tuple[Pixels, NDArray[np.float32]]

FADE_S = 0.2
EDGE = (12, 16, 26)
EDGE_ALPHA = 225
SUNG = (255, 196, 64)
MOST_TOLD = 24  # letters that a note names
WIDE = range(0x2E80, 0xA4D0)  # scripts without spaces: a line may break behind each letter


def find_note(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return a sentence about the letters that no font of the machine has, none where all can be drawn."""
    missing = find_missing(texts)
    if not missing:
        return ()
    named = " ".join(missing[:MOST_TOLD]) + (" ..." if len(missing) > MOST_TOLD else "")
    return (
        f"No font on this machine has these letters, so they are left out: {named} Install one, such as Noto Sans "
        "(packages fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji).",
    )


@lru_cache(maxsize=64)
def text_layer(words: str, width: int, size: float) -> Layer:
    """Return white letters with a dark edge: colours uint8 (h, w, 3) and cover in [0, 1], float32 (h, w, 1).

    Args:
        width: of the frame in pixels; the text takes nine tenths of it at most, in several lines if need be.
        size: of the letters in pixels; less where one word would not fit.
    """
    most = 0.9 * width - 0.2 * size
    measure = _Measure(max(8, round(size)))
    widest = max((measure.width(word) for word in _units(words)), default=1.0)
    if widest > most:
        measure = _Measure(max(8, size / 3, int(size * most / widest)))
    lines = _wrap(words, measure, most)
    draw = _draw_plain if is_plain(words) else _draw_runs
    values = np.asarray(draw(lines, measure))
    return values[..., :3].copy(), values[..., 3:].astype(np.float32) / 255.0


@lru_cache(maxsize=16)  # frames come in order: the words of the captions of now
def karaoke_layer(words: str, width: int, size: float, sung: int) -> Layer:
    """Return letters as `text_layer` does, the first `sung` words in the colour of what is sung.

    Scripts of several fonts, or without spaces, light up as a whole.
    """
    colours, cover = text_layer(words, width, size)
    if not is_plain(words):
        return (_tint(colours), cover) if sung else (colours, cover)
    most = 0.9 * width - 0.2 * size
    measure = _Measure(max(8, round(size)))
    if max((measure.width(word) for word in _units(words)), default=1.0) > most:
        return (_tint(colours), cover) if sung else (colours, cover)
    lines = _wrap(words, measure, most)
    tinted, height = colours.copy(), colours.shape[0] / len(lines)
    for number, line in enumerate(lines):
        told = line.split()
        count = min(len(told), sung)
        sung -= count
        if not count:
            break
        left = (colours.shape[1] - measure.width(line)) / 2
        end = round(left + measure.width(" ".join(told[:count])) + 0.5 * measure.edge)
        rows = slice(round(number * height), round((number + 1) * height))
        tinted[rows, : end if count < len(told) else None] = _tint(colours[rows, : end if count < len(told) else None])
    return tinted, cover


def _tint(colours: Pixels) -> Pixels:
    """Return letters in the colour of what is sung; their dark edge stays."""
    light = colours.max(axis=-1, keepdims=True).astype(np.float32) / 255
    return np.where(light > 0.2, light * np.array(SUNG, np.float32), colours).astype(np.uint8)


class _Measure:
    """How wide words are at a size in pixels."""

    def __init__(self, size: float) -> None:
        self.font = open_font(usual_font(), size)
        self.size = self.font.size
        self.edge = max(1, round(self.size / 14))
        self.gap = self.size * 0.25  # between two lines

    def width(self, words: str) -> float:
        """Return the width in pixels."""
        if is_plain(words):
            return float(self.font.getlength(words))
        return sum(self._run_width(run.text, run.font) for run in split_runs(words))

    def _run_width(self, text: str, font: Any) -> float:
        if font is None:
            return 0.0
        opened = open_font(font, self.size)
        return float(opened.getlength(text)) * self.size / opened.size


def _units(words: str) -> list[str]:
    """Return what a line is broken between: words, and single letters of scripts that have no spaces."""
    return [unit for word in words.split() for unit in _split_wide(word)]


def _split_wide(word: str) -> list[str]:
    units: list[str] = []
    for letter in word:
        if units and not (ord(letter) in WIDE or ord(units[-1][-1]) in WIDE):
            units[-1] += letter
        else:
            units.append(letter)
    return units


def _wrap(words: str, measure: _Measure, width: float) -> list[str]:
    """Return lines no wider than `width` pixels; a word that is wider is broken anywhere."""
    lines: list[str] = []
    for word in words.split():
        space = " "
        for unit in _split_wide(word):
            if lines and measure.width(f"{lines[-1]}{space}{unit}") <= width:
                lines[-1] += f"{space}{unit}"
                space = ""
                continue
            space = ""
            lines.append("")
            for letter in unit:
                if lines[-1] and measure.width(lines[-1] + letter) > width:
                    lines.append("")
                lines[-1] += letter
    return lines


def _draw_plain(lines: list[str], measure: _Measure) -> Any:
    """Return an RGBA picture of lines that the usual font draws."""
    from PIL import Image, ImageDraw

    text, font, edge = "\n".join(lines), measure.font, measure.edge
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))
    box = ruler.multiline_textbbox((0, 0), text, font=font, align="center", stroke_width=edge, spacing=measure.gap)
    layer = Image.new("RGBA", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4), (*EDGE, 0))
    ImageDraw.Draw(layer).multiline_text(
        (2 - box[0], 2 - box[1]), text, font=font, align="center", fill="white",
        stroke_width=edge, stroke_fill=(*EDGE, EDGE_ALPHA), spacing=measure.gap,
    )  # fmt: skip
    return layer


def _draw_runs(lines: list[str], measure: _Measure) -> Any:
    """Return an RGBA picture of lines of several fonts, each line in the middle."""
    from PIL import Image

    edge = measure.edge
    widths = [measure.width(line) for line in lines]
    step = round(1.35 * measure.size)
    size = (round(max(widths, default=0.0)) + 2 * edge + 4, step * len(lines) + 2 * edge + 4)
    layer = Image.new("RGBA", size, (*EDGE, 0))
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        x = (size[0] - width) / 2
        base = edge + 2 + number * step + measure.size
        for run in split_runs(line):
            if run.font is not None:
                x += _draw_run(layer, run, (x, base), measure)
    return layer


def _draw_run(layer: Any, run: Any, place: tuple[float, float], measure: _Measure) -> float:
    """Draw a run from `place` on, its left end on the base line; returns its width."""
    from PIL import Image, ImageDraw, features

    font = open_font(run.font, measure.size)
    scale = measure.size / font.size
    text = run.text
    options: dict[str, Any] = {}
    if features.check("raqm"):
        options = {"direction": "rtl" if run.from_right else "ltr"}
    elif run.from_right:
        text = text[::-1]  # without raqm letters stand in the order given, and do not join
    width = float(font.getlength(text, **options)) * scale
    if scale == 1.0:
        ImageDraw.Draw(layer).text(
            place, text, font=font, anchor="ls", fill="white", embedded_color=True,
            stroke_width=measure.edge, stroke_fill=(*EDGE, EDGE_ALPHA), **options,
        )  # fmt: skip
        return width
    left, top, right, bottom = font.getbbox(text, anchor="ls", **options)
    picture = Image.new("RGBA", (round(right - left) + 2, round(bottom - top) + 2), (*EDGE, 0))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, font=font, anchor="ls", embedded_color=True, **options)
    small = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    corner = (place[0] + left * scale, min(place[1] + top * scale, layer.height - small.height))
    layer.alpha_composite(small, (max(0, round(corner[0])), max(0, round(corner[1]))))
    return width


def lay_over(frame: Pixels, layer: Layer, centre: tuple[float, float], share: float) -> None:
    """Draw a text layer into a frame (H, W, 3), in place; `centre` (x, y) in pixels, `share` its opacity."""
    colours, cover = layer
    height, width = cover.shape[:2]
    top = min(max(0, round(centre[1] - height / 2)), max(0, frame.shape[0] - height))
    left = min(max(0, round(centre[0] - width / 2)), max(0, frame.shape[1] - width))
    place = frame[top : top + height, left : left + width]
    alpha = cover[: place.shape[0], : place.shape[1]] * np.float32(share)
    place[:] = (place + (colours[: place.shape[0], : place.shape[1]] - place.astype(np.float32)) * alpha).astype(
        np.uint8
    )


def opacity(time_s: float, start_s: float, end_s: float) -> float:
    """Return the opacity of a text at a time: it fades in and out at its ends."""
    fade_s = min(FADE_S, (end_s - start_s) / 2)
    if not start_s <= time_s < end_s or fade_s <= 0:
        return 0.0
    return float(min(1.0, (time_s - start_s) / fade_s, (end_s - time_s) / fade_s))
