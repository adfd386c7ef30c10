"""Style swap: every patch of a picture is replaced by the most similar patch of the style.

Chen and Schmidt 2016, "Fast Patch-based Style Transfer of Arbitrary Style", who do it with features of a network that
was trained on ImageNet. Here it is done with pixels whose colours were moved before, at a half and at the full
resolution, so that it is a product of two matrices. It brings the strokes; seams are left to the decoder.

Letters: B batch, H and W height and width in pixels, P side of a patch, M patches of a style, N places of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

PATCH = 8
STRIDE = 4
PATCHES = 768  # of a style, at each resolution
STYLE_MEAN = (0.5, 0.7)  # how much of a patch's mean colour comes from the style: half resolution, full
GRAIN = 0.5  # how much noise is added before the search, in spreads of the style's finest detail


@dataclass(frozen=True)
class PatchDictionary:
    """Patches of a style at one resolution.

    Attributes:
        means: mean colours, (M, 3).
        details: patches without them, (M, 3 P P).
        keys: both, weighted as they are compared, (M, 3 P P + 3).
        offsets: half the squared length of each key, (M).
        fine: spread of the finest detail.
    """

    means: Tensor
    details: Tensor
    keys: Tensor
    offsets: Tensor
    fine: float


def build_dictionaries(
    pixels: Tensor, generator: torch.Generator, count: int = PATCHES
) -> tuple[PatchDictionary, PatchDictionary]:
    """Cut patches of one style picture (1, 3, H, W) at a half and at the full resolution; sides are at least 2 P."""
    return _build_dictionary(F.avg_pool2d(pixels, 2), generator, count), _build_dictionary(pixels, generator, count)


def blend_dictionaries(first: PatchDictionary, second: PatchDictionary, share: float) -> PatchDictionary:
    """Mix the patches of two styles, each in random order: a share of the second, as many in all as the larger has."""
    count = max(len(first.keys), len(second.keys))
    theirs = min(len(second.keys), round(share * count))
    ours = min(len(first.keys), count - theirs)

    def join(name: str) -> Tensor:
        return torch.cat([getattr(first, name)[:ours], getattr(second, name)[:theirs]])

    fine = first.fine + share * (second.fine - first.fine)
    return PatchDictionary(join("means"), join("details"), join("keys"), join("offsets"), fine)


def swap_patches(
    pixels: Tensor, styles: tuple[PatchDictionary, PatchDictionary], noise: tuple[Tensor, Tensor]
) -> Tensor:
    """Make a picture of patches of the style.

    Args:
        pixels: (1, 3, H, W), in the colours of the style; H and W even and at least 2 P.
        styles: from `build_dictionaries`.
        noise: (1, 1, H/2, W/2) and (1, 1, H, W) of unit spread; keeps flat places from repeating one patch.
    """
    coarse = F.avg_pool2d(pixels, 2)
    change = _swap_at_scale(coarse, styles[0], noise[0], STYLE_MEAN[0]) - coarse
    pixels = pixels + F.interpolate(change, scale_factor=2.0, mode="bilinear")
    return _swap_at_scale(pixels, styles[1], noise[1], STYLE_MEAN[1])


def _build_dictionary(pixels: Tensor, generator: torch.Generator, count: int) -> PatchDictionary:
    patches = F.unfold(pixels, PATCH)[0].T
    order = torch.randperm(len(patches), generator=generator)[:count]
    means, details = _split_patches(patches[order])
    keys = torch.cat([details, PATCH * means], dim=1)
    fine = pixels - F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return PatchDictionary(means, details, keys, 0.5 * (keys * keys).sum(dim=1), float(fine.std(correction=0)))


def _split_patches(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Split patches (N, 3 P P) into mean colours (N, 3) and the rest (N, 3 P P)."""
    by_colour = patches.view(len(patches), 3, -1)
    means = by_colour.mean(dim=2)
    return means, (by_colour - means[:, :, None]).flatten(1)


def _swap_at_scale(pixels: Tensor, style: PatchDictionary, noise: Tensor, style_mean: float) -> Tensor:
    height, width = pixels.shape[2:]
    margin = PATCH - STRIDE
    room = (margin, margin + -width % STRIDE, margin, margin + -height % STRIDE)
    seen = F.pad(pixels + GRAIN * style.fine * noise, room, mode="replicate")
    means, details = _split_patches(F.unfold(seen, PATCH, stride=STRIDE)[0].T)
    scores = torch.addmm(-style.offsets, torch.cat([details, PATCH * means], dim=1), style.keys.T)
    best = scores.argmax(dim=1)
    colours = torch.lerp(means, style.means[best], style_mean)
    taken = style.details[best].view(len(best), 3, -1) + colours[:, :, None]
    ramp = torch.hann_window(PATCH + 2, periodic=False)[1:-1].to(pixels)
    window = (ramp[:, None] * ramp[None, :]).flatten().repeat(3)
    size = seen.shape[2:]
    total = F.fold((taken.flatten(1) * window).T[None], size, PATCH, stride=STRIDE)
    weight = F.fold(window.expand(len(best), -1).T[None], size, PATCH, stride=STRIDE)
    return (total / weight)[:, :, margin : margin + height, margin : margin + width]
