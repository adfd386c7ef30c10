"""Digests of files, and marks that spare hashing the same file at every start.

The Hub announces a large file (LFS) by its SHA-256 and a small one by its git blob id, both as the ETag. A mark is a
small JSON file beside the cache: the digest that was found, with the size and the time stamp of the file it was found
for. A file that was changed after it was marked has another size or time stamp, and is hashed again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT_BLOB = re.compile(r"[0-9a-f]{40}")
_BLOCK_BYTES = 4 * 2**20


def is_sha256(text: str | None) -> bool:
    """Return whether `text` is a SHA-256 in small hexadecimal letters."""
    return bool(text and _SHA256.fullmatch(text))


def is_digest(text: str | None) -> bool:
    """Return whether `text` is a SHA-256 or a git blob id: something that a file's content can be checked against."""
    return bool(text and (_SHA256.fullmatch(text) or _GIT_BLOB.fullmatch(text)))


def compute_digest(path: Path, digest: str, on_bytes: Callable[[int], None] | None = None) -> str:
    """Hash a file in the way in which `digest` was made.

    Args:
        path: file to read.
        digest: 64 hexadecimal letters (SHA-256) or 40 (git blob id: SHA-1 over "blob <size>", NUL and the content).
        on_bytes: called with the number of bytes hashed so far.

    Raises:
        OSError: the file cannot be read.
    """
    if is_sha256(digest):
        hasher = hashlib.sha256()
    else:
        hasher = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    done = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            hasher.update(block)
            done += len(block)
            if on_bytes:
                on_bytes(done)
    return hasher.hexdigest()


def is_marked(mark: Path, path: Path, digest: str | None) -> bool:
    """Return whether `path` was verified before, as `digest` if one is given, and not touched since."""
    try:
        noted = json.loads(mark.read_text(encoding="utf-8"))
        stat = path.stat()
    except (OSError, ValueError):
        return False
    if not isinstance(noted, dict) or (noted.get("size"), noted.get("mtime_ns")) != (stat.st_size, stat.st_mtime_ns):
        return False
    return digest is None or noted.get("digest") == digest


def write_mark(mark: Path, path: Path, digest: str) -> None:
    """Note that `path` has `digest`; where the folder cannot be written, it is hashed again next time."""
    stat = path.stat()
    noted = {"digest": digest, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(noted), encoding="utf-8")
    except OSError:
        mark.unlink(missing_ok=True)
