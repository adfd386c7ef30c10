"""Style transfer by texture synthesis: a picture is made anew of patches of the style, from coarse to fine.

Elad and Milanfar 2017, "Style Transfer Via Texture Synthesis". Every patch of the picture is replaced by the nearest
patch of the style, and where patches lie over one another, those that fitted better count more (their equation 6); then
some of the content is mixed in and the colours are moved to those of the style again. That is done at a quarter, a
half and the full resolution, with patches that become smaller. Nothing is learned: patches are compared by their
principal components, and found by a product of two matrices. Strides are odd, so that no grid appears at the periods
of 2, 4 and 8 pixels, where the eye looks for it.

Letters: B batch, H and W height and width in pixels, P side of a patch, M patches of a style, N places of a picture,
K components.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.style.brushwork import Brushwork, extract_brushwork
from models.style.colours import Colours, measure_picture, move_colours

FITTED_TO = 2000  # patches that the components are taken from
LEAST_SIDE = 24  # pixels of a scale that is worked at
ROBUSTNESS = 0.8  # r of the paper: the power of the distances whose sum is made small
PLACES_AT_ONCE = 1024
DESCRIBED_STRIDE = 5


@dataclass(frozen=True)
class SynthesisPlan:
    """How much work is done.

    Attributes:
        passes: divisor of the resolution, size P of the patches and stride of the places of each pass, in order.
        patches: most patches of the style that are compared.
        components: K.
        content: how much of the content is mixed in after each pass; the patches count 1.
    """

    passes: tuple[tuple[int, int, int], ...]
    patches: int
    components: int
    content: float

    @property
    def books(self) -> tuple[tuple[int, int], ...]:
        """Return which scales and sizes occur."""
        return tuple(dict.fromkeys((divisor, size) for divisor, size, _ in self.passes))


_COARSE = ((4, 17, 5), (4, 17, 5), (4, 9, 3), (4, 9, 3), (2, 17, 5), (2, 9, 3))
PICTURE_PLAN = SynthesisPlan((*_COARSE, (1, 9, 3)), patches=4000, components=32, content=0.35)
CLIP_PLAN = SynthesisPlan(((4, 9, 3), (2, 9, 3), (1, 9, 5)), patches=1000, components=12, content=0.15)


@dataclass(frozen=True)
class PatchBook:
    """Patches of a style at one scale and size.

    Attributes:
        patches: (M, 3 P P), half precision, in random order.
        mean: (1, 3 P P), of all.
        basis: (3 P P, K), the principal components, the largest first.
        keys: the patches' components, (M, K).
    """

    patches: Tensor
    mean: Tensor
    basis: Tensor
    keys: Tensor


@dataclass(frozen=True)
class TextureStyle:
    """What is taken from a style picture: its colours, its patches by divisor and size, and its brushwork.

    A mixture has the brushwork of each of its styles, with a share that it counts by.
    """

    colours: Colours
    books: dict[tuple[int, int], PatchBook]
    brushwork: tuple[tuple[Brushwork, float], ...]


def extract_texture(pixels: Tensor, plan: SynthesisPlan = PICTURE_PLAN) -> TextureStyle:
    """Cut the patches of a style picture (1, 3, H, W) in [0, 1]; sides are at least `LEAST_SIDE`."""
    generator = torch.Generator().manual_seed(0)
    books = {}
    for divisor, size in plan.books:
        small = _shrink(pixels, divisor)
        if small is not None and size <= min(small.shape[2:]):
            patches = F.unfold(small, size, stride=max(1, size // 4))[0].T
            order = torch.randperm(len(patches), generator=generator)[: plan.patches]
            books[divisor, size] = _make_book(patches[order].half(), plan.components)
    brushwork = extract_brushwork(pixels[0].permute(1, 2, 0).contiguous().numpy())
    return TextureStyle(measure_picture(pixels), books, ((brushwork, 1.0),))


def blend_textures(first: TextureStyle, second: TextureStyle, share: float) -> TextureStyle:
    """Mix two styles: the share of the second in the colours, in the patches, and in the brushwork."""
    books = {}
    for at in first.books.keys() & second.books.keys():
        ours, theirs = first.books[at].patches, second.books[at].patches
        count = max(len(ours), len(theirs))
        taken = min(len(theirs), round(share * count))
        joined = torch.cat([ours[: count - taken], theirs[:taken]])
        order = torch.randperm(len(joined), generator=torch.Generator().manual_seed(0))
        books[at] = _make_book(joined[order], first.books[at].keys.shape[1])
    shares = ((first.brushwork, 1.0 - share), (second.brushwork, share))
    brushwork = tuple((each, part * much) for works, part in shares for each, much in works)
    return TextureStyle(first.colours.interpolate(second.colours, share), books, brushwork)


def synthesise(base: Tensor, style: TextureStyle, plan: SynthesisPlan) -> Tensor:
    """Make a picture anew of patches of the style.

    Args:
        base: (1, 3, H, W), a picture in the colours of the style (`move_colours`).
        style: from `extract_texture`, with the books of the plan; those that it has none of are passed over.

    Returns:
        (1, 3, H, W), about [0, 1] but not clipped.
    """
    generator = torch.Generator().manual_seed(0)
    made: Tensor | None = None
    scale: Tensor | None = None
    divisor = 0
    for wanted, size, stride in plan.passes:
        if wanted != divisor:
            divisor, scale = wanted, _shrink(base, wanted)
            if scale is not None:
                made = scale if made is None else _resize(made, (scale.shape[2], scale.shape[3]))
        book = style.books.get((wanted, size))
        if scale is None or made is None or book is None or 2 * size >= min(scale.shape[2:]):
            continue
        made = _replace_patches(made, book, (size, stride), plan, generator)
        made = (made + plan.content * scale) / (1 + plan.content)
        made = move_colours(made, measure_picture(made), style.colours)
    return base if made is None else _resize(made, (base.shape[2], base.shape[3]))


def describe_scales(pixels: Tensor, style: TextureStyle, plan: SynthesisPlan) -> Iterator[tuple[int, Tensor]]:
    """Yield of each divisor, the largest first, means and spreads (2 K,) of a picture's patches.

    They are those of the style's components: by them patches are compared.
    """
    for divisor, size in plan.books:
        book, small = style.books.get((divisor, size)), _shrink(pixels, divisor)
        if book is not None and small is not None and size <= min(small.shape[2:]):
            patches = F.unfold(small, size, stride=DESCRIBED_STRIDE)[0].T
            yield divisor, _summarise((patches - book.mean) @ book.basis[:, : plan.components])


def describe_books(style: TextureStyle, plan: SynthesisPlan) -> Iterator[tuple[int, Tensor]]:
    """Yield the same of the style's own patches."""
    for divisor, size in plan.books:
        if (divisor, size) in style.books:
            yield divisor, _summarise(style.books[divisor, size].keys[:, : plan.components])


