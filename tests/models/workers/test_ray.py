"""Workers on a Ray cluster of two nodes; a lane of its own, which needs Ray: `python -m pytest -m cluster`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.music_video.generator import MusicVideoGenerator
from models.music_video.shot_crew import ShotCrew
from models.music_video.shot_drawer import DRAWER
from models.registry.registry import Registry
from models.workers.homes import use_cluster
from tests.models.music_video.debug_video import BlobVideo
from tests.models.music_video.test_shots_on_workers import request_of_shots
from tests.models.registry.counting_models import kind_of, wait_until
from tests.models.workers.dice_model import DiceModel, DiceRequest, join_pieces, make_dice_spec

pytest.importorskip("ray")
os.environ.setdefault("RAY_enable_metrics_collection", "0")  # its agent has 15 s to start, too few on a busy machine
os.environ.setdefault("RAY_worker_niceness", "0")  # by default 15, which starves an actor there
ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.slow, pytest.mark.cluster]
DICE, DICE_BYTES = "speech/dice", 100 * 10**6


def roll_here(request: DiceRequest) -> bytes:
    return join_pieces(list(DiceModel(make_dice_spec()).stream(request)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Yield a cluster whose head only leads; models have room on the second node, and on a third that may come."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def registry(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("ray")
    (folder / "small.bin").write_bytes(b"12345")
    cluster.add_node(num_cpus=2, memory=DICE_BYTES)
    made = Registry((make_dice_spec(), make_dice_spec("large", needs_gpu=True)), folder / "cache", weights_dir=folder)
    use_cluster(made, cluster.address, folder, runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})
    yield made
    made.home.close()


def test_chunks_of_an_actor_are_those_of_the_same_process(registry: Registry) -> None:
    request = DiceRequest(5, seed=4)
    chunks = list(registry.load(DICE).stream(request))
    assert join_pieces(chunks) == roll_here(request)
    assert {each.pid for each in chunks}.isdisjoint({os.getpid()})
    assert [each.loaded for each in registry.home.list_workers() if each.state == "ready"] == [(DICE,)]


def test_more_actors_come_while_all_are_at_work(registry: Registry, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    request = DiceRequest(3, seed=1, held_at=1, gate=str(gate))
    shared = registry.load(DICE)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(lambda: list(shared.stream(request))) for _ in range(2)]
        wait_until(lambda: len(list(tmp_path.glob("gate.*"))) == 2)
        gate.touch()
        made = [each.result() for each in both]
    assert len({chunks[0].pid for chunks in made}) == 2
    assert {join_pieces(chunks) for chunks in made} == {roll_here(DiceRequest(3, seed=1))}


def test_failures_and_cancelled_streams(registry: Registry) -> None:
    shared = registry.load(DICE)
    with pytest.raises(ValueError, match="the dice are loaded"):
        list(shared.stream(DiceRequest(1, fails="value")))
    assert kind_of(lambda: list(shared.stream(DiceRequest(1, fails="model")))) == "busy"
    assert kind_of(lambda: list(shared.stream(DiceRequest(3, ends_process=True)))) == "memory"
    endless = shared.stream(DiceRequest(100_000))
    next(endless)
    endless.close()  # type: ignore[attr-defined]
    assert all(each.running == 0 for each in registry.home.list_workers())
    assert len(list(shared.stream(DiceRequest(1)))) == 1
    assert kind_of(lambda: registry.load("speech/large")) == "gpu"


def test_a_node_that_dies_in_the_middle_loses_nothing(registry: Registry, cluster: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    stream = registry.load(DICE).stream(DiceRequest(6, seed=9, held_at=3, gate=str(gate)))
    begun = [next(stream), next(stream), next(stream)]
    old = next(iter(cluster.worker_nodes))
    cluster.add_node(num_cpus=2, memory=DICE_BYTES)
    cluster.remove_node(old, allow_graceful=False)
    wait_until(lambda: not Path(f"/proc/{begun[0].pid}").exists())
    wait_until(lambda: not Path(f"/proc/{begun[0].pid}").exists())
    gate.touch()
    rest = list(stream)
    assert join_pieces([*begun, *rest]) == roll_here(DiceRequest(6, seed=9))
    assert {each.pid for each in rest}.isdisjoint({begun[0].pid})


def test_a_file_that_the_page_has_is_there_where_the_actor_is(registry: Registry, tmp_path: Path) -> None:
    table = tmp_path / "table.bin"
    table.write_bytes(bytes(range(200)))
    request = DiceRequest(3, seed=2, table=table)
    chunks = list(registry.load(DICE).stream(request))
    assert join_pieces(chunks) == roll_here(request)
    assert {Path(each.table).name for each in chunks} == {"table.bin"} and chunks[0].table != str(table)
    assert {each.table for each in registry.load(DICE).stream(request)} == {chunks[0].table}  # it was sent once


def test_shots_of_a_music_video_on_a_cluster_are_the_same_bytes(
    registry: Registry, cluster: Any, tmp_path: Path
) -> None:
    cluster.add_node(num_cpus=2, memory=3 * DRAWER.memory_mb * 10**6)
    request = request_of_shots(tmp_path, 6)
    list(MusicVideoGenerator(BlobVideo()).stream(request))
    alone = request.out.read_bytes()
    list(MusicVideoGenerator(BlobVideo(), crew=ShotCrew(registry.home.build(DRAWER, {}), 2)).stream(request))
    assert request.out.read_bytes() == alone
