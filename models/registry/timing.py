"""How fast each model is on this machine: measured when it works, kept on disk, to tell how long a request takes."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import threading
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FRAME_AND_STEP = "frame and step at 64 pixels"
LEAST_WORK = {"character": 20.0}  # a shorter request tells little: most of its time goes into beginning
SMOOTHING = 0.5  # weight of the old value in the exponential moving average

Measured = tuple[str, float]
"""A unit of work, and how many of them, or the seconds that one takes."""


def measure_work(request: Any) -> Measured | None:
    """Return how much work a request asks for, as (unit, number of units); None where nothing tells.

    The units are characters of speech, bars of music, frames times steps of a clip, and whole restylings.
    """
    if (text := getattr(request, "text", None)) is not None:
        return "character", float(max(1, len(text)))
    if (bars := getattr(request, "bars", None)) is not None and hasattr(request, "tempo"):
        return "bar", float(max(1, bars))
    steps, frames = getattr(request, "steps", None), getattr(request, "frames", None)
    if steps and frames:
        size = float(getattr(request, "size", 64) or 64) / 64.0
        return FRAME_AND_STEP, float(steps * frames) * size * size
    return ("request", 1.0) if hasattr(request, "style") else None


class RequestTimings:
    """Seconds that a unit of work takes each model, kept in a small JSON file.

    Args:
        path: of the file; None keeps them only as long as the studio runs.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seconds: dict[str, Measured] = self._read()

    def get(self, key: str) -> Measured | None:
        """Return (unit, seconds that one takes) of a model, or None where it was never measured."""
        with self._lock:
            return self._seconds.get(key)

    def estimate_s(self, key: str, request: Any) -> float | None:
        """Estimate how long a request will take; None where its kind of work was never measured."""
        known, work = self.get(key), measure_work(request)
        return known[1] * work[1] if known and work and known[0] == work[0] else None

    def record(self, key: str, request: Any, took_s: float) -> None:
        """Record how long a whole request took; very short ones do not count."""
        work = measure_work(request)
        if work is None or took_s <= 0:
            return
        unit, count = work
        if count < LEAST_WORK.get(unit, 0.0):
            return
        with self._lock:
            before = self._seconds.get(key)
            value = took_s / count
            if before is not None and before[0] == unit:
                value = SMOOTHING * before[1] + (1 - SMOOTHING) * value
            self._seconds[key] = (unit, value)
            self._write()

    def _read(self) -> dict[str, Measured]:
        if self._path is None:
            return {}
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            rows = stored["seconds"] if stored.get("machine") == _describe_machine() else {}
            return {str(key): (str(unit), float(value)) for key, (unit, value) in rows.items() if _is_duration(value)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps({"machine": _describe_machine(), "seconds": self._seconds}), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            log.warning("%s could not be written: %s", self._path, error)


def _describe_machine() -> str:
    """Name what a measurement belongs to: another processor is another machine."""
    return f"{platform.machine()} {platform.processor()} {os.cpu_count()}"


def _is_duration(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0
