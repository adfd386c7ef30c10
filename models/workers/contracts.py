"""The protocol of workers: load, stream, free, health. A stream is cancelled by closing it.

A *home* gives the registry its models: `models.registry.loading.SameProcess` is the usual one. The models of the other
homes, `processes.LocalProcesses` and `ray_home.RayCluster`, are proxies: requests go to a worker, chunks come back.
"""

from __future__ import annotations

from collections.abc import Generator as IteratorOf
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from models.contracts import Generator, Voice
from models.hub.spec import ModelSpec

WorkerState = Literal["asleep", "ready", "lost"]


class WorkerLost(Exception):
    """The worker is gone in the middle of its work; another can do the same work again."""


@dataclass(frozen=True)
class ModelFacts:
    """What a page asks of a model that is loaded elsewhere."""

    takes_turns: bool
    voices: tuple[Voice, ...] = ()


@dataclass(frozen=True)
class WorkerHealth:
    """A worker as the Models tab shows it.

    Attributes:
        name: of its slot, "gpu:0" or "cpu:1"; machine: where it runs.
        state: "asleep" before its first model, "ready", or "lost" until it is wanted again.
        loaded: keys of the models it holds; running: streams it works on.
        losses: how many times it was lost since the start.
    """

    name: str
    machine: str
    state: WorkerState
    loaded: tuple[str, ...] = ()
    running: int = 0
    losses: int = 0


class Worker(Protocol):
    """One place where models are loaded and requests answered.

    Every method may raise `WorkerLost`; a lost worker begins anew when it is asked again.

    Attributes:
        name: of its slot; has_gpu: whether it computes on one.
    """

    name: str
    has_gpu: bool

    def load(self, spec: ModelSpec) -> ModelFacts:
        """Have a model ready.

        Raises:
            ModelError: it cannot be loaded there.
        """
        ...

    def stream(self, spec: ModelSpec, request: Any) -> IteratorOf[Any, None, None]:
        """Yield the chunks of one request; closing it ends the work."""
        ...

    def free(self, key: str) -> None:
        """Give a model's memory back."""
        ...

    def check_health(self) -> WorkerHealth:
        """Tell how it is, without waking or waiting for it."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class ModelHome(Protocol):
    """Where the models of a registry are loaded."""

    @property
    def brings_gpu(self) -> bool:
        """Return whether it has a GPU that this machine need not have."""
        ...

    @property
    def places(self) -> int:
        """Return how many requests are worked on side by side."""
        ...

    def build(self, spec: ModelSpec, files: Mapping[str, Path]) -> Generator:
        """Load a model whose files are here; return it, or what stands for it.

        Raises:
            ModelError: with a sentence.
        """
        ...

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        """Return its workers as they are; () where there are none."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...
