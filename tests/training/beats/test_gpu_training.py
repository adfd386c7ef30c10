"""The training of both beat networks beside processes that render: targets, crops, what a run leaves behind."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.beats.detector import load_beat_network
from models.beats.network import FRAME_RATE, BeatNetworkConfig
from training.beats import gpu_training as recipe
from training.beats.corpus import Excerpt
from training.beats.gpu_training import ExcerptStore, GpuPlan, draw_stretched_batch, make_stretched_targets, train_both
from training.beats.train import FILES, make_targets

SIZES = BeatNetworkConfig(n_mels=30, front_channels=(4, 4, 6), channels=6, layers=4)
SECONDS = 6
PLAN = GpuPlan(seconds=4.0, workers=1, capacity=4, first=4, batch=3, crop_frames=100, save_every_s=1.0)


def render(seed: int) -> Excerpt | None:
    """Return noise with a louder frame at each beat; some seeds have none."""
    if seed % 3 == 2:
        return None
    rng = np.random.default_rng(seed)
    beats = np.arange(rng.uniform(0.0, 0.4), SECONDS - 0.1, rng.uniform(0.3, 0.7))
    mel = rng.normal(-6, 0.3, (SECONDS * FRAME_RATE + 1, SIZES.n_mels))
    mel[np.round(beats * FRAME_RATE).astype(int)] += 4
    return Excerpt(mel.astype(np.float16), beats, beats[::4])


@pytest.fixture
def store() -> Iterator[ExcerptStore]:
    made = ExcerptStore(PLAN, render, "cpu", SECONDS * FRAME_RATE, SIZES.n_mels)
    yield made
    made.close()
    for process in made.processes:
        process.join(10)
    assert not set(multiprocessing.active_children()) & set(made.processes)


def test_targets_at_the_own_speed_are_those_of_the_other_recipe() -> None:
    excerpt = render(0)
    assert excerpt is not None
    times = torch.full((1, recipe.MAX_BEATS, 2), -1.0)
    times[0, : len(excerpt.beats), 0] = torch.from_numpy(excerpt.beats)
    times[0, : len(excerpt.downbeats), 1] = torch.from_numpy(excerpt.downbeats)
    whole = make_stretched_targets(times, torch.zeros(1), torch.ones(1), SECONDS * FRAME_RATE)
    np.testing.assert_array_equal(whole[0].numpy(), make_targets(excerpt, SECONDS * FRAME_RATE, 0))
    later = make_stretched_targets(times, torch.tensor([40.0]), torch.ones(1), 100)
    np.testing.assert_array_equal(later[0, 1:-1].numpy(), whole[0, 41:139].numpy())


def test_a_crop_at_another_speed_has_its_beats_elsewhere() -> None:
    times = torch.full((1, 3, 2), -1.0)
    times[0, 0, 0] = 2.0  # frame 100 of the excerpt
    wanted = make_stretched_targets(times, torch.tensor([20.0]), torch.tensor([0.8]), 150)
    assert wanted[0, :, 0].nonzero().flatten().tolist() == [99, 100, 101]
    assert wanted[0, 100, 0] == 1.0 and wanted[0, 99, 0] == wanted[0, 101, 0] == 0.5
    assert not wanted[0, :, 1].any()


def test_loud_frames_and_targets_stay_together_when_stretched(store: ExcerptStore) -> None:
    store.collect(until=4)
    assert store.count == 4 and store.seen >= 4
    generator = torch.Generator().manual_seed(0)
    agreeing, checked = 0, 0
    for _ in range(20):
        mel, wanted = draw_stretched_batch(store, PLAN, generator)
        assert mel.shape == (PLAN.batch, 100, SIZES.n_mels) and wanted.shape == (PLAN.batch, 100, 2)
        level = mel.amax(dim=2)  # whatever bands are masked
        for row in range(PLAN.batch):
            for frame in (wanted[row, 1:-1, 0] == 1.0).nonzero().flatten().tolist():  # at an edge it may lie outside
                near = level[row, frame : frame + 3].max()
                checked += 1
                agreeing += bool(near > level[row].median() + 1.0)
    assert checked > 100 and agreeing / checked > 0.99


def test_the_causal_network_answers_later() -> None:
    wanted = torch.zeros(1, 6, 2)
    wanted[0, 1] = 1.0
    assert recipe.delay(wanted, 0) is not None and torch.equal(recipe.delay(wanted, 0), wanted)
    assert recipe.delay(wanted, 3)[0, :, 0].tolist() == [0, 0, 0, 0, 1, 0]


@pytest.mark.slow
def test_a_run_ends_by_the_clock_learns_and_leaves_both_networks(store: ExcerptStore, tmp_path: Path) -> None:
    lines = list(train_both(store, PLAN, tmp_path, "cpu", SIZES))
    assert lines[0]["step"] == 1 and all(np.isfinite(line["loss"]) for line in lines)
    for causal, name in FILES.items():
        network = load_beat_network(tmp_path / name)
        assert network.config.causal is causal
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES.values())


def test_what_renders_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "POLL_S", 0.2)
    monkeypatch.setattr(recipe, "PATIENCE_S", 0.4)
    silent = ExcerptStore(PLAN, lambda _seed: None, "cpu", 10, SIZES.n_mels)
    with pytest.raises(RuntimeError, match="no excerpt was rendered"):
        silent.collect(until=1)
    silent.close()
    monkeypatch.setattr(recipe, "PATIENCE_S", 1e6)
    for process in silent.processes:
        process.join(10)
    with pytest.raises(RuntimeError, match="no excerpt was rendered"):  # at once: nobody is left who could
        silent.collect(until=1)
