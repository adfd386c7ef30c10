"""Pictures that Pillow reads: what they are, and their pixels on white, with no more decoded than limits allow.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.media.limits import MAX_FRAMES, MAX_JPEG_PIXELS, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE
from models.media.program import MediaError
from models.media.rates import Shown, choose_rate, count_frames

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")  # JPEG with several views, too
STILL_FORMATS = {"TIFF", "MPO", "PNG", "JPEG", "BMP", "HEIF"}  # many pages or views do not make it move
LARGE_PIXELS = 16_000_000
MAX_SCAN_WORK = 4_000_000_000  # pixels of all scans of a JPEG; a usual progressive one has about ten
USUAL_DURATION_MS = 100  # what browsers do with none
LEAST_DURATION_MS = 11  # what is shorter gets the usual one, as in browsers
ORIENTATION = 0x0112
START_OF_SCAN = b"\xff\xda"


class PictureInfo(NamedTuple):
    """Width and height as it is to be seen, frames and their rate; one frame for what does not move."""

    width: int
    height: int
    frames: int
    rate: Fraction


def measure(path: Path) -> PictureInfo:
    """Return what a picture or an animation is.

    Raises:
        MediaError: it is damaged, of a kind that is not read, or too large.
    """
    from PIL import Image

    try:
        with _open(path) as image:
            _check_size(path, image)
            width, height = image.size
            if image.getexif().get(ORIENTATION, 1) >= 5:  # turned by a quarter
                width, height = height, width
            count = 1 if image.format in STILL_FORMATS else int(getattr(image, "n_frames", 1))
            if count == 1:
                return PictureInfo(width, height, 1, Fraction(1))
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path.name} has too many pixels to be read.") from error
    except Exception as error:  # a stranger's file can break a parser in any way
        raise _damaged(path) from error
    shown = _times(path, count)
    rate = choose_rate(shown.starts, 0.0)
    return PictureInfo(width, height, count_frames(shown, rate), rate)


def read_all(path: Path, width: int, height: int) -> Iterator[Pixels]:
    """Yield the frames of a picture or an animation, uint8 (height, width, 3), at the rate that `measure` tells.

    What is damaged ends early.
    """
    from PIL import Image, ImageOps

    info = measure(path)
    try:
        with _open(path) as image:
            if info.frames == 1:
                image.draft("RGB", (width, height))  # JPEG: decode no more than is needed
                yield _scaled(_on_white(ImageOps.exif_transpose(_reduced(image, width, height))), width, height)
                return
            places = _places(_times(path, image.n_frames), info)
            for index in range(image.n_frames):
                if places[index] == places[index + 1]:
                    continue
                image.seek(index)
                frame = _scaled(_on_white(ImageOps.exif_transpose(image)), width, height)
                for _ in range(places[index + 1] - places[index]):
                    yield frame
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error, Image.DecompressionBombError):
        return  # the caller says so where nothing came


def _open(path: Path) -> Any:
    """Open with Pillow."""
    from pi_heif import register_heif_opener
    from PIL import Image

    Image.init()  # all its formats are known from here on
    if "HEIF" not in Image.OPEN:  # the photographs of many phones
        register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS // 2  # of which it refuses the double
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def _check_size(path: Path, image: Any) -> None:
    width, height = image.size
    most = MAX_JPEG_PIXELS if image.format in {"JPEG", "MPO"} else MAX_PICTURE_PIXELS
    if max(width, height) > MAX_PICTURE_SIDE or width * height > most:
        raise MediaError(f"{path.name} has {width:,} x {height:,} pixels, which is too large to be read.")
    if image.format in {"JPEG", "MPO"} and width * height * path.read_bytes().count(START_OF_SCAN) > MAX_SCAN_WORK:
        raise MediaError(f"{path.name} has more scans than any picture needs; save it as a plain JPEG first.")


def _damaged(path: Path) -> MediaError:
    return MediaError(f"{path.name} is damaged and cannot be read.")


def _times(path: Path, count: int) -> Shown:
    """Return when the frames of an animation are shown."""
    durations = _webp_durations(path) or _pillow_durations(path, count)
    usual = [each if each >= LEAST_DURATION_MS else USUAL_DURATION_MS for each in durations]
    ends = np.cumsum(usual, dtype=np.float64) / 1000
    return Shown(np.concatenate([[0.0], ends[:-1]]), float(ends[-1]))


def _webp_durations(path: Path) -> list[int]:
    """Return milliseconds of the frames of an animated WebP, from its chunks; none for another file."""
    durations: list[int] = []
    with path.open("rb") as file:
        if file.read(12)[8:] != b"WEBP":
            return []
        at = 12
        while len(head := file.read(8)) == 8 and len(durations) < MAX_FRAMES:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"ANMF":
                durations.append(int.from_bytes(file.read(16)[12:15], "little"))
            at += 8 + length + length % 2
            file.seek(at)
    return durations


def _pillow_durations(path: Path, count: int) -> list[int]:
    durations = []
    with _open(path) as image:
        for index in range(min(count, MAX_FRAMES)):
            image.seek(index)
            durations.append(round(image.info.get("duration", 0) or 0))
    return durations


def _places(shown: Shown, info: PictureInfo) -> list[int]:
    """Return at which frame of the constant rate each frame begins, and last where all end."""
    return [*(round(float(start * info.rate)) for start in shown.starts), info.frames]


def _reduced(image: Any, width: int, height: int) -> Any:
    """Return a large picture with squares of pixels made one each, so that what follows takes little memory."""
    if image.width * image.height < LARGE_PIXELS or image.mode.startswith("I;16"):
        return image
    sides = (height, width) if image.getexif().get(ORIENTATION, 1) >= 5 else (width, height)
    factor = min(each // (2 * max(1, side)) for each, side in zip(image.size, sides, strict=True))
    if factor < 2:
        return image
    exif = image.getexif()
    if image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
    smaller = image.reduce(factor)
    smaller.info["exif"] = exif.tobytes() if exif else b""
    return smaller


def _scaled(image: Any, width: int, height: int) -> Pixels:
    from PIL import Image

    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))


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
