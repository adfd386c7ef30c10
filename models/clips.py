"""Clips and pictures from strangers: what they are, and their frames one after the other.

Pictures, animated ones too, are read with Pillow; everything else with ffmpeg, by way of a pipe, so that a clip of any
length takes the memory of a few frames. Turned phone videos come upright, pixels that are not square come square, and
what is transparent comes white.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media import command as media
from models.media.program import MediaError as ClipError

Pixels = NDArray[np.uint8]

MAX_CLIP_S = 600.0
MAX_FRAMES = 36_000
MAX_SIDE = 16_384
MAX_PICTURE_PIXELS = 160_000_000
MAX_RATE = 240
SLOWEST = Fraction(1, 10)  # frames a second
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")

_VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (\w+)(.*)")
_SOUND = re.compile(r"Stream #0:\d+.*?: Audio: (\w+)(.*)")
_SIZE = re.compile(r", (\d+)x(\d+)")
_ASPECT = re.compile(r"SAR (\d+):(\d+)")
_RATE = re.compile(r"([\d.]+)(k?) (fps|tbr)")
_TURN = re.compile(r"rotation of (-?[\d.]+) degrees")
_LENGTH = re.compile(r"time=(\d+):(\d\d):(\d\d\.\d+)")  # of the pictures alone: the sound may last longer
_START = re.compile(r"[ ,]start:? (-?[\d.]+)")
_COUNT = re.compile(r"frame=\s*(\d+)")


@dataclass(frozen=True)
class ClipInfo:
    """What a file holds.

    Attributes:
        width, height: in pixels as it is to be seen, upright and with square pixels.
        rate: frames in a second; 1 for a single picture.
        frames: how many there are.
        is_picture: whether it is one picture that does not move.
        sound: codec of its sound as ffmpeg calls it, or "".
        delay_s: by how much the picture begins later than the file.
        by_pillow: who reads it.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    is_picture: bool = False
    sound: str = ""
    delay_s: float = 0.0
    by_pillow: bool = False

    @property
    def duration_s(self) -> float:
        """How long it lasts; 0 for a picture."""
        return 0.0 if self.is_picture else float(self.frames / self.rate)

    def fitted(self, longest: int) -> tuple[int, int]:
        """Width and height of the same shape with `longest` as the longer side at most; even where it moves."""
        scale = min(1.0, longest / max(self.width, self.height))
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        if self.is_picture:
            return width, height
        return max(2, 2 * round(width / 2)), max(2, 2 * round(height / 2))


def probe(path: str | Path) -> ClipInfo:
    """Tell what a clip or picture is, without decoding it.

    Raises:
        ClipError: it is missing, empty, damaged, too large, too long, or holds no picture.
    """
    path = Path(path)
    if not path.is_file():
        raise ClipError("The file is gone; choose it again.")
    if path.stat().st_size == 0:
        raise ClipError(f"{path.name} is empty.")
    info = _probe_picture(path) or _probe_clip(path)
    if max(info.width, info.height) > MAX_SIDE or info.width * info.height > MAX_PICTURE_PIXELS:
        raise ClipError(f"{path.name} has {info.width:,} x {info.height:,} pixels, which is too large to be read.")
    if info.duration_s > MAX_CLIP_S or info.frames > MAX_FRAMES:
        raise ClipError(f"{path.name} is longer than {MAX_CLIP_S / 60:g} minutes; cut it first.")
    return info


def read_frames(path: str | Path, info: ClipInfo, width: int, height: int) -> Iterator[Pixels]:
    """All frames of a file, uint8 (height, width, 3) in RGB, as many as `info` says or fewer if it breaks off.

    Closing the iterator ends the reading.

    Raises:
        ClipError: not even one frame can be read.
    """
    source = _pillow_frames if info.by_pillow else _ffmpeg_frames
    count = 0
    for frame in source(Path(path), info, width, height):
        count += 1
        yield frame
    if not count:
        raise ClipError(f"{Path(path).name} is damaged: not one picture of it can be read.")


def read_picture(path: str | Path, shorter: int, longest: int) -> Pixels:
    """One picture, the first frame of a clip or animation, uint8 (H, W, 3).

    Args:
        shorter, longest: what the sides are brought down to; smaller pictures stay as they are. A picture that is much
            longer than wide is cut to its middle.

    Raises:
        ClipError: as `probe` and `read_frames`.
    """
    info = probe(path)
    scale = min(1.0, shorter / min(info.width, info.height))
    width, height = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    frames = read_frames(path, info, width, height)
    try:
        frame = next(frames)
    finally:
        frames.close()  # type: ignore[attr-defined]
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    return frame[top : top + longest, left : left + longest]


