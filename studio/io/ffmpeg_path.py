"""Make `ffmpeg` and `ffprobe` answer by name, on machines that have neither.

Gradio calls both by name on PATH. The package imageio-ffmpeg (it comes with moviepy) holds an ffmpeg binary under a
name of its own and no ffprobe. Where the system does not have both, a private folder is put first on PATH: in it,
`ffmpeg` points to that binary and `ffprobe` starts the small program in `studio/io/ffprobe.py`.
"""

from __future__ import annotations

import atexit
import logging
import os
import shlex
import shutil
import stat
import sys
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)


def ensure_ffmpeg() -> Path | None:
    """Put a private ffmpeg and ffprobe on PATH unless the system has both.

    Returns:
        The private folder, or None when the system's programs are used or no binary could be found (streamed sound
        then does not work, everything else does).
    """
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        return None
    binary = _find_binary()
    if binary is None:
        log.warning("No ffmpeg was found; install imageio-ffmpeg or ffmpeg to hear sound while it is made.")
        return None
    folder = Path(tempfile.mkdtemp(prefix="auralume-ffmpeg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _place_binary(binary, folder)
    _place_probe(binary, folder)
    os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    return folder


def _find_binary() -> str | None:
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return shutil.which("ffmpeg")


def _place_binary(binary: str, folder: Path) -> None:
    target = folder / ("ffmpeg.exe" if os.name == "nt" else "ffmpeg")
    try:
        target.symlink_to(binary)
    except OSError:
        shutil.copy2(binary, target)


def _place_probe(binary: str, folder: Path) -> None:
    program = Path(__file__).with_name("ffprobe.py")
    if os.name == "nt":
        line = f'@"{sys.executable}" -I "{program}" --ffmpeg "{binary}" %*\r\n'
        (folder / "ffprobe.cmd").write_text(line)
        return
    words = [sys.executable, "-I", "-S", str(program), "--ffmpeg", binary]
    target = folder / "ffprobe"
    target.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
