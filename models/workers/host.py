"""What a worker is inside: a registry of its own, which loads, shares and frees as that of the page does."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.registry.registry import WEIGHTS_DIR, Registry, SharedModel
from models.workers.contracts import ModelFacts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HostSettings:
    """What a worker's registry is made of, as arguments of `Registry`; None is what is usual on its machine."""

    memory_budget_mb: float | None = None
    cache_dir: str | None = None
    weights_dir: Path | None = None
    endpoint: str | None = None
    offline: bool | None = None


class WorkerHost:
    """Loads models and answers requests in the process that it is made in."""

    def __init__(self, settings: HostSettings) -> None:
        self.registry = Registry(
            (),
            settings.cache_dir,
            settings.memory_budget_mb,
            weights_dir=settings.weights_dir or WEIGHTS_DIR,
            endpoint=settings.endpoint,
            offline=settings.offline,
        )

    def load(self, spec: ModelSpec) -> ModelFacts:
        """Have a model ready; return what a page asks of it.

        Raises:
            ModelError: it cannot be loaded here.
        """
        try:
            shared = self._open(spec)
            return ModelFacts(bool(getattr(shared.model, "takes_turns", False)), shared.voices)
        except Exception as error:
            raise make_portable(error) from None

    def stream(self, spec: ModelSpec, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request, loading the model first if need be; failures are `make_portable`."""
        try:
            yield from self._open(spec).stream(self.unpack(request))
        except Exception as error:
            raise make_portable(error) from None

    def unpack(self, request: Any) -> Any:
        """Return a request as the model takes it: as it came, where nothing of it was packed for the way."""
        return request

    def free(self, key: str) -> None:
        """Give a model's memory back, unless it is in use."""
        if key in [spec.key for spec in self.registry.specs()]:
            try:
                self.registry.free(key)
            except ModelError as error:
                log.info("%s", error)

    def list_loaded(self) -> tuple[str, ...]:
        """Return the keys of the models that are loaded."""
        return tuple(spec.key for spec in self.registry.specs() if self.registry.state(spec.key) == "ready")

    def _open(self, spec: ModelSpec) -> SharedModel:
        """Return a model, whose entry is put on this registry's shelf; one that works with others' parts finds them."""
        self.registry.add(spec)
        shared = self.registry.load(spec.key)
        use_registry = getattr(shared.model, "use_registry", None)
        if use_registry is not None:
            use_registry(self.registry)
        return shared


def make_portable(error: Exception) -> Exception:
    """Return an error that means the same in another process: itself, or its words where it cannot be sent."""
    if isinstance(error, (ModelError, ValueError, MemoryError)):
        try:
            if str(pickle.loads(pickle.dumps(error))) == str(error):
                return error
        except Exception:
            log.debug("%r cannot be sent", error)
    log.error("A request failed", exc_info=error)
    return ModelError(f"The model failed while it worked ({type(error).__name__}: {error}).", "loader")
