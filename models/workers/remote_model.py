"""What stands in the registry for a model that is loaded elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from models.contracts import Voice
from models.hub.spec import ModelSpec
from models.registry.loading import build_generator
from models.workers.contracts import ModelFacts
from models.workers.pool import WorkerPool


class RemoteModel:
    """A generator whose requests go to workers.

    Attributes:
        serves_several: its pool finds a place for each request, so that nobody need wait before.
    """

    serves_several = True

    def __init__(self, pool: WorkerPool, spec: ModelSpec, files: Mapping[str, Path]) -> None:
        self.spec, self._pool, self._files = spec, pool, dict(files)
        self.facts: ModelFacts = pool.load(spec)
        self._parts: Any = None
        self._lock = threading.Lock()

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that the loaded model knows."""
        return self.facts.voices

    def stream(self, request: Any) -> Generator[Any, None, float]:
        """Yield the chunks of one request; return the seconds that it waited for a worker."""
        return (yield from self._pool.stream(self.spec, request, self.facts))

    def build_parts(self) -> Any:
        """Return the studio's own network, loaded here the first time, for what uses its parts; else this proxy."""
        if not self.spec.is_native:
            return self
        with self._lock:
            if self._parts is None:
                self._parts = build_generator(self.spec, self._files)
            return self._parts

    def release(self) -> None:
        """Give the memory back on every worker, without waiting for them."""
        self._parts = None
        threading.Thread(target=self._pool.free, args=(self.spec.key,), name="auralume-free", daemon=True).start()
