"""What a shared model needs of the registry that owns it, so that neither module imports the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from models.hub.spec import ModelSpec
from models.registry.timing import RequestTimings

Runner = Callable[[Any, Any, ModelSpec], Iterator[Any]]
"""Runs a request: called with the generator, the request and the model's entry; yields the chunks."""


class StreamingModel(Protocol):
    """A model that is ready to answer requests."""

    def hold(self) -> AbstractContextManager[Any]:
        """Keep the generator from being freed inside the `with`."""
        ...

    def stream(self, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request."""
        ...


class ModelOwner(Protocol):
    """The registry as its loaded models see it.

    Attributes:
        busy_timeout_s: how long a stream waits for the one before it.
        runner: runs every request.
        timings: told how long each request took.
    """

    busy_timeout_s: float
    runner: Runner
    timings: RequestTimings

    def begin_use(self, key: str, model: StreamingModel) -> bool:
        """Count a user of this model in; return False if it has been freed."""
        ...

    def end_use(self, key: str) -> None:
        """Count a user out."""
        ...

    def load(self, key: str) -> StreamingModel:
        """Return the model, loading it first if need be."""
        ...
