"""The ffmpeg program, and the error that everything about media raises."""

from __future__ import annotations

import shutil


class MediaError(ValueError):
    """A file cannot be read or written; the message is a sentence for the person."""


def find_ffmpeg() -> str:
    """Return the path of the system's ffmpeg, or of the one that imageio-ffmpeg brings.

    Raises:
        MediaError: there is neither.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise MediaError("No ffmpeg was found on this machine. Install the package imageio-ffmpeg.") from error
