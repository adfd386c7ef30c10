"""The recipe of the upscaler."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.video.upscaler import UpscalerConfig, load_upscaler
from training.video import upscaler as recipe

pytestmark = pytest.mark.slow


def test_spoiling_keeps_range_and_size_and_changes_a_little() -> None:
    small = torch.rand(4, 3, 18, 22, generator=torch.Generator().manual_seed(0))
    spoilt = recipe.degrade_frames(small, torch.Generator().manual_seed(1))
    assert spoilt.shape == small.shape
    assert 0 <= spoilt.min() <= spoilt.max() <= 1
    assert 0 < (spoilt - small).abs().mean() < 0.3
    flat = torch.full((1, 3, 16, 16), 0.5)
    assert (recipe.degrade_frames(flat, torch.Generator().manual_seed(1)) - flat).abs().mean() < 0.05


def test_the_recipe_learns_resumes_and_exports(tmp_path: Path) -> None:
    assert recipe.render_shard(0, None, pictures=2, size=64).shape == (2, 64, 64, 3)
    small = np.random.default_rng(0).integers(0, 2, (4, 16, 16, 3)).astype(np.uint8) * 200
    pictures = small.repeat(4, axis=1).repeat(4, axis=2)  # hard squares, where bicubic is poor
    plan = recipe.UpscalerPlan(steps=10, batch=4, crop=8, warm_up=1, learning_rate=5e-3, average=0.5)
    recipe.UpscalerTraining(pictures, UpscalerConfig.debug(), plan, tmp_path).run(5, 5)
    longer = recipe.UpscalerPlan(steps=60, batch=4, crop=8, warm_up=1, learning_rate=5e-3, average=0.5)
    training = recipe.UpscalerTraining(pictures, UpscalerConfig.debug(), longer, tmp_path)
    assert training.step == 10
    training.run(30, 30)
    figures = recipe.measure(recipe.load_average(tmp_path), pictures, spoilt=False)
    assert figures["psnr"] > figures["psnr_bicubic"]
    model = load_upscaler(recipe.export(tmp_path, tmp_path / "weights"))
    assert model.upscale(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 32, 32, 3)
    wrong = tmp_path / "other.safetensors"
    from models.weights_io import save_safetensors

    save_safetensors(wrong, {"a": torch.zeros(1)})
    with pytest.raises(ModelError, match="another kind"):
        load_upscaler(wrong)
