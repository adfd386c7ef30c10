"""Training on a GPU with processes that render beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.video.text_embedding import TextTable
from models.weights_io import load_metadata
from tests.training.video.debug_plan import CONFIG, PLAN
from training.video import gpu_training
from training.video.gpu_training import ClipStore, TimedSchedule

pytestmark = pytest.mark.slow


def test_the_store_hands_over_what_its_processes_rendered_and_trains(tmp_path: Path, table: TextTable) -> None:
    store = ClipStore(PLAN, table, CONFIG.max_words, None, capacity=16, workers=1, device="cpu", waiting=2)
    try:
        figures = gpu_training.train(
            store, CONFIG, 4, TimedSchedule(seconds=0.5, warm_up=1, log_every=1), tmp_path, 0.9, compiled=False
        )
        while store.seen < 40:  # more than it keeps
            store.collect(wait=True)
        assert store.count == 16
        clean, condition, known = store.draw(64)
        store.plan = replace(PLAN, no_words=1.0)
        nothing = store.draw(8)[1]
    finally:
        store.close()
    assert all(not worker.is_alive() for worker in store.workers)
    assert clean.shape == (64, 3, 4, 16, 16) and -1 <= clean.min() < clean.max() <= 1
    assert (condition.attributes <= torch.tensor(CONFIG.attributes)).all() and (condition.attributes >= 0).all()
    assert not condition.words[~condition.said].any()
    assert condition.words[condition.said].std() > 0.1
    assert not nothing.said.any() and not nothing.attributes.any()
    assert set(known.sum(dim=1).tolist()) <= {0, 1, 2} and not known[:, -1].any()
    assert figures["steps"] >= 1 and figures["clips"] == 4 * figures["steps"]
    assert load_metadata(tmp_path / gpu_training.UNET_WEIGHTS)["steps"] == str(figures["steps"])


def test_the_learning_rate_on_a_gpu_follows_the_clock() -> None:
    timing = TimedSchedule(seconds=100, calm=0.5, warm_up=10)
    assert timing.compute_rate(0, 0.0) == pytest.approx(0.1)
    assert timing.compute_rate(500, 40.0) == 1
    assert timing.compute_rate(500, 75.0) == pytest.approx(0.5)
    assert timing.compute_rate(500, 101.0) == 0
