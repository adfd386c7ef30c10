"""How much memory is left for the studio, whatever limits it, and arrays that give theirs back at once."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FALLBACK_MB = 4096
_CGROUP_ROOT = Path("/sys/fs/cgroup")
_MEGABYTE = 2**20
HEAPS, LARGE_BYTES = 2, 4 * _MEGABYTE
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # M_ARENA_MAX and M_MMAP_THRESHOLD of glibc's malloc.h
_PRIVATE: dict[str, Any] = {}
if hasattr(mmap, "MAP_PRIVATE"):  # Windows has no other
    _PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
_Kind = TypeVar("_Kind", bound=np.generic)


def allocate_pages(shape: tuple[int, ...], kind: type[_Kind]) -> NDArray[_Kind]:
    """Return zeros in pages of their own, which go back to the system as soon as nobody holds the array.

    For large arrays of many sizes that are kept for a while as others come and go. In the heap each of them, when it is
    forgotten, leaves a hole between neighbours that live on; what comes next does not fit, and a process that plays for
    an hour grows by tens of megabytes that nobody uses.
    """
    if 0 in shape:
        return np.zeros(shape, kind)
    pages = mmap.mmap(-1, math.prod(shape) * np.dtype(kind).itemsize, **_PRIVATE)
    return np.frombuffer(pages, kind).reshape(shape)


def copy_to_pages(values: NDArray[_Kind]) -> NDArray[_Kind]:
    """Return a copy as `allocate_pages` keeps it."""
    copy = allocate_pages(values.shape, values.dtype.type)
    copy[...] = values
    return copy


def share_heaps() -> bool:
    """Let all threads share HEAPS heaps and keep large arrays out of them; return whether that can be done here.

    It can on Linux with glibc. Each new thread else gets a heap of its own, up to eight a core: work here goes through
    many short threads, and what one has freed the next cannot use. An array of LARGE_BYTES or more gets pages of its
    own, which go back when it goes; glibc else puts arrays of up to 32 MB into the heap once one such has been freed.
    Smaller ones would cost time: with 1 MB a film took 15 % longer, with 4 MB no longer than before. What a person has
    set in the environment stays as it is.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    tell = _find_in_libc("mallopt")
    return tell is not None and bool(tell(_ARENA_MAX, HEAPS) and tell(_MMAP_THRESHOLD, LARGE_BYTES))


def trim_heap() -> bool:
    """Give the heap's free pages back to the system, and return whether that can be done here: on Linux with glibc.

    glibc keeps what it is given back while anything above it lives on, and each of the many threads here has a heap of
    its own: in five minutes of live play with pictures free memory in them grew by 60 MB while what was in use stayed.
    """
    trim = _find_in_libc("malloc_trim")
    if trim is None:
        return False
    trim(0)
    return True


def _find_in_libc(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; None on another system, or with another C library."""
    if sys.platform != "linux":
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    return found


def measure_available_memory_mb(cgroup_root: Path = _CGROUP_ROOT) -> int:
    """Return the memory that is free or can be freed at once, in MiB; FALLBACK_MB where the system does not say.

    On Linux the least of MemAvailable and what every enclosing control group (version 2 or 1) has left; file cache that
    the kernel would give back does not count as used. See the kernel's Documentation/admin-guide/cgroup-v2.rst.
    """
    known = [_read_meminfo(), *(_measure_cgroup_left(folder) for folder in _find_cgroups(cgroup_root))]
    values = [value for value in known if value is not None]
    if not values and (physical := _measure_physical()) is not None:
        values = [physical // 2]
    return min(values) // _MEGABYTE if values else FALLBACK_MB


def _read_meminfo() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _measure_physical() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _find_cgroups(root: Path) -> list[Path]:
    """Return the own control group and those around it; the root where a container hides the path."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        base = root / "memory" if controllers else root
        folder = base / path.lstrip("/")
        folders += [folder, *(parent for parent in folder.parents if parent.is_relative_to(base))]
    return folders


def _measure_cgroup_left(folder: Path) -> int | None:
    """Return how many bytes the group's limit leaves; None where it has no limit or is not there."""
    for limit_name, usage_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _read_number(folder / limit_name)
        usage = _read_number(folder / usage_name)
        if limit is not None and usage is not None:
            return max(0, limit - max(0, usage - _read_statistic(folder / "memory.stat", cache_name)))
    return None


def _read_number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # ValueError: "max", no limit
        return None


def _read_statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[0] == name), 0)
