"""Temporary folders that the next start clears away if this process is killed before it can.

Each holds a file that is locked as long as its process lives; the system ends the lock with the process, however it
ends. So a folder whose lock can be had belongs to nobody.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

PREFIX = "auralume-song-"
LOCK = "in-use"
TRIES = 5
WINDOWS = sys.platform == "win32"
HELD: dict[Path, int | None] = {}  # of this process, with the open lock file
_guard = threading.Lock()


def try_lock(file: int) -> bool:
    """Try to lock an open file for this process; False where another open file has the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def hold(prefix: str = PREFIX) -> Path:
    """Make a folder of this process; `release` deletes it."""
    for _ in range(TRIES):
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
        if try_lock(file) and (folder / LOCK).exists():
            with _guard:
                HELD[folder] = file
            return folder
        os.close(file)  # a start of another process took it for abandoned within that moment
        shutil.rmtree(folder, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix))  # a file system without locks: it will not be cleared away
    with _guard:
        HELD[folder] = None
    return folder


def release(folder: Path) -> None:
    """Delete a folder that `hold` gave; nothing happens the second time."""
    with _guard:
        if folder not in HELD:
            return
        file = HELD.pop(folder)
    if file is not None and WINDOWS:  # where an open file cannot be deleted
        os.close(file)
    shutil.rmtree(folder, ignore_errors=True)
    if file is not None and not WINDOWS:
        os.close(file)


def release_all() -> None:
    """Delete every folder of this process."""
    with _guard:
        folders = list(HELD)
    for folder in folders:
        release(folder)


@contextlib.contextmanager
def held(prefix: str = PREFIX) -> Iterator[str]:
    """Make a folder for the length of a `with`."""
    folder = hold(prefix)
    try:
        yield str(folder)
    finally:
        release(folder)


def clear_abandoned(prefix: str = PREFIX) -> list[Path]:
    """Delete the folders whose process is gone; those without a lock file are not known, and stay."""
    cleared = []
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            file = os.open(folder / LOCK, os.O_RDWR)
        except OSError:
            continue  # no lock, or somebody else's
        free = try_lock(file)
        if free and not WINDOWS:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(file)
        if free and WINDOWS:
            shutil.rmtree(folder, ignore_errors=True)
        if free and not folder.exists():
            cleared.append(folder)
    return cleared
