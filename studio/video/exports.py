"""What a finished clip is taken away as: MP4 with sound, WebP, and of characters what is cut out of the paper."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.program import MediaError
from models.media.write import VideoWriter, join_sound
from studio.io import audio_files

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
SPRITE_SCALE = 4  # of a transparent GIF, with hard pixels
OPAQUE = 128


def write_clip(
    path: Path, frames: Pixels, frames_per_second: float, sound: FloatArray | None = None, sample_rate: int = 44_100
) -> Path:
    """Write frames uint8 (F, H, W, 3) as H.264 in MP4 that every browser plays, with sound (2, n) as AAC.

    Raises:
        MediaError: it cannot be written.
    """
    rate = Fraction(frames_per_second).limit_denominator(1001)
    height, width = frames.shape[1:3]
    silent = path if sound is None else path.with_name(f"{path.stem}-silent.mp4")
    with VideoWriter(silent, width, height, rate) as writer:
        writer.write(frames)
    if sound is not None:
        wav = audio_files.write_wav(path.with_name(f"{path.stem}-sound.wav"), sound, sample_rate)
        try:
            join_sound(silent, wav, path)
        finally:
            silent.unlink(missing_ok=True)
            wav.unlink(missing_ok=True)
    return path


def write_webp(path: Path, frames: Pixels, frames_per_second: float, quality: int = 75) -> Path:
    """Return frames uint8 (F, H, W, 3 or 4) as an animated WebP without end."""
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=_times(len(images), frames_per_second, 1000),
        loop=0,
        quality=quality,
        method=2,
    )
    return path


def write_sheet(path: Path, cut: Pixels) -> Path:
    """Return cut-out frames uint8 (F, R, S, 4) as one PNG, eight in a row."""
    from PIL import Image

    from models.video.cutout import build_sprite_sheet

    Image.fromarray(build_sprite_sheet(cut)).save(path)
    return path


def write_sprite_gif(path: Path, cut: Pixels, frames_per_second: float) -> Path:
    """Return cut-out frames uint8 (F, R, S, 4) as a GIF with a transparent ground, each pixel four wide."""
    from PIL import Image

    opaque = cut[cut[..., 3] >= OPAQUE][:, :3]
    if not len(opaque):
        raise MediaError("Nothing is left of the clip when its ground is cut out.")
    palette = Image.fromarray(opaque[None]).quantize(255, dither=Image.Dither.NONE)
    images = []
    for frame in cut:
        indexed = np.asarray(Image.fromarray(frame[..., :3]).quantize(palette=palette, dither=Image.Dither.NONE)).copy()
        indexed[frame[..., 3] < OPAQUE] = 255
        image = Image.fromarray(indexed.repeat(SPRITE_SCALE, 0).repeat(SPRITE_SCALE, 1), mode="P")
        image.putpalette([*(palette.getpalette() or [])[: 3 * 255], 0, 0, 0])
        images.append(image)
    hundredths = _times(len(images), frames_per_second, 100)
    options: dict[str, Any] = {"duration": [10 * each for each in hundredths], "loop": 0, "disposal": 2}
    images[0].save(path, save_all=True, append_images=images[1:], transparency=255, optimize=False, **options)
    return path


def _times(count: int, frames_per_second: float, units: int) -> list[int]:
    """Return whole durations in `units` of a second that add up."""
    ends = [round(units * index / frames_per_second) for index in range(count + 1)]
    return [end - begin for begin, end in pairwise(ends)]
