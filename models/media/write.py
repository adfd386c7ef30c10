"""What the studio writes of moving pictures: MP4 with H.264 that every browser plays, and GIF.

Frames go through a pipe, so a long clip takes no memory.

Letters: N frames, H and W height and width in pixels.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.media import command
from models.media.clip_info import ClipInfo, probe
from models.media.clip_reader import read_frames
from models.media.program import MediaError

Pixels = NDArray[np.uint8]

EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=black"
COPIED_SOUND = {"aac", "mp3", "flac", "opus"}  # what MP4 holds and browsers decode
COPIED_AAC = {"", "LC", "HE-AAC", "HE-AACv2"}
PLAYED_VIDEO = {"h264", "vp9", "av1"}
PLAYED_FILES = {(".mp4", "h264"), (".mp4", "av1"), (".webm", "vp8"), (".webm", "vp9"), (".webm", "av1")}
GIF_RATE = Fraction(25, 2)  # GIF counts hundredths of a second: 8 of them
NOT_WRITTEN = "The clip could not be written; there may be too little room on the disk."


class VideoWriter(command.PipeWriter):
    """Writes frames as an MP4 file that every browser plays; use it in a `with`.

    Where the writing fails or is broken off, nothing is left of the file.

    Args:
        path: of the file.
        width, height: of the frames; odd sides get one pixel more.
        rate: frames in a second.
        quality: x264's constant rate factor, less is better.
        song: sound file to lay under the picture, or None.
        song_s: how much of the song is used.
        key_frames: how many frames lie between two that stand for themselves; None leaves it to the encoder.

    Raises:
        MediaError: ffmpeg ended early, or the song cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        rate: Fraction,
        quality: int = 18,
        song: Path | None = None,
        song_s: float = 0.0,
        key_frames: int | None = None,
    ) -> None:
        arguments = command.frames_input(width, height, f"{rate.numerator}/{rate.denominator}")
        if song is not None:
            try:
                arguments += command.input_of(song, "-t", f"{song_s:.6f}")
            except MediaError as error:
                raise MediaError("The song could not be read; it may be damaged.") from error
            arguments += ["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
        arguments += ["-vf", f"{EVEN},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264"]
        arguments += ["-preset", "veryfast", "-crf", str(quality), "-map_metadata", "-1"]
        arguments += ["-g", str(key_frames)] if key_frames is not None else []
        arguments += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        super().__init__(Path(path), [*arguments, "-movflags", "+faststart"])

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frames: Pixels) -> None:
        """Append a frame, uint8 (H, W, 3), or several, (N, H, W, 3).

        Raises:
            MediaError: ffmpeg has ended early.
        """
        super().write(np.ascontiguousarray(frames).data)


def add_sound_of(video: Path, source: str | Path, info: ClipInfo, target: Path) -> str:
    """Write `target`: the picture of `video` and the sound of `source`; returns what was done, as a sentence.

    The sound is copied byte for byte where MP4 can hold it and browsers decode it. Uncompressed sound becomes FLAC,
    which loses nothing; anything else becomes AAC of high quality.

    Args:
        info: of `source`.

    Raises:
        MediaError: the sound cannot be read.
    """
    codec = info.sound
    if codec in COPIED_SOUND and (codec != "aac" or info.sound_profile in COPIED_AAC):
        coding, said = ["copy"], "The sound is the original's, byte for byte."
    elif codec.startswith("pcm") or codec in {"alac", "wavpack", "ape", "tta"}:
        coding, said = ["flac"], "The sound was packed as FLAC, which loses nothing."
    else:
        coding, said = ["aac", "-b:a", "256k"], f"The sound was turned from {codec} into AAC for MP4."
    arguments = [*command.input_of(video), *command.input_of(source)]
    arguments += ["-map", "0:v:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy", "-c:a", *coding]
    arguments += ["-strict", "-2", "-movflags", "+faststart", f"file:{target}"]
    code, _ = command.write([*arguments, *command.keep_time(source, "1:V:0?")])
    if code != 0:
        raise MediaError("The sound of the clip could not be carried over.")
    return said


def join_sound(video: Path, sound: Path, target: Path) -> Path:
    """Write the picture of `video`, untouched, with the sound of a WAV file as AAC.

    Raises:
        MediaError: it cannot be written.
    """
    arguments = [*command.input_of(video), *command.input_of(sound)]
    arguments += ["-map", "0:V:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy"]
    arguments += ["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", f"file:{target}"]
    _write([*arguments, *command.keep_time(video, "0:a:0?")])
    return target


def replace_sound(source: Path, info: ClipInfo, sound: Path, target: Path) -> Path:
    """Write the picture of an upload with the sound of a WAV file that begins with it.

    The picture is copied where browsers play it and its frames stay at their times; else it is packed anew.

    Args:
        info: of `source`.

    Raises:
        MediaError: it cannot be read or written.
    """
    if info.codec in PLAYED_VIDEO and not info.transfer and not info.has_alpha:
        try:
            join_sound(source, sound, target)
            made = probe(target)
            if (made.width, made.height, made.rate, made.frames) == (info.width, info.height, info.rate, info.frames):
                return target
        except MediaError:
            pass
    return write_anew(source, info, target, sound)


def write_anew(
    source: Path, info: ClipInfo, target: Path, sound: Path | None = None, size: tuple[int, int] | None = None
) -> Path:
    """Write the frames of an upload as they are read, with the sound of a WAV file or none.

    Args:
        info: of `source`.
        size: width and height; None leaves them.

    Raises:
        MediaError: it cannot be read or written.
    """
    width, height = size or (info.width, info.height)
    with VideoWriter(target, width, height, info.rate, song=sound, song_s=info.duration_s) as writer:
        for frame in read_frames(source, info, width, height):
            writer.write(frame)
    return target


def write_picture(path: str | Path, pixels: Pixels) -> Path:
    """Write a picture, uint8 (H, W, 3), by the suffix of the path."""
    from PIL import Image

    Image.fromarray(pixels).save(path)
    return Path(path)


def write_gif(path: Path, video: Path) -> Path:
    """Write a clip as a GIF without end, with a palette of its own.

    Raises:
        MediaError: it cannot be written.
    """
    palette = f"fps={GIF_RATE.numerator}/{GIF_RATE.denominator},split[a][b];[a]palettegen[p];[b][p]paletteuse"
    _write([*command.input_of(video), "-filter_complex", palette, "-loop", "0", f"file:{path}"])
    return path


def _write(arguments: list[str]) -> None:
    code, _ = command.write(arguments)
    if code != 0:
        raise MediaError(NOT_WRITTEN)
