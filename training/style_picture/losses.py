"""Losses of picture style transfer, told by a frozen VGG-16 (`training.style_picture.judge`).

After Gatys et al. 2016 (correlations of features as style), Huang and Belongie 2017 (their means and spreads), Park and
Lee 2019 (a picture that is its own style stays itself), and Wang et al. 2020 and Deng et al. 2021 (a content that is
slightly noisy, moved or lit otherwise gives the same result). All are relative, so that layers and styles count alike.

Letters: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Layers = Mapping[str, Tensor]
EPSILON = 1e-5
CONTENT_LAYERS = {"3_1": 0.35, "4_1": 1.0}


def compute_correlations(layer: Tensor) -> Tensor:
    """Compute mean products of channels, (B, C, H, W) to float32 (B, C, C)."""
    flat = layer.flatten(2)
    return (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def measure_style(layers: Layers) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """Measure correlations (B, C, C), means and spreads (B, C) of each layer."""
    found = {}
    for name, layer in layers.items():
        variance, mean = torch.var_mean(layer.float(), dim=(2, 3), correction=0)
        found[name] = compute_correlations(layer), mean, torch.sqrt(variance + EPSILON)
    return found


def compare_styles(
    made: dict[str, tuple[Tensor, Tensor, Tensor]], wanted: dict[str, tuple[Tensor, Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Compare styles: distance of correlations and of means and spreads, mean over the layers, (B,) each."""
    correlations, moments = [], []
    for name, (products, mean, spread) in made.items():
        wanted_products, wanted_mean, wanted_spread = wanted[name]
        correlations.append(_compare_relatively(products, wanted_products))
        moments.append(0.5 * (_compare_relatively(mean, wanted_mean) + _compare_relatively(spread, wanted_spread)))
    return torch.stack(correlations).mean(dim=0), torch.stack(moments).mean(dim=0)


def _compare_relatively(value: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared distance in lengths of `wanted`, for large ones the plain distance; (B,)."""
    gap = (value - wanted).flatten(1).square().sum(dim=1) / (wanted.flatten(1).square().sum(dim=1) + EPSILON)
    return 2 * (torch.sqrt(1 + gap) - 1)


def compare_contents(made: Layers, wanted: Layers) -> Tensor:
    """Compare layers whose channels are normalised, so that only places count; (B,), about 2 where nothing agrees."""
    total = torch.zeros(len(next(iter(made.values()))), device=next(iter(made.values())).device)
    for name, weight in CONTENT_LAYERS.items():
        gap = _normalise(made[name]) - _normalise(wanted[name])
        total = total + weight * gap.square().mean(dim=(1, 2, 3))
    return total / sum(CONTENT_LAYERS.values())


def compare_features(made: Layers, wanted: Layers) -> Tensor:
    """Compare layers as they are, relative to `wanted`, mean over the layers; (B,)."""
    return torch.stack([_compare_relatively(made[name].float(), wanted[name].float()) for name in made]).mean(dim=0)


def _normalise(layer: Tensor) -> Tensor:
    variance, mean = torch.var_mean(layer.float(), dim=(2, 3), correction=0, keepdim=True)
    return (layer.float() - mean) / torch.sqrt(variance + EPSILON)


def measure_roughness(pixels: Tensor) -> Tensor:
    """Measure the total variation a pixel, (B,)."""
    return pixels.diff(dim=2).abs().mean(dim=(1, 2, 3)) + pixels.diff(dim=3).abs().mean(dim=(1, 2, 3))


def shift_picture(pixels: Tensor, down: int, right: int) -> Tensor:
    """Shift pictures by whole pixels; what comes in is reflected."""
    by = max(abs(down), abs(right), 1)
    padded = F.pad(pixels, (by,) * 4, mode="reflect")
    height, width = pixels.shape[2:]
    return padded[:, :, by - down : by - down + height, by - right : by - right + width]
