"""The recipe of the enlargement that draws detail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.style.vgg import Vgg
from models.video.detail import DetailConfig, DetailNetwork
from models.video.text_embedding import TextTable
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.video.upscaler import LIGHT_WEIGHTS, UPSCALER_WEIGHTS, UpscalerConfig, UpscalerNetwork, load_upscaler
from models.weights_io import save_safetensors
from tests.training.video.debug_plan import CONFIG, PLAN
from training.video.detail import DetailPlan, DetailTraining, load_crops, train
from training.video.detail_losses import PatchDiscriminator, measure_perceptual, measure_sharpness
from training.video.first_stage import FirstStage
from training.video.gpu_training import ClipStore, find_photos, start_from

PLAN_OF_DETAIL = DetailPlan(
    bank=2, clips=1, photos=1, sampled=1, crop=32, sample_steps=1, plain_share=0.0, log_every_s=0.0, save_every_s=0.1
)


def write_unet(path: Path, config: UNet3DConfig) -> UNet3D:
    """Write an untrained first stage."""
    network = UNet3D(config)
    save_safetensors(path, network.state_dict(), {"config": json.dumps(config.to_dict())})
    return network


@pytest.fixture
def store(table: TextTable) -> Iterator[ClipStore]:
    plan = replace(PLAN, size=64)
    store = ClipStore(plan, table, CONFIG.max_words, None, capacity=8, workers=1, device="cpu", waiting=1)
    yield store
    store.close()


@pytest.mark.slow
def test_both_networks_are_trained_and_written(tmp_path: Path, store: ClipStore) -> None:
    torch.manual_seed(0)
    write_unet(tmp_path / "first.safetensors", CONFIG)
    write_unet(tmp_path / "newer.safetensors", CONFIG)
    stage = FirstStage(tmp_path / "first.safetensors", tmp_path / "newer.safetensors", "cpu")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 60, 3)).astype(np.uint8)).save(tmp_path / "a_1.png")
    photos = load_crops(tmp_path, 48, 10)
    assert photos.shape == (1, 3, 48, 48)
    networks = DetailNetwork(DetailConfig.debug()), UpscalerNetwork(UpscalerConfig(8, 1, softens=False))
    before = [{name: value.clone() for name, value in each.state_dict().items()} for each in networks]
    while not store.count:
        store.collect(wait=True)
    training = DetailTraining(store, stage, Vgg("vgg16", (4, 4, 4, 4)), photos, PLAN_OF_DETAIL, tmp_path, networks)
    assert train(training, time.monotonic() + 5.0) >= 2
    for network, state in zip(networks, before, strict=True):
        assert any(not torch.equal(value, state[name]) for name, value in network.state_dict().items())
    for name in (UPSCALER_WEIGHTS, LIGHT_WEIGHTS):
        upscaler = load_upscaler(tmp_path / name)
        assert not upscaler.softens
        assert upscaler.enlarge(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 32, 32, 3)
    line = json.loads((tmp_path / "detail.jsonl").read_text().splitlines()[-1])
    assert {"error", "likeness", "weight", "judge", "sharpness"} <= set(line)


def test_clips_that_are_hardly_noised_come_back_as_the_first_stage_makes_them(tmp_path: Path) -> None:
    write_unet(tmp_path / "first.safetensors", CONFIG)
    stage = FirstStage(tmp_path / "first.safetensors", tmp_path / "missing", "cpu")
    assert not stage.refresh()
    words = torch.zeros(2, 3, CONFIG.text_width)
    condition = Condition(words, torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 14, dtype=torch.long))
    clean = torch.rand(2, 3, 4, 16, 16) * 2 - 1
    made = stage.redo(clean, condition, torch.tensor([0.9, 0.5]), 2, torch.Generator().manual_seed(0))
    assert made.shape == clean.shape and made.abs().max() <= 1  # attributes that it does not have are left out
    drawn = stage.draw(condition, (2, 3, 4, 16, 16), 2, 1.5, torch.Generator().manual_seed(0))
    assert drawn.shape == clean.shape and torch.isfinite(drawn).all()


def test_losses_tell_sharp_from_blurred() -> None:
    sharp = torch.rand(2, 3, 32, 32)
    blurred = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    assert (measure_sharpness(sharp) > 5 * measure_sharpness(blurred)).all()
    vgg = Vgg("vgg16", (4, 4, 4, 4))
    assert measure_perceptual(vgg, sharp, sharp) < 1e-6 < measure_perceptual(vgg, blurred, sharp)
    assert PatchDiscriminator(4)(sharp).shape[:2] == (2, 1)


def test_training_goes_on_from_weights_that_know_fewer_attributes(tmp_path: Path) -> None:
    old = write_unet(tmp_path / "old.safetensors", UNet3DConfig.debug(attributes=CONFIG.attributes[:7]))
    new = UNet3D(CONFIG)
    start_from(new, tmp_path / "old.safetensors")
    torch.testing.assert_close(new.stem.weight, old.stem.weight, atol=1e-3, rtol=1e-3)
    assert not new.attributes[8].weight[0].any() and new.attributes[8].weight[1].any()  # type: ignore[index, union-attr]
    with pytest.raises(ValueError, match="another network"):
        start_from(UNet3D(UNet3DConfig.debug(blocks=(3, 1))), tmp_path / "old.safetensors")


def test_photographs_are_told_by_their_attributes() -> None:
    rows = torch.zeros(3, 12, dtype=torch.long)
    rows[0, 2] = rows[1, 2] = 1  # a camera
    rows[1, 6] = 5  # a scene
    assert find_photos(rows).tolist() == [True, False, False]
