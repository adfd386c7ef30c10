"""The two manners in which clips and pictures are painted, behind one face: texture synthesis, and the AdaIN network.

A painter knows pixels alone; what goes from frame to frame is the business of `models.style.video`.

Letters: B batch, H and W height and width in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.style.brushwork import Brushwork
from models.style.colours import Colours, measure_picture, move_colours
from models.style.picture_network import (
    SIZE_MULTIPLE,
    PictureStatistics,
    PictureStyle,
    PictureStyleNetwork,
    recolour,
)
from models.style.style_swap import blend_dictionaries
from models.style.texture_synthesis import (
    CLIP_PLAN,
    PICTURE_PLAN,
    SynthesisPlan,
    TextureStyle,
    blend_textures,
    describe_books,
    describe_scales,
    extract_texture,
    synthesise,
)

LEAST_SIDE = 32  # smaller pictures are continued at their edges
FloatArray = NDArray[np.float32]
Statistics = dict[str, FloatArray]


class StylePainter(Protocol):
    """What paints one frame; all pixels are (1, 3, H, W) in [0, 1], and H and W whatever they are.

    Attributes:
        parameters: how many numbers were learned.
        style_side: shorter side in pixels at which a style picture is looked at.
        search_carry: share of the carried sketch in what the next frame's patches are searched for.
        settle_rounds: how often the first frame of a clip is sketched again, so that those after it find its patches.
        settling: how fast what is measured of the content follows that of a new frame, 0 to 1.
    """

    parameters: int
    style_side: int
    search_carry: float
    settle_rounds: int
    settling: float

    def extract_style(self, pixels: Tensor) -> Any:
        """Extract all that is taken from a style picture."""

    def blend_styles(self, first: Any, second: Any, share: float) -> Any:
        """Mix two styles, with a share of the second."""

    def measure_content(self, pixels: Tensor) -> Any:
        """Measure of a content what is smoothed over the frames; has a method `interpolate`."""

    def recolour(self, pixels: Tensor, own: Any, style: Any) -> Tensor:
        """Give a content the colours of the style."""

    def sketch(self, base: Tensor, style: Any, is_picture: bool) -> Tensor:
        """Make the first stage of a recoloured content: all that does not depend on the strength."""

    def encode(self, sketch: Tensor) -> tuple[Tensor, ...]:
        """Return what `paint` wants to know of a sketch, in half precision."""

    def paint(self, pixels: Tensor, sketch: Tensor, features: Sequence[Tensor], style: Any, strength: float) -> Tensor:
        """Paint the content at a strength; 0 gives the content itself."""

    def find_brushwork(self, style: Any) -> Sequence[tuple[Brushwork, float]]:
        """Return what a picture, painted at full strength, is gone over with at its own size; empty for nothing."""

    def describe(self, pixels: Tensor, style: Any) -> Statistics:
        """Describe a picture for the plot."""

    def describe_style(self, style: Any) -> Statistics:
        """Describe the style for the plot, by the same names."""


class SynthesisPainter:
    """Texture synthesis (Elad and Milanfar 2017): all passes for a picture, three for the frame of a clip."""

    parameters = 0
    style_side = 256
    search_carry = 0.0  # a painting that is painted again drifts
    settle_rounds = 0
    settling = 0.05

    def extract_style(self, pixels: Tensor) -> TextureStyle:
        """Cut the patches."""
        return extract_texture(pad(pixels))

    def blend_styles(self, first: TextureStyle, second: TextureStyle, share: float) -> TextureStyle:
        """Mix patches and colours."""
        return blend_textures(first, second, share)

    def measure_content(self, pixels: Tensor) -> Colours:
        """Measure the colours."""
        return measure_picture(pixels)

    def recolour(self, pixels: Tensor, own: Colours, style: TextureStyle) -> Tensor:
        """Move the colours in a line."""
        return move_colours(pixels, own, style.colours)

    def sketch(self, base: Tensor, style: TextureStyle, is_picture: bool) -> Tensor:
        """Make the whole painting."""
        return paint_textures(base, style, PICTURE_PLAN if is_picture else CLIP_PLAN)

    def encode(self, sketch: Tensor) -> tuple[Tensor, ...]:
        """Return nothing: the sketch is the painting."""
        return ()

    def paint(
        self, pixels: Tensor, sketch: Tensor, features: Sequence[Tensor], style: TextureStyle, strength: float
    ) -> Tensor:
        """Mix the content with the painting of it."""
        return torch.lerp(pixels, sketch, strength)

    def find_brushwork(self, style: TextureStyle) -> Sequence[tuple[Brushwork, float]]:
        """Return the style's."""
        return style.brushwork

    def describe(self, pixels: Tensor, style: TextureStyle) -> Statistics:
        """Describe colours, and the patches of each scale by the style's components."""
        padded = pad(pixels)
        return _name_scales(measure_picture(padded), describe_scales(padded, style, CLIP_PLAN))

    def describe_style(self, style: TextureStyle) -> Statistics:
        """Return the same of the style."""
        return _name_scales(style.colours, describe_books(style, CLIP_PLAN))


