"""What memory is left, read from control groups as Linux lays them out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import memory
from models.memory import (
    HEAPS,
    allocate_pages,
    copy_to_pages,
    measure_available_memory_mb,
    share_heaps,
    trim_heap,
)

MIB = 2**20


def group(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_some_memory_is_found_on_this_machine() -> None:
    assert 16 < measure_available_memory_mb() < 2**24


def test_limit_of_a_container_counts_without_file_cache(tmp_path: Path) -> None:
    """Version 2: 100 MiB allowed, 60 used of which 20 are file cache, so 60 are left."""
    usage = {"memory.max": str(100 * MIB), "memory.current": str(60 * MIB)}
    group(tmp_path, {**usage, "memory.stat": f"anon 1\ninactive_file {20 * MIB}\n"})
    assert measure_available_memory_mb(tmp_path) == 60


def test_version_1_counts_too(tmp_path: Path) -> None:
    files = {"memory.limit_in_bytes": str(80 * MIB), "memory.usage_in_bytes": str(50 * MIB)}
    group(tmp_path / "memory", files)
    groups = [line.split(":") for line in Path("/proc/self/cgroup").read_text().splitlines()]
    if not any(controllers == "memory" for _, controllers, _ in groups):
        pytest.skip("this machine has no control groups of version 1")
    assert measure_available_memory_mb(tmp_path) == 30


def test_group_without_limit_does_not_count(tmp_path: Path) -> None:
    free_mb = measure_available_memory_mb(tmp_path / "none")
    group(tmp_path, {"memory.max": "max\n", "memory.current": "5\n"})
    assert abs(measure_available_memory_mb(tmp_path) - free_mb) < 1024


def test_machine_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_read_meminfo", lambda: None)
    monkeypatch.setattr(memory, "_measure_physical", lambda: 1000 * MIB)
    assert measure_available_memory_mb(tmp_path) == 500
    monkeypatch.setattr(memory, "_measure_physical", lambda: None)
    assert measure_available_memory_mb(tmp_path) == memory.FALLBACK_MB


# Arrays in pages of their own


def test_arrays_in_own_pages_are_as_others() -> None:
    values = np.random.default_rng(0).standard_normal((2, 3, 1001)).astype(np.float32)
    kept = copy_to_pages(values)
    np.testing.assert_array_equal(kept, values)
    assert kept.dtype == np.float32 and kept.flags.writeable and kept.flags.c_contiguous
    assert not np.shares_memory(kept, values)
    assert not allocate_pages((3, 5), np.uint8).any()
    assert allocate_pages((2, 0), np.float32).shape == (2, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of a process")
def test_what_nobody_holds_is_given_back_at_once() -> None:
    """Even between neighbours that live on, where the heap would keep a hole."""
    kept = [copy_to_pages(np.ones(2**17, np.float32)) for _ in range(100)]
    full = private_bytes()
    del kept[1::2]
    assert full - private_bytes() > 0.9 * 50 * 2**19


def test_free_memory_between_what_lives_on_is_given_back() -> None:
    if not trim_heap():
        pytest.skip("only glibc can be asked")
    kept = [os.urandom(100_000) for _ in range(400)]
    del kept[1::2]
    before = private_bytes()
    trim_heap()
    assert before - private_bytes() > 10_000_000


HEAPS_OF_THREADS = """
import ctypes, pathlib, sys, threading
from models.memory import share_heaps
if sys.argv[1] == "shared" and not share_heaps():
    sys.exit("this C library has no such setting")
together, kept = threading.Barrier(9), []
def allocate():
    together.wait()
    kept.append([bytes(1000) for _ in range(100)])
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for each in threads:
    each.start()
together.wait()
together.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p] * 2
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
print(pathlib.Path(sys.argv[2]).read_text().count("<heap nr="))
"""


def test_all_threads_share_few_heaps(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}

    def count(how: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", HEAPS_OF_THREADS, how, str(tmp_path / how)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    shared = count("shared")
    if "no such setting" in shared.stderr:
        pytest.skip("only glibc can be told")
    assert int(shared.stdout) <= HEAPS < int(count("usual").stdout)


def test_what_a_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert not share_heaps()


def private_bytes() -> int:
    """Return what this process holds that is not shared with files."""
    pages, shared = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    return (pages - shared) * 4096
