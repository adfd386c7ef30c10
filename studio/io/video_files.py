"""Clips written for the browser: H.264 in MP4, with the sound of another file as it was.

`models.clips` reads what people upload; this writes. Frames go through a pipe, so a long clip takes no memory.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from models.clips import ClipInfo, ffmpeg_program
from studio.io.audio_files import MediaError

COPIED_SOUND = ("aac", "mp3", "alac", "ac3", "eac3", "flac", "opus")  # what MP4 holds and browsers know
WRITE_TIMEOUT_S = 120


class ClipWriter:
    """Writes frames as an MP4 file that every browser plays; use it in a `with`.

    Args:
        path: of the file.
        width, height: of the frames; odd sides get one pixel more.
        rate: frames in a second.

    Raises:
        MediaError: ffmpeg ended early.
    """

    def __init__(self, path: str | Path, width: int, height: int, rate: Fraction, quality: int = 18) -> None:
        self.path = Path(path)
        shape = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=black,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
        command = [ffmpeg_program(), "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", f"{width}x{height}", "-r", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0"]
        command += ["-vf", shape, "-c:v", "libx264", "-preset", "veryfast", "-crf", str(quality)]
        command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        command += ["-movflags", "+faststart", f"file:{self.path}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> ClipWriter:
        return self

    def write(self, frames: NDArray[np.uint8]) -> None:
        """Append frames, uint8 (N, H, W, 3)."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frames).data)
        except (BrokenPipeError, OSError) as error:
            raise MediaError("The clip could not be written; there may be too little room on the disk.") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        if kind is not None:
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        code = self._process.wait(timeout=WRITE_TIMEOUT_S)
        if kind is None and code != 0:
            raise MediaError("The clip could not be written; there may be too little room on the disk.")


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
    command = [ffmpeg_program(), "-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file,pipe"]
    command += ["-itsoffset", f"{info.delay_s:.3f}", "-i", f"file:{video}", "-i", f"file:{source}"]
    command += ["-map", "0:v:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy", "-c:a", *codec]
    command += ["-strict", "-2", "-movflags", "+faststart", f"file:{target}"]
    run = subprocess.run(command, capture_output=True, check=False, timeout=WRITE_TIMEOUT_S)
    if run.returncode != 0:
        raise MediaError("The sound of the clip could not be carried over.")
    return said


def write_picture(path: str | Path, pixels: NDArray[np.uint8]) -> Path:
    """Write uint8 (H, W, 3) by the suffix of the path."""
    from PIL import Image

    Image.fromarray(pixels).save(path)
    return Path(path)


def scratch(suffix: str = ".mp4") -> Path:
    """A name for a temporary file of its own."""
    with tempfile.NamedTemporaryFile(prefix="auralume-", suffix=suffix, delete=False) as file:
        return Path(file.name)
