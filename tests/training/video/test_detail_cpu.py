"""The recipe of the enlargement for one thread of a CPU."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.style.vgg import Vgg
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3D
from models.video.upscaler import UPSCALER_WEIGHTS, load_upscaler
from models.weights_io import save_safetensors
from tests.training.video.debug_plan import CONFIG, PLAN
from training.video.clip_pool import ClipPool
from training.video.detail_cpu import ClipBank, CpuTraining, make_shallow, train
from training.video.first_stage import FirstStage

OPTIONS = argparse.Namespace(
    clips=1, sampled=1, crop=32, learning_rate=1e-3, perceptual=1.0, adversarial=0.5, plain=0.0, half=False, start=None,
    new_every=2, seen=(0.3, 0.9),
)  # fmt: skip


@pytest.fixture
def bank(tmp_path: Path, table: TextTable) -> ClipBank:
    """Return a bank of small clips."""
    weights = UNet3D(CONFIG).state_dict()
    save_safetensors(tmp_path / "first.safetensors", weights, {"config": json.dumps(CONFIG.to_dict())})
    pool = ClipPool(replace(PLAN, size=64, first_clips=0), table, CONFIG.max_words, 0)
    return ClipBank(pool, FirstStage(tmp_path / "first.safetensors", tmp_path / "missing", "cpu"), most=2)


def test_the_bank_holds_pairs_with_their_targets_and_forgets_the_oldest(bank: ClipBank) -> None:
    for _ in range(3):
        bank.add((0.8, 0.9))
    bank.add_sampled(1, 1.5)
    assert len(bank.small) == len(bank.large) == 2 and len(bank.sampled) == 2
    small, large, free = bank.draw(2, 3, 32)
    assert small.shape == (4, 3, 8, 8) and large.shape == (4, 3, 32, 32) and free.shape == (3, 3, 8, 8)
    assert 0 <= small.min() <= small.max() <= 1


@pytest.mark.slow
def test_the_network_learns_and_is_written(tmp_path: Path, bank: ClipBank) -> None:
    bank.add((0.3, 0.9))
    bank.add_sampled(1, 1.5)
    vgg = make_shallow(Vgg("vgg16", (4, 4, 4, 4)))
    assert len(vgg.features) == 3
    photos = torch.randint(0, 255, (2, 3, 40, 40), dtype=torch.uint8)
    training = CpuTraining(bank, vgg, photos, OPTIONS)
    train(training, time.monotonic() + 1.5, tmp_path)
    assert training.step >= 2 and training.network.leave.weight.abs().max() > 0
    assert load_upscaler(tmp_path / UPSCALER_WEIGHTS).enlarge(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 32, 32, 3)
