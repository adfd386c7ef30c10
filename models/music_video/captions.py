"""Lyrics with times: read from SubRip (SRT) and LRC text, and title and lyrics drawn over frames.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

MAX_CAPTIONS = 2_000
MAX_CAPTION_FILE_BYTES = 1_000_000
MAX_CAPTION_CHARACTERS = 200
LAST_LINE_S = 5.0  # how long a line of LRC is shown that no other follows
LONGEST_LINE_S = 8.0
FADE_S = 0.2

_SRT_TIME = re.compile(
    r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
)
_LRC_TIME = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_LRC_OFFSET = re.compile(r"\[offset:\s*([+-]?\d{1,9})\s*\]", re.IGNORECASE)
_MARK = re.compile(r"<[^>]{0,100}>|\{\\[^}]{0,100}\}")


@dataclass(frozen=True)
class Caption:
    """A line shown from start to end, in seconds."""

    start_s: float
    end_s: float
    text: str


def read_captions(path: str | Path) -> tuple[Caption, ...]:
    """Read the captions of an SRT, VTT or LRC file.

    Raises:
        ValueError: a sentence: the file is missing, too large, no text, or holds no line with a time.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError("The captions file is gone; choose it again.")
    if path.stat().st_size > MAX_CAPTION_FILE_BYTES:
        raise ValueError("The captions file is larger than a megabyte; it cannot be lyrics.")
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "latin-1"):
        try:
            return parse_captions(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise ValueError("The captions file is not text.")


def parse_captions(text: str) -> tuple[Caption, ...]:
    """Captions of SRT, WebVTT or LRC text, in order of time.

    Raises:
        ValueError: no line with a time was found, or there are too many.
    """
    found = _parse_srt(text) if "-->" in text else _parse_lrc(text)
    if not found:
        raise ValueError("No line with a time was found; captions must be SRT, WebVTT or LRC.")
    if len(found) > MAX_CAPTIONS:
        raise ValueError(f"There are {len(found):,} captions; at most {MAX_CAPTIONS:,} can be shown.")
    return tuple(sorted(found, key=lambda each: each.start_s))


def _clean(line: str) -> str:
    plain = _MARK.sub("", line)
    visible = "".join(character if character.isprintable() else " " for character in plain)
    return " ".join(visible.split())[:MAX_CAPTION_CHARACTERS]


def _parse_srt(text: str) -> list[Caption]:
    captions: list[Caption] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        times = _SRT_TIME.search(block)
        if times is None:
            continue
        numbers = [int(each or 0) for each in times.groups()]
        fractions = [int((times.group(at) + "00")[:3]) for at in (4, 8)]
        start_s, end_s = (
            h * 3600 + m * 60 + s + f / 1000
            for (h, m, s), f in zip((numbers[0:3], numbers[4:7]), fractions, strict=True)
        )
        words = _clean(" ".join(block[times.end() :].split("\n")[1:]))
        if words and end_s > start_s:
            captions.append(Caption(start_s, end_s, words))
    return captions


def _parse_lrc(text: str) -> list[Caption]:
    offset = _LRC_OFFSET.search(text)
    earlier_s = int(offset.group(1)) / 1000 if offset else 0.0  # a positive offset shows the lines earlier
    lines: list[tuple[float, str]] = []
    for line in text.splitlines():
        times = list(_LRC_TIME.finditer(line))
        words = _clean(line[times[-1].end() :]) if times else ""
        for time in times:
            fraction = int((time.group(3) or "0").ljust(3, "0")) / 1000
            lines.append((max(0.0, int(time.group(1)) * 60 + int(time.group(2)) + fraction - earlier_s), words))
    lines.sort(key=lambda each: each[0])
    captions = []
    for (start_s, words), after in zip(
        lines, [*lines[1:], (lines[-1][0] + LAST_LINE_S, "")] if lines else [], strict=True
    ):
        end_s = min(after[0], start_s + LONGEST_LINE_S)
        if words and end_s > start_s:
            captions.append(Caption(start_s, end_s, words))
    return captions


@lru_cache(maxsize=1)
def _font_file() -> str:
    """DejaVu Sans Bold, which comes with matplotlib and knows Latin, Greek and Cyrillic."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")


def _wrapped(words: str, font: Any, width: float) -> list[str]:
    """Lines no wider than `width` pixels; a word that is wider is broken anywhere."""
    lines: list[str] = []
    for word in words.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


@lru_cache(maxsize=64)
def text_layer(words: str, width: int, size: float) -> tuple[Pixels, NDArray[np.float32]]:
    """White letters with a dark edge: colours uint8 (h, w, 3) and how much they cover, float32 (h, w, 1) in [0, 1].

    Args:
        width: of the frame in pixels; the text takes nine tenths of it at most, in several lines if need be.
        size: of the letters in pixels; less where one word would not fit.
    """
    from PIL import Image, ImageDraw, ImageFont

    most = 0.9 * width - 0.2 * size
    font = ImageFont.truetype(_font_file(), max(8, round(size)))
    widest = max((font.getlength(word) for word in words.split()), default=1.0)
    if widest > most:
        font = ImageFont.truetype(_font_file(), max(8, size / 3, int(size * most / widest)))
    text = "\n".join(_wrapped(words, font, most))
    edge = max(1, round(font.size / 14))
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    box = probe.multiline_textbbox((0, 0), text, font=font, align="center", stroke_width=edge, spacing=font.size * 0.25)
    layer = Image.new("RGBA", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4), (12, 16, 26, 0))
    ImageDraw.Draw(layer).multiline_text(
        (2 - box[0], 2 - box[1]), text, font=font, align="center", fill="white",
        stroke_width=edge, stroke_fill=(12, 16, 26, 225), spacing=font.size * 0.25,
    )  # fmt: skip
    values = np.asarray(layer)
    return values[..., :3].copy(), values[..., 3:].astype(np.float32) / 255.0


def lay_over(
    frame: Pixels, layer: tuple[Pixels, NDArray[np.float32]], centre: tuple[float, float], share: float
) -> None:
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
    """Of a text at a time: fades in and out at its ends."""
    fade_s = min(FADE_S, (end_s - start_s) / 2)
    if not start_s <= time_s < end_s or fade_s <= 0:
        return 0.0
    return float(min(1.0, (time_s - start_s) / fade_s, (end_s - time_s) / fade_s))
