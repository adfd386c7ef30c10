"""Style swap: patches of the style alone, the nearest one at each place, colours in part."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models.style.style_swap import (
    PATCH,
    STRIDE,
    _swap_at_scale,
    blend_dictionaries,
    build_dictionaries,
    swap_patches,
)


def draw(height: int, width: int, seed: int) -> Tensor:
    """Draw a picture with detail at several sizes, (1, 3, H, W) in [0, 1]."""
    random = torch.Generator().manual_seed(seed)
    coarse = F.interpolate(torch.rand(1, 3, height // 8, width // 8, generator=random), (height, width), mode="bicubic")
    return (0.7 * coarse + 0.3 * torch.rand(1, 3, height, width, generator=random)).clamp(0, 1)


def swap(pixels: Tensor, style: Tensor, noise: float = 0.0) -> Tensor:
    """Swap with every patch of the style known, and noise of this spread."""
    height, width = pixels.shape[2:]
    random = torch.Generator().manual_seed(1)
    grain = tuple(noise * torch.randn(1, 1, height // by, width // by, generator=random) for by in (2, 1))
    return swap_patches(pixels, build_dictionaries(style, random, count=10**6), grain)  # type: ignore[arg-type]


def test_a_picture_in_its_own_style_stays_as_it_is() -> None:
    """Each patch is nearest to itself at both resolutions, but for those that reach over the edge."""
    pixels = draw(64, 72, 0)
    made = swap(pixels, pixels)
    assert made.shape == pixels.shape
    assert (made - pixels)[:, :, 24:-24, 24:-24].abs().max() < 1e-4


@pytest.mark.parametrize(("height", "width"), [(16, 16), (18, 30), (22, 16)])
def test_every_size_keeps_its_size(height: int, width: int) -> None:
    made = swap(F.interpolate(draw(32, 32, 0), (height, width)), draw(32, 40, 1))
    assert made.shape == (1, 3, height, width) and torch.isfinite(made).all()


def test_a_dictionary_holds_patches_of_the_picture_and_no_more_than_asked() -> None:
    pixels = draw(32, 40, 0)
    coarse, fine = build_dictionaries(pixels, torch.Generator().manual_seed(0), count=50)
    for dictionary, picture in ((coarse, F.avg_pool2d(pixels, 2)), (fine, pixels)):
        patches = F.unfold(picture, PATCH)[0].T
        held = dictionary.details + dictionary.means.repeat_interleave(PATCH * PATCH, dim=1)
        assert len(held) == 50 and dictionary.details.view(50, 3, -1).mean(dim=2).abs().max() < 1e-5
        assert torch.cdist(held.double(), patches.double()).amin(dim=1).max() < 1e-4
        assert torch.allclose(dictionary.offsets, 0.5 * dictionary.keys.square().sum(dim=1))
    again = build_dictionaries(pixels, torch.Generator().manual_seed(0), count=50)[1]
    assert torch.equal(again.details, fine.details)


def test_each_place_takes_the_nearest_patch_of_the_style() -> None:
    """At one resolution, put together by hand."""
    pixels, style = draw(16, 16, 2), draw(32, 32, 3)
    fine = build_dictionaries(style, torch.Generator().manual_seed(0), count=10**6)[1]
    made = _swap_at_scale(pixels, fine, torch.zeros(1, 1, 16, 16), 0.7)
    patches = F.unfold(style, PATCH)[0].T
    seen = F.pad(pixels, (PATCH - STRIDE,) * 4, mode="replicate")
    total, weight = torch.zeros_like(seen), torch.zeros_like(seen)
    ramp = torch.hann_window(PATCH + 2, periodic=False)[1:-1]
    for top in range(0, seen.shape[2] - PATCH + 1, STRIDE):
        for left in range(0, seen.shape[3] - PATCH + 1, STRIDE):
            place = (..., slice(top, top + PATCH), slice(left, left + PATCH))
            patch = seen[place].reshape(3, -1)
            best = patches[(patches - patch.flatten()).square().sum(dim=1).argmin()].reshape(3, -1)
            colour = 0.3 * patch.mean(dim=1) + 0.7 * best.mean(dim=1)
            taken = best - best.mean(dim=1, keepdim=True) + colour[:, None]
            window = ramp[:, None] * ramp
            total[place] += window * taken.reshape(1, 3, PATCH, PATCH)
            weight[place] += window
    margin = PATCH - STRIDE
    by_hand = (total / weight)[:, :, margin:-margin, margin:-margin]
    assert (made - by_hand).abs().max() < 1e-4


def test_noise_keeps_a_flat_place_from_repeating_one_patch() -> None:
    flat, style = torch.full((1, 3, 32, 32), 0.5), draw(32, 40, 4)
    still, grained = swap(flat, style), swap(flat, style, noise=1.0)
    inside = (..., slice(8, 24), slice(8, 24))
    repeats = (still[inside][..., 4:] - still[inside][..., :-4]).abs().max()
    assert repeats < 1e-4  # the same patch at every place, 4 pixels apart
    assert (grained[inside][..., 4:] - grained[inside][..., :-4]).abs().mean() > 0.01


def test_mixed_patches_come_from_both_by_their_shares() -> None:
    generator = torch.Generator().manual_seed(0)
    dark, light = (build_dictionaries(torch.full((1, 3, 64, 64), value), generator, 40)[1] for value in (0.1, 0.9))
    mixed = blend_dictionaries(dark, light, 0.25)
    means = mixed.means[:, 0]
    assert len(mixed.keys) == len(mixed.offsets) == 40
    assert int((means > 0.5).sum()) == 10 and int((means < 0.5).sum()) == 30
    assert torch.equal(blend_dictionaries(dark, light, 0.0).keys, dark.keys)
    assert torch.equal(blend_dictionaries(dark, light, 1.0).keys, light.keys)
