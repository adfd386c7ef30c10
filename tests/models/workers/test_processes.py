"""Workers in processes of this machine: the same bytes, and nothing is lost with a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from models.contracts import SpeechRequest, Task
from models.errors import ModelError
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.workers.contracts import WorkerLost
from models.workers.homes import use_processes
from models.workers.host import HostSettings
from models.workers.processes import LocalProcesses, read_slots
from tests.models.registry.counting_models import kind_of, wait_until
from tests.models.workers.dice_model import DiceModel, DiceRequest, join_pieces, make_dice_spec

pytestmark = pytest.mark.slow
DICE = "speech/dice"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Yield a registry whose models live in two processes."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "small.bin").write_bytes(b"12345")
    specs = make_dice_spec(), make_dice_spec("turns"), make_dice_spec("large", needs_gpu=True)
    made = Registry(specs, folder / "cache", 1000, weights_dir=folder)
    use_processes(made, "cpu:2")
    yield made
    made.home.close()


def roll_here(request: DiceRequest) -> bytes:
    return join_pieces(list(DiceModel(make_dice_spec()).stream(request)))


def test_chunks_are_those_of_the_same_process_and_come_from_another(registry: Registry) -> None:
    request = DiceRequest(4, seed=5)
    shared = registry.load(DICE)
    chunks = list(shared.stream(request))
    assert join_pieces(chunks) == roll_here(request)
    assert {each.pid for each in chunks}.isdisjoint({os.getpid()})
    assert [each.key for each in registry.voices(DICE)] == ["six"]
    assert registry.state(DICE) == "ready"


def test_two_requests_are_worked_on_side_by_side(registry: Registry, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    shared = registry.load(DICE)
    request = DiceRequest(3, seed=1, held_at=1, gate=str(gate))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(lambda: list(shared.stream(request))) for _ in range(2)]
        wait_until(lambda: len(list(tmp_path.glob("gate.*"))) == 2)  # both are in the middle, each in a process
        told = registry.home.list_workers()
        gate.touch()
        made = [each.result() for each in both]
    assert [each.running for each in told] == [1, 1] and all(DICE in each.loaded for each in told)
    assert len({chunks[0].pid for chunks in made}) == 2
    assert {join_pieces(chunks) for chunks in made} == {roll_here(DiceRequest(3, seed=1))}


def test_a_worker_killed_in_the_middle_loses_nothing(registry: Registry, tmp_path: Path) -> None:
    request = DiceRequest(6, seed=9, held_at=3, gate=str(tmp_path / "gate"))
    stream = registry.load(DICE).stream(request)
    begun = [next(stream), next(stream), next(stream)]
    before = sum(each.losses for each in registry.home.list_workers())
    os.kill(begun[0].pid, signal.SIGKILL)
    (tmp_path / "gate").touch()
    rest = list(stream)
    assert join_pieces([*begun, *rest]) == roll_here(DiceRequest(6, seed=9))
    assert {each.pid for each in rest}.isdisjoint({begun[0].pid})
    assert sum(each.losses for each in registry.home.list_workers()) == before + 1
    assert len(list(registry.load(DICE).stream(DiceRequest(2)))) == 2


def test_a_request_that_ends_every_worker_is_given_up(registry: Registry) -> None:
    with pytest.raises(ModelError, match="3 workers one after the other") as caught:
        list(registry.load(DICE).stream(DiceRequest(3, ends_process=True)))
    assert caught.value.kind == "memory"
    assert len(list(registry.load(DICE).stream(DiceRequest(2)))) == 2  # others go on


def test_a_stream_that_is_closed_gives_its_worker_back(registry: Registry) -> None:
    shared = registry.load(DICE)
    streams = [shared.stream(DiceRequest(1000)) for _ in range(2)]
    for each in streams:
        next(each)
    assert [each.running for each in registry.home.list_workers()] == [1, 1]
    for each in streams:
        each.close()  # type: ignore[attr-defined]
    assert [each.running for each in registry.home.list_workers()] == [0, 0] and shared.users == 0
    assert len(list(shared.stream(DiceRequest(1)))) == 1


def test_failures_of_the_model_are_what_they_are_in_the_same_process(registry: Registry) -> None:
    shared = registry.load(DICE)
    with pytest.raises(ValueError, match="the dice are loaded"):
        list(shared.stream(DiceRequest(1, fails="value")))
    assert kind_of(lambda: list(shared.stream(DiceRequest(1, fails="model")))) == "busy"
    assert kind_of(lambda: list(shared.stream(DiceRequest(1, fails="os")))) == "loader"  # no worker was lost
    assert kind_of(lambda: registry.load("speech/large")) == "gpu"


def test_models_that_take_turns_share_a_worker_and_freed_ones_are_gone(registry: Registry) -> None:
    shared = registry.load("speech/turns")
    streams = [shared.stream(DiceRequest(2, seed=each)) for each in range(5)]
    firsts = [next(each) for each in streams]
    assert len({each.pid for each in firsts}) == 2
    rest = [list(each) for each in streams]
    made = [join_pieces([first, *more]) for first, more in zip(firsts, rest, strict=True)]
    assert made == [roll_here(DiceRequest(2, seed=each)) for each in range(5)]
    registry.free("speech/turns")
    wait_until(lambda: all("speech/turns" not in each.loaded for each in registry.home.list_workers()))


def test_speech_of_a_worker_is_that_of_the_page_bit_by_bit_and_its_parts_are_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))  # as many as other tests have left here
    spec = next(each for each in CATALOG if each.task == Task.SPEECH and not each.is_remote)
    request = SpeechRequest("The same.", seed=3)
    here = Registry((spec,)).load(spec.key)
    there = Registry((spec,))
    use_processes(there, "cpu:1")
    try:
        shared = there.load(spec.key)
        local, remote = list(here.stream(request)), list(shared.stream(request))
        assert b"".join(c.samples.tobytes() for c in local) == b"".join(c.samples.tobytes() for c in remote)
        assert [c.words for c in local] == [c.words for c in remote]
        assert type(shared.model) is type(here.model)
    finally:
        there.home.close()


def test_the_process_ends_with_its_home() -> None:
    home = LocalProcesses(read_slots("cpu:1"), HostSettings(100.0))
    worker = home.workers[0]
    worker.free("speech/none")
    assert home.list_workers()[0].state == "asleep" and worker.pid is None
    worker._open()
    pid = worker.pid
    assert pid is not None and home.list_workers()[0].state == "ready"
    home.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_worker_sees_its_own_gpu_and_a_stream_of_a_lost_process_leaves_the_one_after_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    (tmp_path / "small.bin").write_bytes(b"12345")
    spec, settings = make_dice_spec("turns"), HostSettings(100.0, str(tmp_path / "cache"), tmp_path)
    home = LocalProcesses(read_slots("gpu:1"), settings)
    try:
        worker = home.workers[0]
        first, second = (worker.stream(spec, DiceRequest(3)) for _ in range(2))
        told = next(first)
        old = told.pid
        assert told.sees == "7" and worker.name == "gpu:1"
        next(second)
        os.kill(old, signal.SIGKILL)
        with pytest.raises(WorkerLost):
            list(first)
        worker.load(spec)
        begun = worker.pid
        with pytest.raises(WorkerLost):
            list(second)
        assert worker.pid == begun != old and worker.losses == 1
        assert len(list(worker.stream(spec, DiceRequest(2)))) == 2
    finally:
        home.close()
