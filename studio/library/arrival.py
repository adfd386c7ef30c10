"""A result on its way into the library: its files are gathered where nobody looks, and appear all at once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.library.items import PICTURE, SIDECAR, LibraryItem, StoredFile, safe_name
from studio.library.previews import find_peaks, write_picture

BLOCK = 2**20


class Arrival:
    """A folder in the making.

    Args:
        folder: a new one, on the same disk as the library.
        settle: takes the finished folder and its entry into the library.
    """

    def __init__(self, folder: Path, settle: Callable[[Path, LibraryItem], LibraryItem]) -> None:
        self.folder, self._settle = folder, settle
        self.files: dict[str, StoredFile] = {}

    def add(self, role: str, source: Path) -> None:
        """Copy a file in; one that was added before under this role or from this path is replaced.

        Raises:
            OSError: it cannot be read, or the disk is full.
        """
        name = safe_name(source.name)
        self.files = {at: each for at, each in self.files.items() if at != role and each.name != name}
        target = self.folder / name
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as old, target.open("wb") as new:
            while block := old.read(BLOCK):
                new.write(block)
                digest.update(block)
                size += len(block)
            new.flush()
            os.fsync(new.fileno())
        self.files[role] = StoredFile(role, name, size, digest.hexdigest())

    def paths(self) -> list[Path]:
        """List the files so far."""
        return [self.folder / each.name for each in self.files.values()]

    def keep(self, item: LibraryItem) -> LibraryItem:
        """Let the result appear; return it with its files, previews and length.

        Raises:
            OSError: the disk is full.
            ValueError: it has no file.
        """
        if not self.files:
            raise ValueError("There is no file to keep.")
        paths = self.paths()
        peaks, sound_s = find_peaks(paths)
        has_picture, film_s = write_picture(paths, self.folder / PICTURE)
        whole = replace(
            item,
            files=tuple(self.files.values()),
            peaks=peaks,
            length_s=item.length_s or film_s or sound_s,
            has_picture=has_picture,
        )
        return self._settle(self.folder, whole)

    def drop(self) -> None:
        """Forget it; nothing happens once it was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


def write_sidecar(folder: Path, item: LibraryItem) -> None:
    """Write the entry beside the files, whole or not at all."""
    part = folder / f"{SIDECAR}.part"
    with part.open("w", encoding="utf-8") as file:
        file.write(item.to_json())
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / SIDECAR)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder outlast a loss of power, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # a file system without it
        pass
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
