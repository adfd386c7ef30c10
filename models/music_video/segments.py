"""Shots as files of their own, kept by what is in them, and joined to a video without being encoded again.

A shot that was drawn once is found again by its key: a digest of everything that its frames depend on. So a video in
which one shot was changed costs that shot alone.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media import command
from models.media.program import MediaError
from models.media.write import NOT_WRITTEN
from models.music_video.contracts import TARGET_LUFS, MusicVideoRequest

Pixels = NDArray[np.uint8]

MOST_BYTES = 2**30
BLOCK_BYTES = 2**20
SILENCE_LUFS, CEILING = -60.0, 0.84  # about -1.5 dB, which leaves room for what AAC adds
NO_SONG = "The song could not be read; it may be damaged."


def make_key(*parts: Any) -> str:
    """Return a digest of values: arrays by their bytes, all else as it is written."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def digest_file(path: Path) -> str:
    """Return a digest of a file's bytes; one that has not changed is read once.

    Raises:
        MediaError: the file is gone.
    """
    try:
        facts = path.stat()
        return _digest(path, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise MediaError(f"{path.name} is gone; choose your photos and clips again.") from error


@lru_cache(maxsize=1024)
def _digest(path: Path, _modified_ns: int, _size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class SegmentStore:
    """Files of shots in a folder, each with a small picture; several videos may use it at once.

    Args:
        most_bytes: of all files that no video is using; the least used go first.
        folder: where they lie, its owner deletes it; None makes one that goes with the store.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, folder: Path | None = None) -> None:
        self.most_bytes = most_bytes
        if folder is None:
            self._made = tempfile.TemporaryDirectory(prefix="auralume-shots-", ignore_cleanup_errors=True)
            folder = Path(self._made.name)
        self.folder = folder
        self._kept: OrderedDict[str, Pixels] = OrderedDict()
        self._in_use: Counter[str] = Counter()
        self._serial = itertools.count()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, keys: Iterable[str]) -> Iterator[None]:
        """Keep shots from being deleted for the length of a `with`."""
        held = set(keys)
        with self._lock:
            self._in_use.update(held)
        try:
            yield
        finally:
            with self._lock:
                self._in_use.subtract(held)
                self._in_use += Counter()
                self._trim()

    def find_path(self, key: str) -> Path:
        """Return where the file of a shot is."""
        return self.folder / f"{key}.mp4"

    def make_path(self) -> Path:
        """Return where a new file may be written, before it is kept."""
        return self.folder / f"new-{next(self._serial)}.mp4"

    def has(self, key: str) -> bool:
        """Tell whether a shot is there."""
        with self._lock:
            is_there = key in self._kept and self.find_path(key).is_file()
            if is_there:
                self._kept.move_to_end(key)
            return is_there

    def keep(self, key: str, written: Path, picture: Pixels) -> None:
        """Keep a shot that was written."""
        written.replace(self.find_path(key))
        with self._lock:
            self._kept[key] = picture
            self._kept.move_to_end(key)

    def find_picture(self, key: str) -> Pixels | None:
        """Return a small picture of a shot."""
        with self._lock:
            return self._kept.get(key)

    def _trim(self) -> None:
        sizes = {key: self.find_path(key).stat().st_size for key in self._kept if self.find_path(key).is_file()}
        total = sum(sizes.values())
        for key in [each for each in self._kept if not self._in_use[each]]:
            if total <= self.most_bytes:
                break
            total -= sizes.get(key, 0)
            del self._kept[key]
            self.find_path(key).unlink(missing_ok=True)


def check_song(song: Path, *options: str) -> list[str]:
    """Return the arguments that open a song.

    Raises:
        MediaError: it is none.
    """
    try:
        return command.input_of(song, *options)
    except MediaError as error:
        raise MediaError(NO_SONG) from error


def shape_sound(request: MusicVideoRequest, length_s: float) -> list[str]:
    """Return the filters of the song's sound, in ffmpeg's words: its level, and the fades.

    Raises:
        MediaError: the song cannot be read.
    """
    finish, filters = request.finish, []
    if finish.is_levelled:
        loudness = measure_loudness(request.song, length_s)
        if loudness > SILENCE_LUFS:
            filters += [f"volume={TARGET_LUFS - loudness:.2f}dB", f"alimiter=limit={CEILING}:level=disabled"]
    if finish.fade_in_s > 0:
        filters.append(f"afade=t=in:d={finish.fade_in_s:.3f}")
    if finish.fade_out_s > 0:
        begin_s = max(0.0, length_s - finish.fade_out_s)
        filters.append(f"afade=t=out:st={begin_s:.3f}:d={finish.fade_out_s:.3f}")
    return filters


def measure_loudness(song: Path, length_s: float) -> float:
    """Measure the integrated loudness of a sound file's first seconds in LUFS (EBU R 128).

    Raises:
        MediaError: it cannot be read.
    """
    arguments = [*check_song(song, "-t", f"{length_s:.6f}"), "-map", "0:a:0", "-af", "ebur128", "-f", "null", "-"]
    _, _, said = command.run(arguments, command.WRITING, ("-v", "info"))
    found = re.findall(r"I:\s*(-?\d+(?:\.\d+)?) LUFS", said)
    if not found:
        raise MediaError(NO_SONG)
    return float(found[-1])


def join_segments(
    segments: Sequence[tuple[Path, int]], rate: Fraction, song: Path, target: Path, filters: Iterable[str] = ()
) -> None:
    """Join files of so many frames each, the picture untouched, and lay a song under them.

    Args:
        filters: of the song's sound, in ffmpeg's words.

    Raises:
        MediaError: the song cannot be read, or the file not be written.
    """
    listed = target.with_suffix(".txt")
    length_s = sum(frames for _, frames in segments) / rate
    lines = (f"file 'file:{path}'\nduration {float(frames / rate):.9f}\n" for path, frames in segments)
    try:
        listed.write_text("ffconcat version 1.0\n" + "".join(lines), encoding="utf-8")
        arguments = ["-f", "concat", "-safe", "0", "-protocol_whitelist", "file", "-i", f"file:{listed}"]
        arguments += check_song(song, "-t", f"{float(length_s):.6f}")
        arguments += ["-map", "0:v:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy"]
        shaped = ",".join(filters)
        arguments += ["-af", shaped] if shaped else []
        arguments += ["-c:a", "aac", "-b:a", "192k", "-ar", "44100", "-movflags", "+faststart", f"file:{target}"]
        code, said = command.write(arguments)
        if code != 0:
            target.unlink(missing_ok=True)
            is_song = "Invalid data" in said or "matches no streams" in said
            raise MediaError(NO_SONG if is_song else NOT_WRITTEN)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        with suppress(OSError):
            listed.unlink(missing_ok=True)
