"""Every ffmpeg command of the project: built here, run here, and bounded here.

A file is opened as the container that its bytes show (`models.media.containers`) and may name no other file. A run has
a deadline, and where the platform can (Linux), the child process has limits of memory and of processor time.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from models.media.containers import Container, sniff
from models.media.program import MediaError, find_ffmpeg

RUN_DEADLINE_S = 120.0
STALL_S = 60.0  # for the next bytes of a reader
MEMORY_BYTES = 3 * 2**30  # of address space; 3,840 x 2,160 pixels of ten bits take half of it
THREADS = "4"  # of a decoder: each holds frames of its own
MOST_SAID_BYTES = 2**20  # of what ffmpeg says
JUMPING = {"mpegts", "mpeg", "ogg"}  # containers whose times can jump
QUIET = ("-v", "error")


@dataclass(frozen=True)
class Bounds:
    """What a run of ffmpeg may take.

    Attributes:
        deadline_s: of a whole run by the clock.
        processor_s: of all its threads together.
        memory_bytes: of address space; None where the size of the work is the studio's own.
    """

    deadline_s: float = RUN_DEADLINE_S
    processor_s: float = 4 * RUN_DEADLINE_S
    memory_bytes: int | None = MEMORY_BYTES


DECODING = Bounds()
WRITING = Bounds(memory_bytes=None, deadline_s=300.0, processor_s=1200.0)


class UnknownKindError(MediaError):
    """A file is of no kind that is read."""


def container_of(path: str | Path) -> Container:
    """Return how a file is to be opened.

    Raises:
        MediaError: it is gone or empty.
        UnknownKindError: it is of no kind that is read.
    """
    path = Path(path)
    if not path.is_file():
        raise MediaError("The file is gone; choose it again.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path.name} is empty.")
    try:
        found = sniff(path)
    except OSError as error:
        raise MediaError(f"{path.name} cannot be read.") from error
    if found is None:
        raise UnknownKindError(
            f"{path.name} holds no picture and no sound that can be read; "
            "MP4, MOV, WebM, GIF, WAV, MP3 and FLAC always can."
        )
    return found


def input_of(path: str | Path, *options: str) -> list[str]:
    """Return the arguments that open a file as what its bytes show, and let it name no other.

    Args:
        options: of the input, as "-ss", "3".

    Raises:
        MediaError: as `container_of`, or it is a picture.
    """
    container = container_of(path)
    if container.is_picture:
        raise UnknownKindError(f"{Path(path).name} is a picture, not a clip or a sound.")
    opening = ["-protocol_whitelist", "file", "-f", container.demuxer, *container.options, "-threads", THREADS]
    return [*opening, *options, "-i", f"file:{path}"]


def keep_time(path: str | Path, stream: str) -> list[str]:
    """Return an output that drops a stream of the input, so that times are still counted from where it begins.

    Of a container whose times can jump, ffmpeg counts from the first stream that it uses; sound and picture, read by
    two runs, would each begin at nought.

    Args:
        path: of the input.
        stream: which other stream counts, as "0:a:0?".
    """
    return ["-map", stream, "-c", "copy", "-f", "null", "-"] if container_of(path).demuxer in JUMPING else []


def frames_input(width: int, height: int, rate: str) -> list[str]:
    """Return the arguments that take RGB frames from the standard input; `rate` as "25/1"."""
    return ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", rate, "-i", "pipe:0"]


def samples_input(sample_rate: int, channels: int = 1) -> list[str]:
    """Return the arguments that take 16-bit samples from the standard input."""
    return ["-f", "s16le", "-ar", str(sample_rate), "-ac", str(channels), "-i", "pipe:0"]


def run(arguments: list[str], bounds: Bounds = DECODING, level: tuple[str, ...] = QUIET) -> tuple[int, bytes, str]:
    """Run ffmpeg to its end; returns the exit status, its standard output and what it said.

    Args:
        level: ("-v", "info") to be told about the streams.

    Raises:
        MediaError: it took longer than the bounds allow, or there is no ffmpeg.
    """
    process = _start(arguments, bounds, level, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        made, said = process.communicate(timeout=bounds.deadline_s)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise MediaError("The file took too long to read or to write.") from error
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return process.returncode, made, said[:MOST_SAID_BYTES].decode("utf-8", "replace")


def write(arguments: list[str], bounds: Bounds = WRITING) -> tuple[int, str]:
    """Run ffmpeg to write a file over one that may be there; returns the exit status and what it said."""
    code, _, said = run(["-y", *arguments], bounds)
    return code, said


class PipeReader:
    """What ffmpeg writes to its standard output, by blocks; use it in a `with`, which ends ffmpeg in every case."""

    def __init__(self, arguments: list[str], bounds: Bounds = DECODING, stall_s: float = STALL_S) -> None:
        """Start ffmpeg, which is killed when no byte comes within `stall_s` of asking.

        Raises:
            MediaError: there is no ffmpeg.
        """
        self._stall_s = stall_s
        self._asked_s: float | None = None
        self._closed = threading.Event()
        self.stalled = False
        self._process = _start(
            arguments, bounds, QUIET, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=self._watch, name="auralume-media", daemon=True).start()

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self._stall_s / 4)):
            asked_s = self._asked_s
            if asked_s is not None and time.monotonic() - asked_s > self._stall_s:
                self.stalled = True
                self._process.kill()
                return

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end."""
        assert self._process.stdout is not None
        self._asked_s = time.monotonic()
        try:
            return self._process.stdout.read(size)
        finally:
            self._asked_s = None

    def ended_well(self) -> bool:
        """Wait for the end after the last byte, and tell whether ffmpeg was content."""
        return self._process.wait() == 0

    def __enter__(self) -> PipeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def pipe(arguments: list[str], bounds: Bounds = WRITING, errors: IO[bytes] | None = None) -> Iterator[Any]:
    """Start ffmpeg with its standard input and output open; yields the process, and kills it at the end of the `with`.

    Args:
        errors: file that takes what it says.
    """
    process = _start(
        arguments, bounds, QUIET, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors or subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class PipeWriter:
    """Bytes given to ffmpeg, which writes a file of them; use it in a `with`, which ends ffmpeg in every case.

    Where the `with` is left by an exception, or the writing fails, nothing is left of the file.
    """

    def __init__(self, path: Path, arguments: list[str], bounds: Bounds = WRITING) -> None:
        """Start ffmpeg to write `path` as `arguments` say, without the name of the output.

        Raises:
            MediaError: there is no ffmpeg.
        """
        self.path, self._bounds = path, bounds
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
        self._process = _start(
            ["-y", *arguments, f"file:{path}"],
            Bounds(bounds.deadline_s, 1e9, bounds.memory_bytes),
            QUIET,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

    def __enter__(self) -> PipeWriter:
        return self

    def write(self, data: Any) -> None:
        """Hand over bytes.

        Raises:
            MediaError: ffmpeg has ended early.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError as error:
            raise MediaError(self.reason()) from error

    def reason(self) -> str:
        """Say in a sentence why nothing could be written."""
        self._said.seek(0)
        said = self._said.read(2000).decode("utf-8", "replace")
        if "No space" in said:
            return "The video could not be written: the disk is full."
        if "Invalid data" in said or "does not contain any stream" in said or "matches no streams" in said:
            return "The sound could not be read while the video was written; it may be damaged."
        return "The video could not be written; there may be too little room on the disk."

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._process.stdin is not None
        try:
            if kind is not None:
                self._process.kill()
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            try:
                code = self._process.wait(timeout=self._bounds.deadline_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                code = self._process.wait() or 1
            if kind is None and code != 0:
                raise MediaError(self.reason())
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        finally:
            if kind is not None:
                self.path.unlink(missing_ok=True)
            self._said.close()


def _start(arguments: list[str], bounds: Bounds, level: tuple[str, ...], **streams: Any) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([find_ffmpeg(), "-hide_banner", "-nostdin", *level, *arguments], **streams)
    _bound(process.pid, bounds)
    return process


def _bound(pid: int, bounds: Bounds) -> None:
    """Set the limits of a child process; nothing where the platform cannot do it from outside, as macOS and Windows."""
    if sys.platform != "linux":
        return
    import resource

    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, min(int(bounds.processor_s) + 1, 2**31))]
    if bounds.memory_bytes is not None:
        limits.append((resource.RLIMIT_AS, bounds.memory_bytes))
    for kind, most in limits:
        with contextlib.suppress(OSError, ValueError):  # it has ended already, or its own limit is lower
            resource.prlimit(pid, kind, (most, most))
