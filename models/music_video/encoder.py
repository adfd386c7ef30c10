"""Frames and a song into an MP4 file, through a pipe to ffmpeg: nothing is kept in memory.

The frame rate is constant and the sound is encoded from its first sample by the same process, so that picture and sound
stay together however long the song is.
"""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.media import command as media
from models.media.program import MediaError as EncodingError


class SongVideoWriter(media.PipeWriter):
    """Writes an MP4 (H.264, AAC) that every browser plays; use it in a `with`, which ends ffmpeg in every case.

    Args:
        path: of the file; where the writing fails or is broken off, nothing is left of it.
        size: width and height, even.
        song: sound file to lay under the picture, or None.
        duration_s: of the sound that is used.

    Raises:
        EncodingError: ffmpeg ended early.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], rate: Fraction, song: Path | None, duration_s: float, quality: int = 21
    ) -> None:
        command = media.frames_input(*size, f"{rate.numerator}/{rate.denominator}")
        if song is not None:
            try:
                command += media.input_of(song, "-t", f"{duration_s:.6f}")
            except EncodingError as error:
                raise EncodingError("The song could not be read; it may be damaged.") from error
            command += ["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
        command += ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264"]
        command += ["-preset", "veryfast", "-crf", str(quality), "-g", str(5 * round(rate)), "-map_metadata", "-1"]
        command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        super().__init__(path, [*command, "-movflags", "+faststart"])

    def __enter__(self) -> SongVideoWriter:
        return self

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Append one frame, uint8 (H, W, 3)."""
        super().write(np.ascontiguousarray(frame).data)


def decode_song(
    source: Path, target: Path, start_s: float = 0.0, end_s: float | None = None, longest_s: float = 3600.0
) -> float:
    """Write the sound of a file, from start to end, as a WAV of 44,100 Hz, two channels, 16 bits; returns its seconds.

    A pipe does the work, so a long song of many channels takes no memory.

    Raises:
        EncodingError: a sentence: the file is missing or damaged, holds no sound, or none between the times.
    """
    if not source.is_file():
        raise EncodingError("The song is gone; choose it again.")
    if source.stat().st_size == 0:
        raise EncodingError(f"{source.name} is empty.")
    length_s = min(longest_s, (end_s if end_s is not None else start_s + longest_s) - start_s)
    if length_s <= 0:
        raise EncodingError("The trim ends before it begins.")
    command = media.input_of(source, *(("-ss", f"{start_s:.6f}") if start_s > 0 else ()))
    command += ["-t", f"{length_s:.6f}", "-map", "0:a:0", "-vn", "-ac", "2", "-ar", "44100"]
    command += ["-c:a", "pcm_s16le", "-map_metadata", "-1", "-f", "wav", f"file:{target}"]
    _, said = media.write(command)
    if "No space" in said:
        target.unlink(missing_ok=True)
        raise EncodingError("The song could not be unpacked: the disk is full.")
    frames = _wav_frames(target)
    if not frames:
        target.unlink(missing_ok=True)
        if start_s > 0 and "matches no streams" not in said and "Invalid data" not in said:
            raise EncodingError("Nothing of the song lies after the start of the trim.")
        raise EncodingError(f"{source.name} holds no sound that can be read; WAV, MP3, FLAC, OGG and MP4 always can.")
    return frames / 44_100


def _wav_frames(path: Path) -> int:
    """Count the samples of a WAV file: 0 where it holds none or is not there."""
    try:
        with wave.open(str(path)) as file:
            return file.getnframes()
    except (OSError, EOFError, wave.Error):
        return 0
