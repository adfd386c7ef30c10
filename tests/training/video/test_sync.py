"""The recipe of the synchronisation network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.video.scenes import SceneEvent
from models.video.sync import (
    load_sync,
)
from models.video.sync_network import SUBFRAMES, SyncConfig
from models.weights_io import save_safetensors
from training.video import sync as recipe
from training.video.sync_data import FRAMES, RATE, EventClip

pytestmark = pytest.mark.slow

CONFIG = SyncConfig.debug()


def tiny_clips() -> list[EventClip]:
    """Grey clips in which a bright square appears at each event."""
    rng, clips = np.random.default_rng(3), []
    for _ in range(6):
        frames = np.full((FRAMES, CONFIG.size, CONFIG.size, 3), 40, np.uint8)
        moments = np.cumsum(rng.uniform(0.45, 0.9, 5))
        for moment in moments[moments < FRAMES / RATE]:
            first = int(np.ceil(moment * RATE))
            frames[first : first + 3, 4:12, 4:12] = 250
        clips.append(EventClip("tiles", frames, tuple(SceneEvent("beat", float(m), 1.0, 0.0) for m in moments)))
    return clips


def test_the_recipe_learns_resumes_and_exports(tmp_path: Path) -> None:
    bank = recipe.SoundBank(0, variants=2, texture_s=1.0)
    short = recipe.SyncPlan(steps=3, batch=4, seconds=(1.0,), warm_up=1, average=0.9)
    first = recipe.SyncTraining(tiny_clips(), bank, CONFIG, short, tmp_path)
    first.run(3, 3)
    longer = recipe.SyncPlan(steps=30, batch=6, seconds=(1.0,), warm_up=5, average=0.9, learning_rate=4e-3)
    training = recipe.SyncTraining(tiny_clips(), bank, CONFIG, longer, tmp_path)
    assert training.step == 3
    before = np.mean([training.train_step()["events"] for _ in range(3)])
    training.run(10, 20)
    after = np.mean([training.train_step()["events"] for _ in range(3)])
    assert after < 0.8 * before
    model = load_sync(recipe.export(tmp_path, tmp_path / "weights"))
    figures = recipe.measure(model, tiny_clips(), bank, seconds=2.0)
    assert figures["sync_clips"] >= 1
    assert 0 <= figures["sync_within_one_frame"] <= 1
    other = tmp_path / "other.safetensors"
    save_safetensors(other, {"a": torch.zeros(1)})
    with pytest.raises(ModelError, match="another kind"):
        load_sync(other)


def test_batches_are_true_to_their_shift(tmp_path: Path) -> None:
    bank = recipe.SoundBank(0, variants=1, texture_s=1.0)
    plan = recipe.SyncPlan(batch=6, seconds=(2.0,), strange=0.0, slow_frames=0.0)
    batch = recipe.SyncTraining(tiny_clips(), bank, CONFIG, plan, tmp_path).draw_batch()
    assert batch.frames.shape == (6, 48, 3, CONFIG.size, CONFIG.size)
    assert batch.mel.shape == (6, 48 * SUBFRAMES, 2 * CONFIG.mels)
    for row in range(6):
        shift = round(float(batch.shift[row]))
        seen, heard = batch.video_events[row], batch.audio_events[row]
        overlap = slice(max(0, shift), 192 + min(0, shift))
        moved = torch.zeros(192)
        moved[overlap] = seen[max(0, -shift) : 192 - max(0, shift)]
        assert (moved[overlap] - heard[overlap]).abs().max() < 0.5
