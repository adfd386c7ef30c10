"""A loaded model that several people share, and the work of loading one while several wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from models.contracts import Generator, Progress
from models.errors import Cancelled, ModelError
from models.hub.download import OnProgress
from models.hub.spec import ModelSpec

if TYPE_CHECKING:
    from models.registry.registry import Registry


class SharedModel:
    """A loaded model, shared by all who asked for it; one stream runs at a time.

    Attributes:
        spec: its catalogue entry.
    """

    def __init__(self, registry: Registry, spec: ModelSpec, model: Generator) -> None:
        self.spec = spec
        self._registry = registry
        self._model: Generator | None = model
        self._streaming = threading.Lock()  # not re-entrant, and released by whichever thread ends the stream
        self._users = 0  # streams running or waiting; guarded by the registry's lock

    @property
    def model(self) -> Any:
        """The generator itself, for facts that do not change while it runs.

        Raises:
            ModelError: the registry has freed it; load it again.
        """
        if self._model is None:
            raise ModelError(f"{self.spec.title} was freed to make room for another model. Try again.", "busy")
        return self._model

    @contextmanager
    def hold(self) -> Iterator[Any]:
        """The generator itself, which is not freed inside the `with`; others may use it meanwhile.

        For work without end that uses a model's parts, which must bear several users at once.

        Raises:
            ModelError: it was freed since it was handed out and could not be loaded again.
        """
        if not self._registry._begin_use(self):
            with self._registry.load(self.spec.key).hold() as model:
                yield model
            return
        try:
            yield self.model
        finally:
            self._registry._end_use(self)

    def stream(self, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request, holding the model from the first chunk to the last.

        Others wait their turn meanwhile, and the model is not freed. Closing the generator closes the model's own and
        lets the next one in. If the model was freed since it was handed out, it is loaded again first.

        Raises:
            ModelError: it stayed busy for too long, or could not be loaded again.
        """
        if not self._registry._begin_use(self):
            yield from self._registry.load(self.spec.key).stream(request)
            return
        try:
            if not self._streaming.acquire(timeout=self._registry.busy_timeout_s):
                raise ModelError(f"{self.spec.title} is busy with another person's request. Try again later.", "busy")
            try:
                chunks = self._registry.runner(self.model, request, self.spec)
                began_s = time.monotonic()
                try:
                    yield from chunks
                    self._registry.timings.record(self.spec.key, request, time.monotonic() - began_s)
                finally:
                    close = getattr(chunks, "close", None)
                    if close is not None:
                        close()
            finally:
                self._streaming.release()
        finally:
            self._registry._end_use(self)


class LoadJob:
    """One download and load, watched by everyone who asked for it."""

    def __init__(self) -> None:
        self.watchers = 0  # guarded by the registry's lock, like `cancelled`
        self.cancelled = False
        self._changed = threading.Condition()
        self._progress: Progress | None = None
        self._model: SharedModel | None = None
        self._error: ModelError | None = None

    def report(self, progress: Progress) -> None:
        """Called by the worker; raises Cancelled once nobody waits any more."""
        if self.cancelled:
            raise Cancelled
        with self._changed:
            self._progress = progress
            self._changed.notify_all()

    def finish(self, model: SharedModel | None, error: ModelError | None) -> None:
        with self._changed:
            self._model, self._error = model, error
            self._changed.notify_all()

    def wait(self, on_progress: OnProgress | None) -> SharedModel:
        """Follow the job in the caller's own thread until it ends; every watcher gets an error of its own."""
        seen: Progress | None = None
        while True:
            with self._changed:
                while not (self._model or self._error) and self._progress is seen:
                    self._changed.wait()
                model, error, seen = self._model, self._error, self._progress
            if on_progress is not None and seen is not None:
                on_progress(seen)
            if model is not None:
                return model
            if error is not None:
                raise ModelError(str(error), error.kind) from error.__cause__