def _probe_picture(path: Path) -> ClipInfo | None:
    """None where Pillow does not know the file."""
    from PIL import Image, UnidentifiedImageError

    try:
        with _quiet_open(path) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # turned by a quarter
                width, height = height, width
            count = int(getattr(image, "n_frames", 1))
            if count == 1 or image.format in {"TIFF", "MPO"}:  # many pages or views do not make it move
                return ClipInfo(width, height, Fraction(1), 1, is_picture=True, by_pillow=True)
            total_ms = 0.0
            for index in range(min(count, MAX_FRAMES)):
                image.seek(index)
                total_ms += image.info.get("duration", 0) or 100  # what browsers do with no duration
    except (UnidentifiedImageError, FileNotFoundError):
        return None
    except Image.DecompressionBombError as error:
        raise ClipError(f"{path.name} has too many pixels to be read.") from error
    except Exception as error:  # a stranger's file can break a parser in any way
        raise ClipError(f"{path.name} is damaged and cannot be read.") from error
    rate = min(Fraction(MAX_RATE), Fraction(round(count * 1000), round(total_ms)).limit_denominator(1001))
    return ClipInfo(width, height, max(rate, SLOWEST), count, by_pillow=True)


def _quiet_open(path: Path) -> Any:
    """Open with Pillow, whose own limit of pixels is lower than ours."""
    import warnings

    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _pillow_frames(path: Path, info: ClipInfo, width: int, height: int) -> Iterator[Pixels]:
    from PIL import Image, ImageOps

    try:
        with _quiet_open(path) as image:
            for index in range(info.frames):
                if index or not info.is_picture:
                    image.seek(index)
                else:
                    image.draft("RGB", (width, height))  # JPEG: decode no more than is needed
                frame = _on_white(ImageOps.exif_transpose(image))
                yield np.asarray(frame.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        return  # the caller says so where nothing came


def _on_white(image: Any) -> Any:
    """RGB, with white where it is transparent; deep greys are brought to eight bits."""
    from PIL import Image

    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        values = np.asarray(image, dtype=np.float32)
        top = 65535.0 if values.max() > 255 else 255.0
        return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _probe_clip(path: Path) -> ClipInfo:
    command = [*_input(path), "-map", "0:v:0", "-c", "copy", "-f", "null", "-"]
    _, _, text = media.run(command, level=("-v", "info"))
    video = _VIDEO.search(text)
    size = _SIZE.search(video.group(2)) if video else None
    counts = _COUNT.findall(text)
    if video is None or size is None or not counts or not int(counts[-1]):
        raise ClipError(f"{path.name} holds no moving picture that can be read; MP4, WebM, MOV and GIF always can.")
    width, height = int(size.group(1)), int(size.group(2))
    aspect = _ASPECT.search(video.group(2))
    if aspect and int(aspect.group(1)) and int(aspect.group(2)):
        width = max(1, round(width * int(aspect.group(1)) / int(aspect.group(2))))
    turn = _TURN.search(text)
    if turn and round(float(turn.group(1)) / 90) % 2:
        width, height = height, width
    frames = int(counts[-1])
    start, own = _START.search(text), _START.search(video.group(2))
    delay_s = float(own.group(1)) - float(start.group(1)) if start and own else 0.0
    sound = _SOUND.search(text)
    return ClipInfo(
        width,
        height,
        _rate(video.group(2), text, frames),
        frames,
        sound=sound.group(1) if sound else "",
        delay_s=max(0.0, delay_s),
    )


def _rate(line: str, text: str, frames: int) -> Fraction:
    """Frames in a second: what the file says, unless its length and count of frames say otherwise."""
    named = _RATE.search(line)
    value = float(named.group(1)) * (1000 if named.group(2) else 1) if named else 25.0
    rate = next(
        (exact for exact in (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001))
         if abs(float(exact) - value) < 0.011),
        Fraction(value).limit_denominator(1001),
    )  # fmt: skip
    rate = max(rate, SLOWEST)  # ffmpeg rounds a frame an hour to "0 fps"
    lengths = _LENGTH.findall(text)
    if lengths and frames > 1:
        hours, minutes, seconds = lengths[-1]
        duration_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
        if duration_s > 0 and abs(frames / float(rate) - duration_s) > max(0.1, 0.02 * duration_s, 4 / float(rate)):
            rate = Fraction(frames / duration_s).limit_denominator(1001)
    return min(max(rate, SLOWEST), Fraction(MAX_RATE))


def _input(path: Path) -> list[str]:
    try:
        return media.input_of(path)
    except ClipError as error:
        raise ClipError(
            f"{path.name} holds no moving picture that can be read; MP4, WebM, MOV and GIF always can."
        ) from error


def _ffmpeg_frames(path: Path, info: ClipInfo, width: int, height: int) -> Iterator[Pixels]:
    shape = f"scale={width}:{height}:flags=area,setsar=1"
    command = [*_input(path), "-map", "0:v:0", "-vf", shape, "-fps_mode", "passthrough"]
    command += ["-frames:v", str(info.frames), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    size = width * height * 3
    with media.PipeReader(command) as reader:
        while len(block := reader.read(size)) == size:
            yield np.frombuffer(block, dtype=np.uint8).reshape(height, width, 3)
