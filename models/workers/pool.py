"""Workers that stand in for each other: a request goes to one that is free, and begins anew where that one is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.workers.contracts import ModelFacts, Worker, WorkerHealth, WorkerLost

log = logging.getLogger(__name__)

MOST_TRIES = 3  # a request that ends its worker each time is given up
TURNS_AT_ONCE = 4  # streams of one model on one worker, where they take turns

Grow = Callable[[], Worker | None]


class WorkerPool:
    """Workers of one kind.

    Args:
        workers: those that are there; grow: makes one more while all are at work, or None where it cannot.
        timeout_s: how long a request waits for one of them.
    """

    def __init__(self, workers: Sequence[Worker], grow: Grow | None = None, timeout_s: float = 600.0) -> None:
        self.workers, self.timeout_s = list(workers), timeout_s
        self._grow = grow
        self._changed = threading.Condition()
        self._running: Counter[tuple[str, str]] = Counter()  # streams, by worker and model
        self._waiting: defaultdict[str, deque[object]] = defaultdict(deque)  # by model, who asked first in front

    def load(self, spec: ModelSpec) -> ModelFacts:
        """Have a model ready on one worker; the others load it when they are first asked.

        Raises:
            ModelError: it cannot be loaded, or no worker can run it.
        """
        for _ in range(MOST_TRIES):
            worker = min(self._list_fit(spec), key=self._count)
            try:
                return worker.load(spec)
            except WorkerLost:
                log.warning("Worker %s was lost while it loaded %s", worker.name, spec.key)
        raise _lost_error(spec)

    def stream(self, spec: ModelSpec, request: Any, facts: ModelFacts) -> Generator[Any, None, float]:
        """Yield the chunks of one request; return the seconds that it waited for a worker.

        Where a worker is lost, another does the work from its beginning, and what was yielded before is left out:
        equal requests give equal chunks.

        Raises:
            ModelError: all were busy for too long; worker after worker was lost; or the work came out otherwise than
                before, so that what is there cannot be gone on from.
        """
        asked_s, waited_s = time.monotonic(), 0.0
        yielded: list[int] = []
        for _ in range(MOST_TRIES):
            with self._take(spec, TURNS_AT_ONCE if facts.takes_turns else 1) as worker:
                waited_s += time.monotonic() - asked_s
                try:
                    with closing(worker.stream(spec, request)) as chunks:
                        for chunk in _leave_out(chunks, tuple(yielded), spec):
                            yielded.append(_weigh(chunk))
                            yield chunk
                    return waited_s
                except WorkerLost:
                    log.warning("Worker %s was lost while it ran %s; another goes on", worker.name, spec.key)
            asked_s = time.monotonic()
        raise _lost_error(spec)

    def free(self, key: str) -> None:
        """Give a model's memory back wherever it is loaded."""
        for worker in tuple(self.workers):
            try:
                worker.free(key)
            except WorkerLost:
                continue

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        """Return the workers as they are, with how many streams each works on."""
        return tuple(replace(each.check_health(), running=self._count(each)) for each in tuple(self.workers))

    def close(self) -> None:
        """End all workers."""
        for worker in tuple(self.workers):
            worker.close()

    @contextmanager
    def _take(self, spec: ModelSpec, most: int) -> Iterator[Worker]:
        """Have a worker inside the `with`, the one with the least to do; who asked for a model first has the first."""
        ticket, waiting = object(), self._waiting[spec.key]
        until_s = time.monotonic() + self.timeout_s
        with self._changed:
            waiting.append(ticket)
            try:
                while True:
                    worker = self._find_free(spec, most) if waiting[0] is ticket else None
                    if worker is not None:
                        break
                    if not self._changed.wait(until_s - time.monotonic()) and time.monotonic() >= until_s:
                        raise ModelError(f"{spec.title} is busy with other people's requests. Try again later.", "busy")
                self._running[worker.name, spec.key] += 1
            finally:
                waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield worker
        finally:
            with self._changed:
                self._running[worker.name, spec.key] -= 1
                self._running += Counter()
                self._changed.notify_all()

    def _find_free(self, spec: ModelSpec, most: int) -> Worker | None:
        fit = self._list_fit(spec)
        free = [each for each in fit if self._running[each.name, spec.key] < most]
        least = min(free, key=self._count) if free else None
        if least is not None and (not self._count(least) or self._grow is None):
            return least
        new = self._grow() if self._grow is not None else None
        if new is None:
            return least
        self.workers.append(new)
        return new

    def _list_fit(self, spec: ModelSpec) -> list[Worker]:
        fit = [each for each in self.workers if each.has_gpu or not spec.needs_gpu]
        if not fit:
            raise ModelError(f"{spec.title} needs a GPU and no worker has one. Choose another model.", "gpu")
        return fit

    def _count(self, worker: Worker) -> int:
        with self._changed:  # which may be held already
            return sum(count for (name, _), count in self._running.items() if name == worker.name)


def _leave_out(chunks: Iterator[Any], yielded: tuple[int, ...], spec: ModelSpec) -> Iterator[Any]:
    """Yield the chunks that follow those yielded before, which are told by how much each holds.

    Chunks that hold nothing only say how far the work is; how many of them there are may depend on the pace.
    """
    held = [weight for weight in yielded if weight]
    tail = len(yielded) - max((at + 1 for at, weight in enumerate(yielded) if weight), default=0)
    for chunk in chunks:
        weight = _weigh(chunk)
        if held:
            if weight and weight != held.pop(0):
                raise ModelError(f"A worker was lost, and {spec.title} could not go on from there. Try again.", "busy")
            continue
        if tail and not weight:
            tail -= 1
            continue
        tail = 0
        yield chunk


def _weigh(chunk: Any) -> int:
    """Return how many values of sound or pictures a chunk holds; 1 for a chunk of another kind."""
    for name in ("samples", "frames"):
        values = getattr(chunk, name, None)
        if isinstance(values, np.ndarray):
            return values.size
    return 1


def _lost_error(spec: ModelSpec) -> ModelError:
    return ModelError(
        f"{spec.title} was stopped by the system on {MOST_TRIES} workers one after the other, most often because "
        "memory ran out. Ask for less, or choose a smaller model.",
        "memory",
    )
