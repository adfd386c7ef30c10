"""Clips written for the browser: H.264 in MP4, with the sound of another file as it was.

`models.clips` reads what people upload; this writes. Frames go through a pipe, so a long clip takes no memory.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.clips import ClipInfo
from models.media import command as media
from models.media.program import MediaError

COPIED_SOUND = ("aac", "mp3", "alac", "ac3", "eac3", "flac", "opus")  # what MP4 holds and browsers know


class ClipWriter(media.PipeWriter):
    """Writes frames as an MP4 file that every browser plays; use it in a `with`.

    Args:
        path: of the file.
        width, height: of the frames; odd sides get one pixel more.
        rate: frames in a second.

    Raises:
        MediaError: ffmpeg ended early.
    """

    def __init__(self, path: str | Path, width: int, height: int, rate: Fraction, quality: int = 18) -> None:
        shape = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=black,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
        command = media.frames_input(width, height, f"{rate.numerator}/{rate.denominator}")
        command += ["-vf", shape, "-c:v", "libx264", "-preset", "veryfast", "-crf", str(quality)]
        command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        super().__init__(Path(path), [*command, "-movflags", "+faststart"])

    def __enter__(self) -> ClipWriter:
        return self

    def write(self, frames: NDArray[np.uint8]) -> None:
        """Append frames, uint8 (N, H, W, 3)."""
        super().write(np.ascontiguousarray(frames).data)


def with_sound_of(video: Path, source: str | Path, info: ClipInfo, target: Path) -> str:
    """Write `target`: the picture of `video` and the sound of `source`; returns what was done, as a sentence.

    The sound is copied byte for byte where MP4 can hold it. Uncompressed sound becomes FLAC, which loses nothing;
    anything else becomes AAC of high quality.

    Raises:
        MediaError: the sound cannot be read.
    """
    if info.sound in COPIED_SOUND:
        codec, said = ["copy"], "The sound is the original's, byte for byte."
    elif info.sound.startswith("pcm"):
        codec, said = ["flac"], "The sound was packed as FLAC, which loses nothing."
    else:
        codec, said = ["aac", "-b:a", "256k"], f"The sound was turned from {info.sound} into AAC for MP4."
    command = [*media.input_of(video, "-itsoffset", f"{info.delay_s:.3f}"), *media.input_of(source)]
    command += ["-map", "0:v:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy", "-c:a", *codec]
    command += ["-strict", "-2", "-movflags", "+faststart", f"file:{target}"]
    code, _ = media.write(command)
    if code != 0:
        raise MediaError("The sound of the clip could not be carried over.")
    return said


def write_picture(path: str | Path, pixels: NDArray[np.uint8]) -> Path:
    """Write uint8 (H, W, 3) by the suffix of the path."""
    from PIL import Image

    Image.fromarray(pixels).save(path)
    return Path(path)


def scratch(suffix: str = ".mp4") -> Path:
    """Return a name for a temporary file of its own."""
    with tempfile.NamedTemporaryFile(prefix="auralume-", suffix=suffix, delete=False) as file:
        return Path(file.name)
