"""Run a library's long call in a worker thread, as a stream that tells how far it is and can be stopped."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from models.threads import is_single_threaded, use_single_thread

Item = TypeVar("Item")

HEARTBEAT_S, LOOK_S = 0.4, 0.1
STOP_PATIENCE_S = 60.0

_random = threading.Lock()  # torch's global random state is one for all threads


class WorkerCancelled(Exception):
    """Raised inside the call when nobody wants its result any more."""


class Channel(Generic[Item]):
    """Where the call puts its items, and learns that it should stop.

    Args:
        ahead: how many items may wait to be taken before `put` waits; 0 is any number.
    """

    def __init__(self, ahead: int = 0) -> None:
        self._items: queue.Queue[tuple[str, Any]] = queue.Queue(ahead)
        self._stopped = threading.Event()

    def put(self, item: Item) -> None:
        """Hand over the next item, waiting while as many wait as may; raises WorkerCancelled once nobody listens."""
        self.check()
        while not self._offer("item", item):
            self.check()

    def finish(self, kind: str, value: Any = None) -> None:
        """Say that the call has ended, or how it failed, if anyone listens."""
        while not self._offer(kind, value) and not self._stopped.is_set():
            pass

    def take(self, timeout_s: float) -> tuple[str, Any]:
        """Return what comes next: ("item", item), ("end", None) or ("error", error).

        Raises:
            queue.Empty: nothing came in time.
        """
        return self._items.get(timeout=timeout_s)

    def close(self) -> None:
        """Stop listening: the call ends at its next step."""
        self._stopped.set()

    def _offer(self, kind: str, value: Any) -> bool:
        try:
            self._items.put((kind, value), timeout=LOOK_S)
        except queue.Full:
            return False
        return True

    def check(self) -> None:
        """Raise WorkerCancelled once nobody listens; to be called between steps."""
        if self._stopped.is_set():
            raise WorkerCancelled


def run_in_thread(
    work: Callable[[Channel[Item]], None], heartbeat_s: float = HEARTBEAT_S, ahead: int = 0
) -> Generator[Item | None, None, None]:
    """Yield what `work` puts into its channel, in order; None while nothing came for `heartbeat_s`.

    Closing the iterator stops the work at its next step and waits for it, so that a model is never used by two.
    Whatever the work raises is raised here. Where torch runs on a single thread for the caller (see
    `models.threads.use_single_thread`), it does so for the work, too.

    Args:
        ahead: how many items may wait to be taken before the work waits, too; 0 is any number.
    """
    channel: Channel[Item] = Channel(ahead)
    alone = is_single_threaded()

    def run_guarded() -> None:
        try:
            if alone:
                use_single_thread()
            work(channel)
            channel.finish("end")
        except WorkerCancelled:
            channel.finish("end")
        except BaseException as error:
            channel.finish("error", error)

    thread = threading.Thread(target=run_guarded, name="auralume-backend", daemon=True)
    thread.start()
    try:
        while True:
            try:
                kind, value = channel.take(heartbeat_s)
            except queue.Empty:
                yield None
                continue
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        channel.close()
        thread.join(STOP_PATIENCE_S)


@contextmanager
def seed_torch(seed: int) -> Iterator[None]:
    """Seed torch's global random state inside the `with`, for one thread at a time, and restore it after."""
    import torch

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with _random, torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
