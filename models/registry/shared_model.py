"""A loaded model that several people share, and the work of loading one while several wait for it.

A generator whose class has `takes_turns` true may have several streams open, as each keeps its state to itself: they
take turns chunk by chunk. What stands for a model on workers (`serves_several`) finds a place for each request itself.
Every other generator answers one request after another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Generator as IteratorOf
from contextlib import contextmanager
from typing import Any

from models.contracts import Generator, Progress, Voice
from models.errors import Cancelled, ModelError
from models.hub.download import OnProgress
from models.hub.spec import ModelSpec
from models.registry.protocols import ModelOwner
from models.registry.turns import Ticket, Turns


class SharedModel:
    """A loaded model, shared by all who asked for it; at any moment it works for one of them.

    Attributes:
        spec: its catalogue entry.
        users: streams that run or wait; guarded by the owner's lock.
    """

    def __init__(self, owner: ModelOwner, spec: ModelSpec, generator: Generator) -> None:
        self.spec = spec
        self.users = 0
        self._owner = owner
        self._generator: Generator | None = generator
        self._streaming = threading.Lock()  # not re-entrant, and released by whichever thread ends the stream
        self._turns = Turns()

    @property
    def model(self) -> Any:
        """Return the generator itself, for facts that do not change while it runs.

        Raises:
            ModelError: the registry has freed it; load it again.
        """
        if self._generator is None:
            raise ModelError(f"{self.spec.title} was freed to make room for another model. Try again.", "busy")
        build_parts = getattr(self._generator, "build_parts", None)  # what stands for a model that is loaded elsewhere
        return self._generator if build_parts is None else build_parts()

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that the loaded model itself knows."""
        return tuple(voice for voice in getattr(self._generator, "voices", ()) if isinstance(voice, Voice))

    def release(self) -> None:
        """Let go of the generator; to be called by the owner, when nobody uses it."""
        release = getattr(self._generator, "release", None)
        if release is not None:
            release()
        self._generator = None

    @contextmanager
    def hold(self) -> Iterator[Any]:
        """Keep the generator from being freed inside the `with`, and give it; others may use it meanwhile.

        For work without end that uses a model's parts, which must bear several users at once.

        Raises:
            ModelError: it was freed since it was handed out and could not be loaded again.
        """
        if not self._owner.begin_use(self.spec.key, self):
            with self._owner.load(self.spec.key).hold() as model:
                yield model
            return
        try:
            yield self.model
        finally:
            self._owner.end_use(self.spec.key)

    def stream(self, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request.

        Others wait meanwhile, for the end of the stream or, where the generator takes turns, of a chunk. The model is
        not freed. Closing the generator closes the model's own. If the model was freed since it was handed out, it is
        loaded again first.

        Raises:
            ModelError: it stayed busy for too long, or could not be loaded again.
        """
        if not self._owner.begin_use(self.spec.key, self):
            yield from self._owner.load(self.spec.key).stream(request)
            return
        try:
            began_s = time.monotonic()
            waited_s = yield from self._find_way()(request)
            self._owner.timings.record(self.spec.key, request, time.monotonic() - began_s - waited_s)
        finally:
            self._owner.end_use(self.spec.key)

    def _find_way(self) -> Callable[[Any], IteratorOf[Any, None, float]]:
        """Return what yields the chunks of a request, and returns the seconds that it waited for its turn."""
        generator: Any = self._generator
        if getattr(generator, "serves_several", False):
            way: Callable[[Any], IteratorOf[Any, None, float]] = generator.stream
            return way
        return self._stream_in_turns if getattr(generator, "takes_turns", False) else self._stream_at_once

    def _stream_at_once(self, request: Any) -> IteratorOf[Any, None, float]:
        """Yield the chunks while all others wait for the end; return the seconds that it waited itself."""
        asked_s = time.monotonic()
        if not self._streaming.acquire(timeout=self._owner.busy_timeout_s):
            raise self._busy_error()
        try:
            waited_s = time.monotonic() - asked_s
            chunks = self._owner.runner(self.model, request, self.spec)
            try:
                yield from chunks
            finally:
                _close(chunks)
            return waited_s
        finally:
            self._streaming.release()

    def _stream_in_turns(self, request: Any) -> IteratorOf[Any, None, float]:
        """Yield the chunks, each made when its turn has come; return the seconds of waiting."""
        ticket = Ticket()
        chunks = self._owner.runner(self.model, request, self.spec)
        end = object()
        try:
            while True:
                try:
                    with self._turns.take(ticket, self._owner.busy_timeout_s):
                        chunk = next(chunks, end)
                except TimeoutError:
                    raise self._busy_error() from None
                if chunk is end:
                    return ticket.waited_s
                yield chunk
        finally:
            _close(chunks)

    def _busy_error(self) -> ModelError:
        return ModelError(f"{self.spec.title} is busy with another person's request. Try again later.", "busy")


def _close(chunks: Iterator[Any]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()


class LoadJob:
    """One download and load, watched by everyone who asked for it.

    Attributes:
        watchers: how many wait for it; guarded by the registry's lock, like `cancelled`.
        cancelled: whether all watchers have left.
    """

    def __init__(self) -> None:
        self.watchers = 0
        self.cancelled = False
        self._changed = threading.Condition()
        self._progress: Progress | None = None
        self._model: SharedModel | None = None
        self._error: ModelError | None = None

    def report(self, progress: Progress) -> None:
        """Pass the worker's progress on to the watchers; raise Cancelled once nobody waits any more."""
        if self.cancelled:
            raise Cancelled
        with self._changed:
            self._progress = progress
            self._changed.notify_all()

    def finish(self, model: SharedModel | None, error: ModelError | None) -> None:
        """Give the watchers the model, or the reason why there is none."""
        with self._changed:
            self._model, self._error = model, error
            self._changed.notify_all()

    def wait(self, on_progress: OnProgress | None) -> SharedModel:
        """Follow the job in the caller's own thread until it ends.

        Raises:
            ModelError: the job failed; every watcher gets an error of its own.
        """
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
