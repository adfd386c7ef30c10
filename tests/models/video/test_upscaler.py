"""The upscaler: sizes, portions, baseline, bad input, and its recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.video.upscaler import Upscaler, UpscalerConfig, UpscalerNetwork, enlarge_bicubic, load_upscaler, soften
from training.video import upscaler as recipe


def upscaler() -> Upscaler:
    """Return a tiny one whose weights are all random."""
    torch.manual_seed(0)
    network = UpscalerNetwork(UpscalerConfig.debug())
    torch.nn.init.normal_(network.leave.weight, std=0.02)
    return Upscaler(network)


def noise(frames: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, rows, columns, 3)).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5), st.integers(4, 40), st.integers(4, 40))
def test_every_size_becomes_four_times_as_large_and_portions_do_not_matter(
    frames: int, rows: int, columns: int
) -> None:
    model, clip = upscaler(), noise(frames, rows, columns)
    whole = model.upscale(clip)
    assert whole.shape == (frames, 4 * rows, 4 * columns, 3)
    assert whole.dtype == np.uint8
    single = [model.upscale(clip[i : i + 1]) for i in range(frames)]
    if single:
        assert np.abs(np.concatenate(single).astype(int) - whole).max() <= 1


def test_a_plain_picture_stays_plain_and_an_untrained_network_is_bicubic() -> None:
    model = Upscaler(UpscalerNetwork(UpscalerConfig.debug()))
    grey = np.full((1, 8, 8, 3), 90, np.uint8)
    assert (model.upscale(grey) == 90).all()
    clip = noise(1, 8, 8)
    plain = (
        enlarge_bicubic(torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255).mul(255).round().clamp(0, 255).byte()
    )
    assert np.array_equal(model.upscale(clip), plain.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((1, 2, 8, 3), np.uint8), "clip"]
)
def test_what_is_no_clip_is_refused_in_a_sentence(frames: object) -> None:
    with pytest.raises(ValueError, match="frames are"):
        upscaler().upscale(frames)  # type: ignore[arg-type]


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
    assert model.upscale(noise(1, 8, 8)).shape == (1, 32, 32, 3)
    wrong = tmp_path / "other.safetensors"
    from models.weights_io import save_safetensors

    save_safetensors(wrong, {"a": torch.zeros(1)})
    with pytest.raises(ModelError, match="another kind"):
        load_upscaler(wrong)


def test_softening_takes_the_grid_and_leaves_the_picture() -> None:
    slope = np.broadcast_to(np.linspace(40, 200, 64), (64, 64))
    checks = np.where((np.indices((64, 64)).sum(axis=0)) % 2, 12.0, -12.0)
    clean, spoilt = (np.repeat(plane[None, ..., None], 3, axis=3).astype(np.uint8) for plane in (slope, slope + checks))
    inside = np.s_[:, 4:-4, 4:-4]
    left = np.abs(soften(spoilt).astype(int) - soften(clean))[inside].mean()
    assert left < 3
    assert np.abs(soften(clean).astype(int) - clean)[inside].max() <= 2
