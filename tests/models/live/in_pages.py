"""Where an array's memory is."""

from __future__ import annotations

import mmap


def in_a_map(values: object) -> bool:
    """Whether an array's memory is an anonymous map, and not the heap."""
    while values is not None and not isinstance(values, mmap.mmap):
        values = values.obj if isinstance(values, memoryview) else getattr(values, "base", None)
    return values is not None
