"""Losses of picture style transfer: no trained judge, only statistics of patches and local structure.

`measure_style_distance` compares the patches of two pictures at several scales as distributions (sliced Wasserstein
distance: Rabin et al. 2012; as a loss for textures: Heitz et al. 2021, Elnekave and Weiss 2022).
`measure_structure_distance` compares where there is light and dark, whatever the contrast (the structure term of SSIM,
Wang et al. 2004).

Letters: B batch, H and W height and width in pixels, F random filters, N sampled positions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.style.luminance import compute_luminance

PATCH = 7
LEVELS = 4
BAND_GAIN = 4.0  # a band of detail has about a quarter of the spread of the colours
STRUCTURE_WEIGHTS = (0.3, 1.0, 1.0)  # of the full, half and quarter size: fine strokes may go their own way
_BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def blur(pixels: Tensor) -> Tensor:
    """Blur by a binomial of five pixels in both directions; the size stays."""
    channels = pixels.shape[1]
    taps = pixels.new_tensor(_BLUR)
    x = F.pad(pixels, (2, 2, 2, 2), mode="reflect")
    x = F.conv2d(x, taps.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(x, taps.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)


def measure_style_distance(
    made: Tensor, wanted: Tensor, generator: torch.Generator, filters: int = 48, samples: int = 1024
) -> Tensor:
    """Measure how far the patches of `made` are from those of `wanted`, as distributions, over four scales; (B,).

    Each scale is seen as colours beside its finest band of detail. Fresh random filters of 7 x 7 pixels look at both;
    their sorted answers are compared. Gradients flow to `made` alone.
    """
    total = torch.zeros(len(made), device=made.device)
    for level in range(LEVELS):
        made_blurred, wanted_blurred = blur(made), blur(wanted)
        for mix in ((1.0, 0.15), (0.0, 1.0)):
            bank = _draw_filters(mix, filters // 2, generator).to(made)
            stride = 2 if level == 0 else 1
            ours = _filter_patches(made, made_blurred, bank, stride, samples, generator)
            with torch.no_grad():
                theirs = _filter_patches(wanted, wanted_blurred, bank, stride, ours.shape[2], generator)
            if theirs.shape[2] < ours.shape[2]:
                ours = ours[:, :, : theirs.shape[2]]
            gap = ours.sort(dim=2).values - theirs.sort(dim=2).values
            total = total + gap.abs().mean(dim=(1, 2))
        made, wanted = made_blurred[:, :, ::2, ::2], wanted_blurred[:, :, ::2, ::2]
    return total / (2 * LEVELS)


def _draw_filters(mix: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """Draw random filters of unit length over (band, colour) channels, (F, 6, PATCH, PATCH)."""
    bank = torch.randn(count, 6, PATCH, PATCH, generator=generator)
    window = torch.hann_window(PATCH + 2, periodic=False)[1:-1]
    width = torch.rand(count, 1, 1, 1, generator=generator) * 1.5 + 0.3  # from the whole patch to a few pixels
    bank = bank * (window[:, None] * window[None, :]) ** width
    bank[:, :3] *= mix[0]
    bank[:, 3:] *= mix[1]
    return bank / bank.flatten(1).norm(dim=1)[:, None, None, None]


def _filter_patches(
    pixels: Tensor, blurred: Tensor, bank: Tensor, stride: int, samples: int, generator: torch.Generator
) -> Tensor:
    """Return what the filters say at random places, (B, F, N)."""
    seen = torch.cat([BAND_GAIN * (pixels - blurred), pixels], dim=1)
    if min(seen.shape[2:]) < PATCH + stride:
        seen = F.interpolate(seen, size=(PATCH + stride, PATCH + stride))
    top, left = (int(torch.randint(stride, (1,), generator=generator)) for _ in range(2))
    answers = F.conv2d(seen[:, :, top:, left:], bank, stride=stride).flatten(2)
    order = torch.randperm(answers.shape[2], generator=generator)[:samples]
    return answers[:, :, order]


def measure_structure_distance(made: Tensor, wanted: Tensor) -> Tensor:
    """Measure 1 minus the local correlation of the luminances, in windows of 7 x 7 at three sizes; (B,)."""
    a, b = compute_luminance(made), compute_luminance(wanted)
    total = torch.zeros(len(made), device=made.device)
    for weight in STRUCTURE_WEIGHTS:
        mean_a, mean_b = (F.avg_pool2d(x, 7, 1) for x in (a, b))
        var_a = F.avg_pool2d(a * a, 7, 1) - mean_a**2
        var_b = F.avg_pool2d(b * b, 7, 1) - mean_b**2
        covariance = F.avg_pool2d(a * b, 7, 1) - mean_a * mean_b
        floor = 0.0009
        spread = torch.sqrt(var_a.clamp_min(0) * var_b.clamp_min(0) + 1e-8)
        total = total + weight * (1 - (covariance + floor) / (spread + floor)).mean(dim=(1, 2, 3))
        a, b = (F.avg_pool2d(x, 2) for x in (a, b))
    return total / sum(STRUCTURE_WEIGHTS)


def measure_excess(pixels: Tensor) -> Tensor:
    """Measure how far values lie outside [0, 1]; (B,)."""
    return (F.relu(pixels - 1) + F.relu(-pixels)).mean(dim=(1, 2, 3))