def _summarise(components: Tensor) -> Tensor:
    spread, mean = torch.std_mean(components, dim=0, correction=0)
    return torch.cat([mean, spread])


def _make_book(patches: Tensor, components: int) -> PatchBook:
    whole = patches.float()
    some = whole[:FITTED_TO]
    mean = some.mean(dim=0, keepdim=True)
    centred = some - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred / len(some))
    basis = vectors.flip(1)[:, :components].contiguous()
    return PatchBook(patches, mean, basis, (whole - mean) @ basis)


def _replace_patches(
    pixels: Tensor, book: PatchBook, grid: tuple[int, int], plan: SynthesisPlan, generator: torch.Generator
) -> Tensor:
    """Replace every patch of (1, 3, H, W) by the nearest of the style; the grid has P and a stride, and is shifted."""
    (size, stride), (height, width) = grid, pixels.shape[2:]
    down, right = (int(torch.randint(stride, (1,), generator=generator)) for _ in range(2))
    room = (size - right, size + stride + right, size - down, size + stride + down)
    seen = F.pad(pixels, room, mode="reflect" if max(room) < min(height, width) else "replicate")
    patches = F.unfold(seen, size, stride=stride)[0].T
    basis, keys = book.basis[:, : plan.components], book.keys[: plan.patches, : plan.components]
    offsets, columns = -0.5 * keys.square().sum(dim=1), keys.T.contiguous()
    asked = ((patches - book.mean) @ basis).split(PLACES_AT_ONCE)
    best = torch.cat([torch.addmm(offsets, some, columns).argmax(dim=1) for some in asked])
    taken = book.patches[best].float()
    fit = ((patches - taken).square().sum(dim=1) + 1e-6) ** ((ROBUSTNESS - 2) / 2)
    fit = fit / fit.mean()
    ramp = torch.hann_window(size + 2, periodic=False)[1:-1].to(pixels)
    window = (ramp[:, None] * ramp[None, :]).flatten()
    sides = seen.shape[2:]
    total = F.fold((taken * (window.repeat(3) * fit[:, None])).T[None], sides, size, stride=stride)
    weight = F.fold((window * fit[:, None]).T[None], sides, size, stride=stride)
    made = torch.where(weight > 1e-6, total / weight.clamp_min(1e-6), seen)
    top, left = size - down, size - right
    return made[:, :, top : top + height, left : left + width]


def _shrink(pixels: Tensor, divisor: int) -> Tensor | None:
    """Return a picture at a part of its resolution, or None where that is too small to work at."""
    if divisor == 1:
        return pixels
    height, width = (side // divisor for side in pixels.shape[2:])
    return None if min(height, width) < LEAST_SIDE else _resize(pixels, (height, width))


def _resize(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    if pixels.shape[2:] == size:
        return pixels
    return F.interpolate(pixels, size, mode="bilinear", antialias=True)
