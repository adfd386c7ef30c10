"""The registry: one download, one load, one stream at a time, within a memory budget; failures are sentences."""

from __future__ import annotations

import hashlib
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from models import machine
from models.contracts import Progress
from models.errors import ModelError
from models.hub.download import Hub, HubFile
from models.hub.spec import Bundled, ModelSpec, Source
from models.registry.registry import Registry, SharedModel
from tests.hub_server import Fault, HubServer

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


@pytest.fixture
def loaders(monkeypatch: pytest.MonkeyPatch) -> Loaders:
    made = Loaders()
    module = ModuleType("loaders_of_this_test")
    module.load = made.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "small.bin").write_bytes(b"12345")
    return folder


def make_spec(
    name: str,
    *sources: Source,
    memory_mb: int = 100,
    loader: str = "loaders_of_this_test:load",
    needs_gpu: bool = False,
) -> ModelSpec:
    return ModelSpec(
        key=f"test/{name}",
        task="test",
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


@pytest.fixture
def make_registry(tmp_path: Path, weights: Path, hub_server: HubServer, loaders: Loaders) -> MakeRegistry:
    def make(*specs: ModelSpec, budget_mb: float = 1000, **settings: Any) -> Registry:
        return Registry(specs, tmp_path / "cache", budget_mb, weights_dir=weights, endpoint=hub_server.url, **settings)

    return make


def kind_of(call: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        call()
    assert str(caught.value).endswith(".")
    return caught.value.kind


# Finding


def test_specs_and_get(make_registry: MakeRegistry) -> None:
    first, second = make_spec("a"), make_spec("b")
    registry = make_registry(first, second)
    assert registry.specs() == registry.specs("test") == (first, second)
    assert registry.specs("music") == ()
    assert registry.get("test/b") is second
    for call in (registry.get, registry.load, registry.state, registry.free, registry.delete, registry.size_on_disk):
        assert kind_of(lambda call=call: call("test/none")) == "unknown-model"  # type: ignore[misc]


def test_key_twice_is_refused(make_registry: MakeRegistry) -> None:
    with pytest.raises(ValueError, match="test/a"):
        make_registry(make_spec("a"), make_spec("a"))


def test_default_budget_follows_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.registry.registry.measure_available_memory_mb", lambda: 1000)
    assert Registry([]).memory_budget_mb == 700


# Loading


def test_states_of_a_bundled_model(make_registry: MakeRegistry, weights: Path, loaders: Loaders) -> None:
    registry = make_registry(make_spec("a"))
    assert registry.state("test/a") == "here"
    assert registry.size_on_disk("test/a") == 5
    assert loaders.loaded == []
    shared = registry.load("test/a")
    assert registry.state("test/a") == "ready"
    assert shared.model.files == {"small.bin": weights / "small.bin"}
    assert registry.load("test/a") is shared
    assert list(shared.stream(3)) == [0, 1, 2]
    registry.free("test/a")
    assert registry.state("test/a") == "here"
    (weights / "small.bin").unlink()
    assert registry.state("test/a") == "absent"
    assert kind_of(lambda: registry.load("test/a")) == "weights"


def test_life_of_a_hub_model(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    first, second = hub_source(hub_server, "x/acoustic"), hub_source(hub_server, "x/vocoder", OTHER)
    registry = make_registry(make_spec("a", first, second))
    assert registry.state("test/a") == "absent"
    assert registry.size_on_disk("test/a") == 0
    seen: list[Progress] = []
    shared = registry.load("test/a", seen.append)
    files = shared.model.files
    assert files["x/acoustic/model.bin"].read_bytes() == CONTENT
    assert files["x/vocoder/model.bin"].read_bytes() == OTHER
    assert seen[-1].stage == "loading"
    downloads = [progress for progress in seen if progress.stage == "downloading"]
    assert {progress.total for progress in downloads} == {2 * len(CONTENT)}
    assert registry.size_on_disk("test/a") == 2 * len(CONTENT)
    registry.free("test/a")
    assert registry.state("test/a") == "here"
    registry.load("test/a")
    assert hub_server.count("GET") == 2, "nothing is downloaded again"
    registry.delete("test/a")
    assert registry.state("test/a") == "absent"
    assert registry.size_on_disk("test/a") == 0
    assert registry.load("test/a").model.files["x/vocoder/model.bin"].read_bytes() == OTHER


def test_delete_keeps_files_that_another_model_needs(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    vocoder = hub_source(hub_server, "x/vocoder")
    both = make_registry(
        make_spec("a", hub_source(hub_server, "x/a", b"a" * 2000), vocoder),
        make_spec("b", hub_source(hub_server, "x/b", b"b" * 2000), vocoder),
    )
    both.load("test/a")
    both.load("test/b")
    both.delete("test/a")
    assert both.state("test/a") == "absent"
    assert both.state("test/b") == "ready"
    both.free("test/b")
    assert both.state("test/b") == "here"
    both.delete("test/b")
    assert both.size_on_disk("test/a") == both.size_on_disk("test/b") == 0


def test_what_cannot_be_deleted(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a"), make_spec("b", hub_source(hub_server, "x/b")))
    assert kind_of(lambda: registry.delete("test/a")) == "bundled"
    stream = registry.load("test/b").stream(3)
    next(stream)
    assert kind_of(lambda: registry.delete("test/b")) == "busy"
    assert kind_of(lambda: registry.free("test/b")) == "busy"
    stream.close()  # type: ignore[attr-defined]
    registry.delete("test/b")
    assert registry.state("test/b") == "absent"


# Two users


def wait_until(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if condition():
            return
        tick.wait(0.01)
    pytest.fail("it did not happen in time")


@contextmanager
def two_users(server: HubServer) -> Iterator[ThreadPoolExecutor]:
    """Two threads, and a Hub that holds every body back until its gate is set, at the latest at the end."""
    server.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        try:
            yield pool
        finally:
            server.gate.set()


def test_two_users_share_one_download_and_one_load(
    make_registry: MakeRegistry, hub_server: HubServer, loaders: Loaders
) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    seen: tuple[list[Progress], list[Progress]] = ([], [])
    with two_users(hub_server) as pool:
        users: list[Future[SharedModel]] = [pool.submit(registry.load, "test/a", seen[user].append) for user in (0, 1)]
        wait_until(lambda: all(seen))
        assert kind_of(lambda: registry.delete("test/a")) == "busy"
        hub_server.gate.set()
        first, second = (user.result(WAIT_S) for user in users)
    assert first is second
    assert loaders.loaded == ["test/a"]
    assert hub_server.count("GET") == 1
    for user in (0, 1):
        assert "downloading" in {progress.stage for progress in seen[user]}


def test_two_models_that_share_a_file_download_it_once(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    vocoder = hub_source(hub_server, "x/vocoder")
    registry = make_registry(make_spec("a", vocoder), make_spec("b", vocoder))
    with two_users(hub_server) as pool:
        users = [pool.submit(registry.load, f"test/{name}") for name in "ab"]
        wait_until(lambda: hub_server.count("GET") == 1)
        hub_server.gate.set()
        assert {user.result(WAIT_S).spec.key for user in users} == {"test/a", "test/b"}
    assert hub_server.count("GET") == 1


def test_both_users_hear_of_a_failure_and_a_retry_works(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    hub_server.fault = Fault(corrupt=True, methods=("GET",))
    seen: tuple[list[Progress], list[Progress]] = ([], [])
    with two_users(hub_server) as pool:
        users = [pool.submit(registry.load, "test/a", seen[user].append) for user in (0, 1)]
        wait_until(lambda: all(seen))
        hub_server.gate.set()
        errors = [user.exception(WAIT_S) for user in users]
    assert [getattr(error, "kind", None) for error in errors] == ["checksum", "checksum"]
    assert errors[0] is not errors[1], "each user's thread raises an exception of its own"
    hub_server.fault = None
    assert registry.load("test/a").model.files["x/a/model.bin"].read_bytes() == CONTENT


class Leaves(Exception):
    """A user closes the page."""


def test_user_who_leaves_does_not_stop_the_other(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    seen: list[Progress] = []

    def leave(_progress: Progress) -> None:
        wait_until(lambda: bool(seen))
        raise Leaves

    with two_users(hub_server) as pool:
        leaver = pool.submit(registry.load, "test/a", leave)
        stayer = pool.submit(registry.load, "test/a", seen.append)
        assert isinstance(leaver.exception(WAIT_S), Leaves)
        hub_server.gate.set()
        assert stayer.result(WAIT_S).spec.key == "test/a"


def test_download_stops_when_everyone_has_left(
    make_registry: MakeRegistry, hub_server: HubServer, loaders: Loaders
) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    hub_server.gate.clear()

    def leave(_progress: Progress) -> None:
        raise Leaves

    with pytest.raises(Leaves):
        registry.load("test/a", leave)
    hub_server.gate.set()
    wait_until(lambda: not any(thread.name == "load test/a" for thread in threading.enumerate()))
    assert loaders.loaded == []
    assert registry.state("test/a") == "absent"
    assert registry.load("test/a").spec.key == "test/a"


# Streaming


def test_one_stream_at_a_time_and_closing_lets_the_next_in(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("test/a")
    first = shared.stream(5)
    assert next(first) == 0
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(lambda: list(shared.stream(2)))
        wait_until(lambda: shared._users == 2)
        assert shared.model.running == 1
        assert not second.done()
        first.close()  # type: ignore[attr-defined]
        assert second.result(WAIT_S) == [0, 1]
    assert shared.model.most_running == 1
    assert shared.model.closed == 2
    assert shared._users == 0


def test_stream_may_move_from_thread_to_thread(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("test/a")
    stream = shared.stream(2)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as two:
        assert one.submit(next, stream).result(WAIT_S) == 0
        assert two.submit(next, stream).result(WAIT_S) == 1
        assert two.submit(next, stream, None).result(WAIT_S) is None
    assert list(shared.stream(1)) == [0]


def test_stream_that_fails_or_is_dropped_gives_the_model_back(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("test/a")
    with pytest.raises(TypeError):
        list(shared.stream("three"))
    dropped = shared.stream(3)
    next(dropped)
    del dropped
    assert shared._users == 0
    assert list(shared.stream(1)) == [0]


def test_waiting_has_an_end(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a"), busy_timeout_s=0.01).load("test/a")
    first = shared.stream(2)
    next(first)
    assert kind_of(lambda: list(shared.stream(1))) == "busy"
    assert list(first) == [1]
    assert list(shared.stream(1)) == [0]


# Memory


def three(make_registry: MakeRegistry) -> Registry:
    """Three models of 100 MB, of which the budget holds two."""
    return make_registry(make_spec("a"), make_spec("b"), make_spec("c"), budget_mb=250)


def states(registry: Registry) -> str:
    return " ".join(registry.state(spec.key) for spec in registry.specs())


def test_least_recently_used_model_is_freed(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    first = registry.load("test/a")
    registry.load("test/b")
    list(first.stream(1))  # now b is the one idle for longest
    alive = weakref.ref(registry.load("test/b").model)
    list(first.stream(1))
    registry.load("test/c")
    assert states(registry) == "ready here ready"
    assert alive() is None, "its memory is given back"


def test_freed_model_is_loaded_again_for_those_who_hold_it(make_registry: MakeRegistry, loaders: Loaders) -> None:
    registry = three(make_registry)
    held = registry.load("test/a")
    registry.load("test/b")
    registry.load("test/c")
    assert states(registry) == "here ready ready"
    assert kind_of(lambda: held.model) == "busy"
    assert list(held.stream(2)) == [0, 1]
    assert loaders.loaded == ["test/a", "test/b", "test/c", "test/a"]
    assert states(registry) == "ready here ready"


def test_streaming_model_is_never_freed(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    streams = [registry.load(f"test/{name}").stream(2) for name in "ab"]
    assert [next(stream) for stream in streams] == [0, 0]
    assert kind_of(lambda: registry.load("test/c")) == "memory"
    assert states(registry) == "ready ready here"
    assert list(streams[0]) == [1]
    registry.load("test/c")
    assert states(registry) == "here ready ready"
    assert list(streams[1]) == [1]


def test_model_larger_than_the_budget_frees_nothing(make_registry: MakeRegistry, loaders: Loaders) -> None:
    registry = make_registry(make_spec("a"), make_spec("b", memory_mb=251), budget_mb=250)
    registry.load("test/a")
    assert kind_of(lambda: registry.load("test/b")) == "memory"
    assert states(registry) == "ready here"
    assert loaders.loaded == ["test/a"]


def test_budget_holds_when_users_ask_at_once(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(registry.load, ["test/a", "test/b", "test/c"] * 4))
    assert states(registry).split().count("ready") == 2


# What a loader may do wrong


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
        registry.load("test/a")
    assert caught.value.kind == kind
    assert registry.state("test/a") == "here"
    assert list(registry.load("test/b").stream(1)) == [0]
    module.load = Counter  # type: ignore[attr-defined]
    assert list(registry.load("test/a").stream(1)) == [0]


@pytest.mark.parametrize("loader", ["no_such_module_here:load", "models.errors:no_such_function"])
def test_loader_that_is_not_there(make_registry: MakeRegistry, loader: str) -> None:
    registry = make_registry(make_spec("a", loader=loader))
    assert kind_of(lambda: registry.load("test/a")) == "loader"


def test_model_that_needs_a_gpu(make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry(make_spec("a", needs_gpu=True))
    for name in ("models.registry.loading._has_gpu", "models.registry.registry.has_gpu"):
        monkeypatch.setattr(name, lambda: False)
    assert kind_of(lambda: registry.load("test/a")) == "gpu"
    for name in ("models.registry.loading._has_gpu", "models.registry.registry.has_gpu"):
        monkeypatch.setattr(name, lambda: True)
    assert registry.load("test/a").spec.needs_gpu


def test_offline_registry_uses_what_is_here(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    spec = make_spec("a", hub_source(hub_server, "x/a"))
    assert kind_of(lambda: make_registry(spec, offline=True).load("test/a")) == "offline"
    make_registry(spec).load("test/a")
    hub_server.requests.clear()
    assert list(make_registry(spec, offline=True).load("test/a").stream(1)) == [0]
    assert hub_server.requests == []


def test_a_torch_that_is_being_imported_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    half = ModuleType("torch")
    half.__spec__ = SimpleNamespace(_initializing=True)  # type: ignore[assignment]
    half.cuda = SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", half)
    assert machine.has_gpu() in {True, False}  # as the devices tell; what torch has not got yet is not missed
