"""The registry: one download and one load for all, within a memory budget; failures are sentences."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.contracts import Progress, Task
from models.registry.registry import Registry, SharedModel
from tests.hub_server import Fault, HubServer
from tests.models.registry.counting_models import (
    CONTENT,
    OTHER,
    WAIT_S,
    Loaders,
    MakeRegistry,
    hub_source,
    kind_of,
    make_spec,
    wait_until,
)


def test_specs_and_get(make_registry: MakeRegistry) -> None:
    first, second = make_spec("a"), make_spec("b")
    registry = make_registry(first, second)
    assert registry.specs() == registry.specs(Task.SPEECH) == (first, second)
    assert registry.specs(Task.MUSIC) == ()
    assert registry.get("speech/b") is second
    for call in (registry.get, registry.load, registry.state, registry.free, registry.delete, registry.size_on_disk):
        assert kind_of(lambda call=call: call("speech/none")) == "unknown-model"  # type: ignore[misc]


def test_key_twice_is_refused(make_registry: MakeRegistry) -> None:
    with pytest.raises(ValueError, match="speech/a"):
        make_registry(make_spec("a"), make_spec("a"))


def test_default_budget_follows_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.registry.registry.measure_available_memory_mb", lambda: 1000)
    assert Registry([]).memory_budget_mb == 700


@pytest.mark.slow
def test_states_of_a_bundled_model(make_registry: MakeRegistry, weights: Path, loaders: Loaders) -> None:
    registry = make_registry(make_spec("a"))
    assert registry.state("speech/a") == "here"
    assert registry.size_on_disk("speech/a") == 5
    assert loaders.loaded == []
    shared = registry.load("speech/a")
    assert registry.state("speech/a") == "ready"
    assert shared.model.files == {"small.bin": weights / "small.bin"}
    assert registry.load("speech/a") is shared
    assert list(shared.stream(3)) == [0, 1, 2]
    registry.free("speech/a")
    assert registry.state("speech/a") == "here"
    (weights / "small.bin").unlink()
    assert registry.state("speech/a") == "absent"
    assert kind_of(lambda: registry.load("speech/a")) == "weights"


@pytest.mark.slow
def test_life_of_a_hub_model(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    first, second = hub_source(hub_server, "x/acoustic"), hub_source(hub_server, "x/vocoder", OTHER)
    registry = make_registry(make_spec("a", first, second))
    assert registry.state("speech/a") == "absent"
    assert registry.size_on_disk("speech/a") == 0
    seen: list[Progress] = []
    shared = registry.load("speech/a", seen.append)
    files = shared.model.files
    assert files["x/acoustic/model.bin"].read_bytes() == CONTENT
    assert files["x/vocoder/model.bin"].read_bytes() == OTHER
    assert seen[-1].stage == "loading"
    downloads = [progress for progress in seen if progress.stage == "downloading"]
    assert {progress.total for progress in downloads} == {2 * len(CONTENT)}
    assert registry.size_on_disk("speech/a") == 2 * len(CONTENT)
    registry.free("speech/a")
    assert registry.state("speech/a") == "here"
    registry.load("speech/a")
    assert hub_server.count("GET") == 2, "nothing is downloaded again"
    registry.delete("speech/a")
    assert registry.state("speech/a") == "absent"
    assert registry.size_on_disk("speech/a") == 0
    assert registry.load("speech/a").model.files["x/vocoder/model.bin"].read_bytes() == OTHER


@pytest.mark.slow
def test_delete_keeps_files_that_another_model_needs(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    vocoder = hub_source(hub_server, "x/vocoder")
    both = make_registry(
        make_spec("a", hub_source(hub_server, "x/a", b"a" * 2000), vocoder),
        make_spec("b", hub_source(hub_server, "x/b", b"b" * 2000), vocoder),
    )
    both.load("speech/a")
    both.load("speech/b")
    both.delete("speech/a")
    assert both.state("speech/a") == "absent"
    assert both.state("speech/b") == "ready"
    both.free("speech/b")
    assert both.state("speech/b") == "here"
    both.delete("speech/b")
    assert both.size_on_disk("speech/a") == both.size_on_disk("speech/b") == 0


@pytest.mark.slow
def test_what_cannot_be_deleted(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a"), make_spec("b", hub_source(hub_server, "x/b")))
    assert kind_of(lambda: registry.delete("speech/a")) == "bundled"
    stream = registry.load("speech/b").stream(3)
    next(stream)
    assert kind_of(lambda: registry.delete("speech/b")) == "busy"
    assert kind_of(lambda: registry.free("speech/b")) == "busy"
    stream.close()  # type: ignore[attr-defined]
    registry.delete("speech/b")
    assert registry.state("speech/b") == "absent"


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
        users: list[Future[SharedModel]] = [
            pool.submit(registry.load, "speech/a", seen[user].append) for user in (0, 1)
        ]
        wait_until(lambda: all(seen))
        assert kind_of(lambda: registry.delete("speech/a")) == "busy"
        hub_server.gate.set()
        first, second = (user.result(WAIT_S) for user in users)
    assert first is second
    assert loaders.loaded == ["speech/a"]
    assert hub_server.count("GET") == 1
    for user in (0, 1):
        assert "downloading" in {progress.stage for progress in seen[user]}


def test_two_models_that_share_a_file_download_it_once(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    vocoder = hub_source(hub_server, "x/vocoder")
    registry = make_registry(make_spec("a", vocoder), make_spec("b", vocoder))
    with two_users(hub_server) as pool:
        users = [pool.submit(registry.load, f"speech/{name}") for name in "ab"]
        wait_until(lambda: hub_server.count("GET") == 1)
        hub_server.gate.set()
        assert {user.result(WAIT_S).spec.key for user in users} == {"speech/a", "speech/b"}
    assert hub_server.count("GET") == 1


def test_both_users_hear_of_a_failure_and_a_retry_works(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    hub_server.fault = Fault(corrupt=True, methods=("GET",))
    seen: tuple[list[Progress], list[Progress]] = ([], [])
    with two_users(hub_server) as pool:
        users = [pool.submit(registry.load, "speech/a", seen[user].append) for user in (0, 1)]
        wait_until(lambda: all(seen))
        hub_server.gate.set()
        errors = [user.exception(WAIT_S) for user in users]
    assert [getattr(error, "kind", None) for error in errors] == ["checksum", "checksum"]
    assert errors[0] is not errors[1], "each user's thread raises an exception of its own"
    hub_server.fault = None
    assert registry.load("speech/a").model.files["x/a/model.bin"].read_bytes() == CONTENT


class Leaves(Exception):
    """A user closes the page."""


def test_user_who_leaves_does_not_stop_the_other(make_registry: MakeRegistry, hub_server: HubServer) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    seen: list[Progress] = []

    def leave(_progress: Progress) -> None:
        wait_until(lambda: bool(seen))
        raise Leaves

    with two_users(hub_server) as pool:
        leaver = pool.submit(registry.load, "speech/a", leave)
        stayer = pool.submit(registry.load, "speech/a", seen.append)
        assert isinstance(leaver.exception(WAIT_S), Leaves)
        hub_server.gate.set()
        assert stayer.result(WAIT_S).spec.key == "speech/a"


def test_download_stops_when_everyone_has_left(
    make_registry: MakeRegistry, hub_server: HubServer, loaders: Loaders
) -> None:
    registry = make_registry(make_spec("a", hub_source(hub_server, "x/a")))
    hub_server.gate.clear()

    def leave(_progress: Progress) -> None:
        raise Leaves

    with pytest.raises(Leaves):
        registry.load("speech/a", leave)
    hub_server.gate.set()
    wait_until(lambda: not any(thread.name == "load speech/a" for thread in threading.enumerate()))
    assert loaders.loaded == []
    assert registry.state("speech/a") == "absent"
    assert registry.load("speech/a").spec.key == "speech/a"


def three(make_registry: MakeRegistry) -> Registry:
    """Three models of 100 MB, of which the budget holds two."""
    return make_registry(make_spec("a"), make_spec("b"), make_spec("c"), budget_mb=250)


def states(registry: Registry) -> str:
    return " ".join(registry.state(spec.key) for spec in registry.specs())


@pytest.mark.slow
def test_least_recently_used_model_is_freed(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    first = registry.load("speech/a")
    registry.load("speech/b")
    list(first.stream(1))  # now b is the one idle for longest
    alive = weakref.ref(registry.load("speech/b").model)
    list(first.stream(1))
    registry.load("speech/c")
    assert states(registry) == "ready here ready"
    assert alive() is None, "its memory is given back"


@pytest.mark.slow
def test_freed_model_is_loaded_again_for_those_who_hold_it(make_registry: MakeRegistry, loaders: Loaders) -> None:
    registry = three(make_registry)
    held = registry.load("speech/a")
    registry.load("speech/b")
    registry.load("speech/c")
    assert states(registry) == "here ready ready"
    assert kind_of(lambda: held.model) == "busy"
    assert list(held.stream(2)) == [0, 1]
    assert loaders.loaded == ["speech/a", "speech/b", "speech/c", "speech/a"]
    assert states(registry) == "ready here ready"


@pytest.mark.slow
def test_streaming_model_is_never_freed(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    streams = [registry.load(f"speech/{name}").stream(2) for name in "ab"]
    assert [next(stream) for stream in streams] == [0, 0]
    assert kind_of(lambda: registry.load("speech/c")) == "memory"
    assert states(registry) == "ready ready here"
    assert list(streams[0]) == [1]
    registry.load("speech/c")
    assert states(registry) == "here ready ready"
    assert list(streams[1]) == [1]


def test_free_memory_is_given_back_when_nobody_uses_a_model_any_more(
    make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[int] = []
    monkeypatch.setattr("models.registry.registry.trim_heap", lambda: given_back.append(1))
    registry = three(make_registry)
    streams = [registry.load(f"speech/{name}").stream(2) for name in "ab"]
    for stream in streams:
        next(stream)
    list(streams[0])
    assert not given_back
    list(streams[1])
    assert len(given_back) == 1


def test_model_larger_than_the_budget_frees_nothing(make_registry: MakeRegistry, loaders: Loaders) -> None:
    registry = make_registry(make_spec("a"), make_spec("b", memory_mb=251), budget_mb=250)
    registry.load("speech/a")
    assert kind_of(lambda: registry.load("speech/b")) == "memory"
    assert states(registry) == "ready here"
    assert loaders.loaded == ["speech/a"]


@pytest.mark.slow
def test_budget_holds_when_users_ask_at_once(make_registry: MakeRegistry) -> None:
    registry = three(make_registry)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(registry.load, ["speech/a", "speech/b", "speech/c"] * 4))
    assert states(registry).split().count("ready") == 2