class AdainPainter:
    """The network (Huang and Belongie 2017) over patches that were swapped (Chen and Schmidt 2016).

    Args:
        network: the trained network.
    """

    style_side = 192  # what the strokes' size is measured by
    search_carry = 0.5
    settle_rounds = 3
    settling = 0.2

    def __init__(self, network: PictureStyleNetwork) -> None:
        self.network = network.eval()
        self.parameters = sum(weight.numel() for weight in network.parameters())

    def extract_style(self, pixels: Tensor) -> PictureStyle:
        """Extract statistics and patches."""
        return self.network.extract_style(pad(pixels))

    def blend_styles(self, first: PictureStyle, second: PictureStyle, share: float) -> PictureStyle:
        """Mix statistics and patches."""
        pages = tuple(
            (blend_dictionaries(ours[0], theirs[0], share), blend_dictionaries(ours[1], theirs[1], share))
            for ours, theirs in zip(first.pages, second.pages, strict=True)
        )
        return PictureStyle(first.statistics.interpolate(second.statistics, share), pages)

    def measure_content(self, pixels: Tensor) -> PictureStatistics:
        """Measure the colours of every band of detail."""
        return self.network.measure_band_colours(pad(pixels))

    def recolour(self, pixels: Tensor, own: PictureStatistics, style: PictureStyle) -> Tensor:
        """Move the colours of every band of detail."""
        return recolour(pad(pixels), own, style.statistics)[:, :, : pixels.shape[2], : pixels.shape[3]]

    def sketch(self, base: Tensor, style: PictureStyle, is_picture: bool) -> Tensor:
        """Swap patches."""
        return self.network.sketch(pad(base), style)[:, :, : base.shape[2], : base.shape[3]]

    def encode(self, sketch: Tensor) -> tuple[Tensor, ...]:
        """Encode the sketch."""
        return tuple(level.half() for level in self.network.encoder(pad(sketch)))

    def paint(
        self, pixels: Tensor, sketch: Tensor, features: Sequence[Tensor], style: PictureStyle, strength: float
    ) -> Tensor:
        """Decode the features with mixed statistics."""
        levels = [level.float() for level in features]
        painted = self.network.paint(pad(pixels), pad(sketch), levels, style, strength)
        return painted[:, :, : pixels.shape[2], : pixels.shape[3]]

    def find_brushwork(self, style: PictureStyle) -> Sequence[tuple[Brushwork, float]]:
        """Return nothing: the network paints its strokes."""
        return ()

    def describe(self, pixels: Tensor, style: PictureStyle) -> Statistics:
        """Describe colours, and means and spreads of every encoder level."""
        return _flatten_statistics(self.network.measure_statistics(pad(pixels)))

    def describe_style(self, style: PictureStyle) -> Statistics:
        """Return the same of the style."""
        return _flatten_statistics(style.statistics)


def paint_textures(base: Tensor, style: TextureStyle, plan: SynthesisPlan) -> Tensor:
    """Paint a recoloured content (1, 3, H, W) of any size by texture synthesis."""
    return synthesise(pad(base), style, plan)[:, :, : base.shape[2], : base.shape[3]].clamp(0, 1)


def to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Convert uint8 (H, W, 3) to float32 (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255.0


def to_array(pixels: Tensor) -> NDArray[np.float32]:
    """Convert (1, 3, H, W) to float32 (H, W, 3)."""
    return np.ascontiguousarray(pixels[0].float().permute(1, 2, 0).numpy())


def pad(pixels: Tensor) -> Tensor:
    """Continue a picture to the right and below by its last pixels, to what a network takes."""
    height, width = pixels.shape[2:]
    wanted = [max(LEAST_SIDE, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE) for side in (height, width)]
    return F.pad(pixels, (0, wanted[1] - width, 0, wanted[0] - height), mode="replicate")


def _name_scales(colours: Colours, scales: Iterable[tuple[int, Tensor]]) -> Statistics:
    patches = {f"patches at 1/{divisor}": numbers.numpy().astype(np.float32) for divisor, numbers in scales}
    return {"colours": _flatten_colours(colours.mean, colours.covariance), **patches}


def _flatten_colours(mean: Tensor, covariance: Tensor) -> FloatArray:
    return torch.cat([mean[0], covariance[0].diagonal().clamp_min(0).sqrt()]).numpy().astype(np.float32)


def _flatten_statistics(statistics: PictureStatistics) -> Statistics:
    levels = {
        f"level {at}": torch.cat([mean[0], std[0]]).numpy().astype(np.float32)
        for at, (mean, std) in enumerate(zip(statistics.means, statistics.stds, strict=True), 1)
    }
    return {"colours": _flatten_colours(statistics.colour_mean, statistics.colour_covariance), **levels}
