"""Models that count, their loaders, and what tests of the registry ask and wait for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from models.contracts import Task
from models.errors import ModelError
from models.hub.download import Hub, HubFile
from models.hub.spec import Bundled, ModelSpec, Source
from models.registry.registry import Registry
from tests.hub_server import HubServer

CONTENT = bytes(range(256)) * 800  # 200 KiB
OTHER = CONTENT[::-1]
WAIT_S = 60.0  # of patience on a busy machine; nothing waits that long unless it fails


class Counter:
    """A generator that counts up to the request, and notes what is done to it."""

    def __init__(self, files: Mapping[str, Path], spec: ModelSpec) -> None:
        self.files = dict(files)
        self.spec = spec
        self.running = 0
        self.most_running = 0
        self.closed = 0

    def stream(self, request: int) -> Iterator[int]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            yield from range(request)
        finally:
            self.running -= 1
            self.closed += 1


class Loaders:
    """A module of loaders, importable by name, that notes what was loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def load(self, files: Mapping[str, Path], spec: ModelSpec) -> Counter:
        self.loaded.append(spec.key)
        self.gate.wait(WAIT_S)
        return Counter(files, spec)


def make_spec(
    name: str,
    *sources: Source,
    memory_mb: int = 100,
    loader: str = "loaders_of_this_test:load",
    needs_gpu: bool = False,
) -> ModelSpec:
    return ModelSpec(
        key=f"speech/{name}",
        task=Task.SPEECH,
        title=f"Model {name.upper()}",
        summary="A model for tests.",
        licence="MIT",
        commercial_use=True,
        credit="nobody",
        sources=sources or (Bundled(("small.bin",)),),
        memory_mb=memory_mb,
        needs_gpu=needs_gpu,
        speed="at once",
        loader=loader,
    )


def hub_source(server: HubServer, repo_id: str, content: bytes = CONTENT) -> Hub:
    commit = server.add_repo(repo_id, {"model.bin": content})
    return Hub(repo_id, commit, (HubFile("model.bin", len(content), hashlib.sha256(content).hexdigest()),))


MakeRegistry = Callable[..., Registry]


def kind_of(call: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        call()
    assert str(caught.value).endswith(".")
    return caught.value.kind


def wait_until(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if condition():
            return
        tick.wait(0.01)
    pytest.fail("it did not happen in time")
