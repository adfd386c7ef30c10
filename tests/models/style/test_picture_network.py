"""The picture style network's closed forms: AdaIN, the colour map, the pyramid."""

from __future__ import annotations

import torch

from models.style.picture_network import (
    adain,
    fit_colour_map,
    join_bands,
    measure_colours,
    measure_mean_std,
    split_bands,
)


def test_adain_equals_its_formula() -> None:
    x, style = torch.randn(2, 5, 9, 7), torch.randn(2, 5, 6, 6) * 3 + 1
    mean, std = measure_mean_std(style)
    own_mean = x.mean(dim=(2, 3), keepdim=True)
    own_std = (x.var(dim=(2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    wanted = std[:, :, None, None] * (x - own_mean) / own_std + mean[:, :, None, None]
    assert torch.allclose(adain(x, mean, std), wanted, atol=1e-5)
    assert torch.allclose(adain(x, mean, std, measure_mean_std(x)), wanted, atol=1e-5)


def test_the_colour_map_moves_the_covariance_and_is_symmetric() -> None:
    torch.manual_seed(1)
    pixels = torch.rand(1, 3, 40, 40) * torch.tensor([1.0, 0.4, 0.1])[None, :, None, None]
    wanted = torch.tensor([[[0.05, 0.02, 0.0], [0.02, 0.04, 0.01], [0.0, 0.01, 0.03]]])
    _, own = measure_colours(pixels)
    matrix = fit_colour_map(own, wanted)
    assert torch.allclose(matrix @ own @ matrix.transpose(1, 2), wanted, atol=1e-5)
    assert torch.allclose(matrix, matrix.transpose(1, 2), atol=1e-4)


def test_a_pyramid_comes_back_together() -> None:
    pixels = torch.rand(1, 3, 48, 64)
    assert torch.allclose(join_bands(split_bands(pixels)), pixels, atol=1e-6)
