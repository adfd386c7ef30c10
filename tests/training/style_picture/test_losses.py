"""Losses of picture style transfer: zero where nothing differs, more where more does, blind to what does not count."""

from __future__ import annotations

import torch

from models.style.vgg import Vgg
from training.style_picture import losses


def make_judge() -> Vgg:
    torch.manual_seed(1)
    return Vgg("vgg16", (4, 6, 8, 8)).eval().requires_grad_(False)


def test_style_is_the_same_wherever_things_are_and_differs_between_pictures() -> None:
    judge, picture, other = make_judge(), torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64) ** 4
    own = losses.measure_style(judge(picture))
    for part in losses.compare_styles(own, own):
        assert float(part.abs().max()) == 0
    turned = losses.compare_styles(losses.measure_style(judge(picture.flip(3))), own)
    apart = losses.compare_styles(losses.measure_style(judge(other)), own)
    for near, far in zip(turned, apart, strict=True):
        assert far.shape == (2,) and (far > 4 * near).all()


def test_content_is_where_things_are_whatever_the_contrast() -> None:
    layer = torch.randn(2, 5, 8, 8)
    layers = dict.fromkeys(losses.CONTENT_LAYERS, layer)
    brighter = dict.fromkeys(losses.CONTENT_LAYERS, 3 * layer + 1)
    turned = dict.fromkeys(losses.CONTENT_LAYERS, layer.flip(2))
    assert float(losses.compare_contents(brighter, layers).max()) < 1e-3
    assert float(losses.compare_contents(turned, layers).min()) > 1.0


def test_features_are_compared_in_lengths_of_what_is_wanted() -> None:
    layer = {"4_1": torch.rand(3, 4, 8, 8) + 0.1}
    assert float(losses.compare_features(layer, layer).max()) == 0
    gaps = losses.compare_features({"4_1": 1.1 * layer["4_1"]}, layer)
    torch.testing.assert_close(gaps, torch.full((3,), 0.01), atol=1e-3, rtol=0.05)


def test_shifts_move_whole_pixels_and_roughness_counts_steps() -> None:
    picture = torch.rand(1, 3, 12, 12)
    moved = losses.shift_picture(picture, 2, -3)
    assert torch.equal(moved[:, :, 2:, :9], picture[:, :, :-2, 3:])
    assert torch.equal(losses.shift_picture(picture, 0, 0), picture)
    stripes = (torch.arange(16) % 2).float().expand(1, 3, 16, 16)
    assert float(losses.measure_roughness(stripes)) == 1.0
