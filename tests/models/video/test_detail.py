"""The enlargement that draws detail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.video.detail import DetailConfig, DetailNetwork
from models.video.upscaler import SCALE, Upscaler, UpscalerConfig, UpscalerNetwork, load_upscaler
from models.weights_io import save_safetensors


def make_frames(count: int = 3) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).integers(0, 256, (count, 8, 12, 3)).astype(np.uint8)


def test_an_untrained_network_is_bicubic() -> None:
    small = torch.rand(2, 3, 8, 12)
    plain = torch.nn.functional.interpolate(small, scale_factor=4.0, mode="bicubic", align_corners=False)
    torch.testing.assert_close(DetailNetwork(DetailConfig.debug())(small), plain)


def test_frames_are_enlarged_each_for_itself_and_not_softened(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = DetailNetwork(DetailConfig.debug())
    torch.nn.init.normal_(network.leave.weight, std=0.3)
    save_safetensors(
        tmp_path / "detail.safetensors", network.state_dict(), {"config": json.dumps(network.config.to_dict())}
    )
    upscaler = load_upscaler(tmp_path / "detail.safetensors")
    frames = make_frames()
    large = upscaler.enlarge(frames)
    assert large.shape == (3, 8 * SCALE, 12 * SCALE, 3) and large.dtype == np.uint8
    np.testing.assert_array_equal(large[1:2], upscaler.enlarge(frames[1:2]))
    np.testing.assert_array_equal(large, upscaler.upscale(frames))


@pytest.mark.parametrize("softens", [True, False])
def test_a_network_says_whether_it_needs_soft_frames(softens: bool) -> None:
    upscaler = Upscaler(UpscalerNetwork(UpscalerConfig(8, 1, softens)))
    frames = make_frames()
    assert np.array_equal(upscaler.enlarge(frames), upscaler.upscale(frames)) != softens


def test_weights_of_neither_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_safetensors(path, {"x": torch.zeros(1)}, {"config": json.dumps({"fine": 4, "colour": "blue"})})
    with pytest.raises(ModelError):
        load_upscaler(path)
