"""Workers as processes of this machine, one a GPU or a share of the processor, served by `multiprocessing.managers`.

Each is a manager with one `WorkerHost`; a stream is a generator that stays there, and each of its chunks is asked for,
as the page asks a model of its own. So nothing is made that nobody takes.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import re
import threading
from collections.abc import Callable, Mapping
from collections.abc import Generator as IteratorOf
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.managers import BaseManager, IteratorProxy  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from models.contracts import Generator
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.memory import share_heaps
from models.threads import limit_spinning
from models.workers.contracts import ModelFacts, WorkerHealth, WorkerLost
from models.workers.host import HostSettings, WorkerHost
from models.workers.pool import WorkerPool
from models.workers.remote_model import RemoteModel

_SLOT = re.compile(r"(gpu|cpu):(\d{1,2})")
_VISIBLE = "CUDA_VISIBLE_DEVICES"
MOST_SLOTS = 32
END = object()


@dataclass(frozen=True)
class Slot:
    """A place for one worker.

    Attributes:
        name: unique among all; gpu: number of its GPU, None for the processor.
    """

    name: str
    gpu: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of its process: it sees its own GPU alone, or none."""
        if self.gpu is None:
            return {_VISIBLE: ""}
        seen = [each for each in os.environ.get(_VISIBLE, "").split(",") if each]
        return {_VISIBLE: seen[self.gpu] if self.gpu < len(seen) else str(self.gpu)}


def read_slots(text: str) -> tuple[Slot, ...]:
    """Return the slots that "gpu:0,gpu:1" or "cpu:2" names: `gpu:N` is GPU number N, `cpu:N` are N processes.

    Raises:
        ValueError: it names something else, or too many.
    """
    slots: list[Slot] = []
    for part in filter(None, re.split(r"[,\s]+", text.strip())):
        found = _SLOT.fullmatch(part)
        if found is None:
            raise ValueError(f"--workers is {text!r}; name them as gpu:0,gpu:1 (GPUs) or cpu:2 (two processes).")
        kind, number = found[1], int(found[2])
        alike = sum((each.gpu is not None) == (kind == "gpu") for each in slots)
        if kind == "cpu":
            slots += [Slot(f"cpu:{alike + at}") for at in range(number)]
        else:
            twins = sum(each.gpu == number for each in slots)
            slots.append(Slot(f"gpu:{number}" + (f"-{twins + 1}" if twins else ""), number))
    if not 0 < len(slots) <= MOST_SLOTS:
        raise ValueError(f"--workers names {len(slots)} workers; 1 to {MOST_SLOTS} work.")
    return tuple(slots)


class _Manager(BaseManager):
    """A process with one host."""


_Manager.register("Iterator", proxytype=IteratorProxy, create_method=False)
_Manager.register("Host", WorkerHost, method_to_typeid={"stream": "Iterator"})


def _begin(environment: Mapping[str, str]) -> None:
    """Prepare a worker's process before torch is imported, and let it end when the page's process does."""
    os.environ.update(environment)
    limit_spinning()
    share_heaps()
    page = multiprocessing.parent_process()

    def end_with_page() -> None:
        if page is not None:
            page.join()
        os._exit(0)

    threading.Thread(target=end_with_page, name="auralume-page", daemon=True).start()


class ProcessWorker:
    """A worker in a process of this machine, started when it is first wanted, and again when it was lost."""

    def __init__(self, slot: Slot, settings: HostSettings) -> None:
        self.name, self.has_gpu = slot.name, slot.gpu is not None
        self.losses = 0
        self._slot, self._settings = slot, settings
        self._lock = threading.Lock()
        self._manager: _Manager | None = None
        self._host: Any = None

    @property
    def pid(self) -> int | None:
        """Return the number of its process; None where there is none."""
        process = getattr(self._manager, "_process", None)
        return None if process is None else process.pid

    def load(self, spec: ModelSpec) -> ModelFacts:
        """Have a model ready there."""
        return self._ask(lambda host: host.load(spec))

    def stream(self, spec: ModelSpec, request: Any) -> IteratorOf[Any, None, None]:
        """Yield the chunks of one request, all of the process that it began in."""
        host = self._open()
        chunks = self._ask(lambda host: host.stream(spec, request), host)
        try:
            while (chunk := self._ask(lambda _host: next(chunks, END), host)) is not END:
                yield chunk
        finally:
            with suppress(EOFError, OSError):
                chunks.close()

    def free(self, key: str) -> None:
        """Give a model's memory back there."""
        host = self._host
        if host is not None:
            self._ask(lambda host: host.free(key), host)

    def check_health(self) -> WorkerHealth:
        """Tell how it is."""
        health = WorkerHealth(self.name, platform.node(), "lost" if self.losses else "asleep", losses=self.losses)
        host = self._host
        if host is None:
            return health
        try:
            return replace(health, state="ready", loaded=self._ask(lambda host: host.list_loaded(), host))
        except WorkerLost:
            return replace(health, state="lost", losses=self.losses)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            manager, self._manager, self._host = self._manager, None, None
        if manager is not None:
            manager.shutdown()

    def _ask(self, work: Callable[[Any], Any], host: Any = None) -> Any:
        """Call a host, by default the one that is there or is begun now.

        Raises:
            WorkerLost: its process is gone; one that was begun since stays.
        """
        host = self._open() if host is None else host
        try:
            return work(host)
        except (EOFError, OSError) as error:  # what fails within the host comes as other errors, see `make_portable`
            with self._lock:
                if self._host is host:
                    self._host, self._manager, self.losses = None, None, self.losses + 1
            raise WorkerLost(self.name) from error

    def _open(self) -> Any:
        with self._lock:
            if self._host is None:
                manager = _Manager(ctx=multiprocessing.get_context("spawn"))
                try:
                    manager.start(_begin, (self._slot.environment,))
                    self._host = manager.Host(self._settings)  # type: ignore[attr-defined]
                except (EOFError, OSError) as error:
                    raise ModelError(f"The worker {self.name} could not be started ({error}).", "loader") from error
                self._manager = manager
            return self._host


class LocalProcesses:
    """A home in processes of this machine, one a slot.

    Args:
        settings: of every worker's registry.
        timeout_s: how long a request waits for a worker.
    """

    def __init__(self, slots: tuple[Slot, ...], settings: HostSettings, timeout_s: float = 600.0) -> None:
        self.workers = tuple(ProcessWorker(slot, settings) for slot in slots)
        self.pool = WorkerPool(self.workers, timeout_s=timeout_s)

    brings_gpu = False

    @property
    def places(self) -> int:
        """Return how many processes there are."""
        return len(self.workers)

    def build(self, spec: ModelSpec, files: Mapping[str, Path]) -> Generator:
        """Load a model in one of the processes; return what stands for it here."""
        return RemoteModel(self.pool, spec, files)

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        """Return the workers as they are."""
        return self.pool.list_workers()

    def close(self) -> None:
        """End the processes."""
        self.pool.close()
