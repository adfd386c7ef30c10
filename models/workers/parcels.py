"""Requests that name files, on their way to a machine that does not have them: the bytes travel with the request.

A file is known by its digest, so that one that was sent before is not written again.
"""

from __future__ import annotations

import copy
import hashlib
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

MOST_BYTES = 4 * 10**9  # of the files that a machine keeps
PIECE_BYTES = 32 * 2**20
PREFIX = "auralume-sent-"


@dataclass(frozen=True)
class SentFile:
    """A file on its way.

    Attributes:
        name: its own; digest: of its bytes.
        pieces: its bytes in order, or what stands for each of them on the way.
        is_text: whether the request names it by a text.
    """

    name: str
    digest: str
    pieces: tuple[Any, ...]
    is_text: bool = False


def pack_files(value: Any, send: Callable[[Path], SentFile]) -> Any:
    """Return a request with every file of this machine sent: absolute paths of files that are there, at any depth.

    A text is a path in the fields that the request lists as its FILE_FIELDS, and nowhere else. What is to be written,
    and what is named by a relative path, stays as it is.
    """

    def find(named: str) -> str | SentFile:
        found = _send(Path(named), send)
        return replace(found, is_text=True) if isinstance(found, SentFile) else named

    packed = replace_leaves(value, Path, lambda path: _send(path, send))
    for name in getattr(value, "FILE_FIELDS", ()):
        changed = replace_leaves(getattr(packed, name), str, find)
        packed = copy.copy(packed) if packed is value else packed
        object.__setattr__(packed, name, changed)
    return packed


def _send(path: Path, send: Callable[[Path], SentFile]) -> Path | SentFile:
    return send(path) if path.is_absolute() and path.is_file() else path


def unpack_files(value: Any, receive: Callable[[SentFile], Path]) -> Any:
    """Return a request whose sent files are paths again, of this machine."""
    return replace_leaves(value, SentFile, lambda sent: str(receive(sent)) if sent.is_text else receive(sent))


def replace_leaves(value: Any, kind: type[Any], change: Callable[[Any], Any]) -> Any:
    """Return a value in which all of a kind are changed, in dataclasses, tuples, lists and mappings at any depth.

    What holds none of them is returned itself; a dataclass is copied without being checked again.
    """
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, (tuple, list)):
        items = [replace_leaves(each, kind, change) for each in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, Mapping):
        held = {key: replace_leaves(each, kind, change) for key, each in value.items()}
        return held if any(held[key] is not each for key, each in value.items()) else value
    if is_dataclass(value) and not isinstance(value, type):
        changed = value
        for field in fields(value):
            old = getattr(value, field.name)
            new = replace_leaves(old, kind, change)
            if new is not old:
                changed = copy.copy(value) if changed is value else changed
                object.__setattr__(changed, field.name, new)
        return changed
    return value


def read_pieces(path: Path) -> tuple[str, list[bytes]]:
    """Read a file; return the digest of its bytes, and these in pieces."""
    digest, pieces = hashlib.sha256(), []
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            pieces.append(piece)
    return digest.hexdigest(), pieces


def sweep_shelves() -> None:
    """Delete the shelves of processes that have gone, as one that was killed leaves its own; on Linux."""
    processes = Path("/proc")
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdecimal() and (processes / "self").exists() and not (processes / number).exists():
            shutil.rmtree(folder, ignore_errors=True)


class FileShelf:
    """Received files on this machine; those that were not asked for in the longest time are deleted first.

    Args:
        fetch: gives the bytes of a piece.
    """

    def __init__(self, fetch: Callable[[Any], bytes], most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._fetch = fetch
        sweep_shelves()
        self._made = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True)
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._lock = threading.Lock()

    def receive(self, sent: SentFile) -> Path:
        """Return where a sent file lies, under its own name; it is written the first time."""
        path = Path(self._made.name) / sent.digest / Path(sent.name).name
        with self._lock:
            if path in self._sizes:
                self._sizes.move_to_end(path)
                return path
            path.parent.mkdir(exist_ok=True)
            part = path.with_name("part")
            with part.open("wb") as file:
                for piece in sent.pieces:
                    file.write(self._fetch(piece))
            part.replace(path)
            self._sizes[path] = path.stat().st_size
            while sum(self._sizes.values()) > self.most_bytes and len(self._sizes) > 1:
                oldest, _ = self._sizes.popitem(last=False)
                oldest.unlink(missing_ok=True)
            return path
