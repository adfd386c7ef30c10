"""Loading: whatever a loader does wrong is a sentence, and the others go on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from models.errors import ModelError
from tests.hub_server import HubServer
from tests.models.registry.counting_models import Counter, MakeRegistry, hub_source, kind_of, make_spec


def raising(error: BaseException) -> Callable[..., object]:
    def load(_files: object, _spec: object) -> object:
        raise error

    return load


@pytest.mark.parametrize(
    ("load", "kind", "says"),
    [
        (raising(ModelError("The file is damaged.", "weights")), "weights", "damaged"),
        (raising(MemoryError()), "memory", "too little memory"),
        (raising(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")), "memory", "too little memory"),
        (raising(RuntimeError("DefaultCPUAllocator: can't allocate memory")), "memory", "too little memory"),
        (raising(ModuleNotFoundError("No module named 'nothere'", name="nothere")), "loader", "package nothere"),
        (raising(KeyError("weight")), "loader", "KeyError"),
        (raising(ValueError("one line" + "\nand another")), "loader", r"ValueError: one line\)"),
        (raising(SystemExit(1)), "loader", "SystemExit"),
        (lambda _files, _spec: object(), "loader", "cannot stream"),
    ],
)
def test_loader_that_fails_is_a_sentence_and_others_go_on(
    make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch, load: Callable[..., object], kind: str, says: str
) -> None:
    module = ModuleType("broken_loaders")
    module.load = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registry = make_registry(make_spec("a", loader="broken_loaders:load"), make_spec("b"))
    with pytest.raises(ModelError, match=says) as caught:
        registry.load("speech/a")
    assert caught.value.kind == kind
    assert registry.state("speech/a") == "here"
    assert list(registry.load("speech/b").stream(1)) == [0]
    module.load = Counter  # type: ignore[attr-defined]
    assert list(registry.load("speech/a").stream(1)) == [0]


@pytest.mark.parametrize("loader", ["no_such_module_here:load", "models.errors:no_such_function"])
def test_loader_that_is_not_there(make_registry: MakeRegistry, loader: str) -> None:
    registry = make_registry(make_spec("a", loader=loader))
    assert kind_of(lambda: registry.load("speech/a")) == "loader"


def test_model_that_needs_a_gpu(make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry(make_spec("a", needs_gpu=True))
    for name in ("models.registry.loading._has_gpu", "models.registry.registry.has_gpu"):
        monkeypatch.setattr(name, lambda: False)
    assert kind_of(lambda: registry.load("speech/a")) == "gpu"
    for name in ("models.registry.loading._has_gpu", "models.registry.registry.has_gpu"):
        monkeypatch.setattr(name, lambda: True)
    assert registry.load("speech/a").spec.needs_gpu


def test_offline_registry_uses_what_is_here(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    spec = make_spec("a", hub_source(hub_server, "x/a"))
    assert kind_of(lambda: make_registry(spec, offline=True).load("speech/a")) == "offline"
    make_registry(spec).load("speech/a")
    hub_server.requests.clear()
    assert list(make_registry(spec, offline=True).load("speech/a").stream(1)) == [0]
    assert hub_server.requests == []
