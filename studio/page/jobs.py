"""Work that a page starts: loading with progress, stopping, and plain sentences for whatever fails."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any

from models.contracts import Progress
from models.errors import ModelError

log = logging.getLogger(__name__)

CPU_QUEUE = "processor"  # one concurrency id over all tabs: work that needs the processor waits its turn
POLL_S = 0.25
UNEXPECTED = "Something went wrong inside the studio. The details are in its log; try again, or try other settings."


class Stopped(Exception):
    """The person pressed Stop."""


class StopBoard:
    """Which sessions have work running, and which of them were asked to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flags: dict[str, threading.Event] = {}

    def begin(self, session: str) -> threading.Event:
        """Note that work begins; the event is set when it should stop."""
        with self._lock:
            return self._flags.setdefault(session, threading.Event())

    def end(self, session: str) -> None:
        """Note that work has ended."""
        with self._lock:
            self._flags.pop(session, None)

    def ask(self, session: str) -> bool:
        """Ask the session's work to stop; False where none is running."""
        with self._lock:
            flag = self._flags.get(session)
            if flag is not None:
                flag.set()
            return flag is not None


def load_model(
    load: Callable[[Callable[[Progress], None]], Any], should_stop: Callable[[], bool] = lambda: False
) -> Generator[Progress, None, Any]:
    """Load in another thread; yield how far it is, and return the model.

    Args:
        load: called with a function that it tells its progress; a download ends when that function raises.

    Raises:
        Stopped: `should_stop` became true; the work ends at its next report.
        ModelError: as `load` raises it.
    """
    reports: queue.Queue[tuple[str, Any]] = queue.Queue()
    abandoned = threading.Event()

    def report(progress: Progress) -> None:
        if abandoned.is_set():
            raise Stopped
        reports.put(("progress", progress))

    def work() -> None:
        try:
            reports.put(("model", load(report)))
        except BaseException as error:
            reports.put(("error", error))

    threading.Thread(target=work, name="auralume-load", daemon=True).start()
    try:
        while True:
            try:
                kind, value = reports.get(timeout=POLL_S)
            except queue.Empty:
                kind, value = "progress", None
            if should_stop():
                raise Stopped
            if kind == "model":
                return value
            if kind == "error":
                raise value
            if value is not None:
                yield value
    finally:
        abandoned.set()


def describe(progress: Progress) -> tuple[str, float | None]:
    """A progress as a sentence and a share in [0, 1] (None where the total is unknown)."""
    stage = progress.stage[:1].upper() + progress.stage[1:]
    if progress.total <= 0:
        return f"{stage} …", None
    share = min(1.0, progress.done / progress.total)
    if progress.unit == "bytes":
        return f"{stage}: {progress.done / 2**20:.0f} of {progress.total / 2**20:.0f} MB", share
    return f"{stage}: {progress.done:,} of {progress.total:,} {progress.unit}", share


def sentence(error: BaseException) -> str:
    """What to tell a person about a failure; what was not foreseen goes to the log."""
    if isinstance(error, (ModelError, ValueError)) and str(error):
        text = str(error).strip()
        return text[0].upper() + text[1:]
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs or choose a smaller model."
    log.error("Unforeseen failure", exc_info=error)
    return UNEXPECTED
