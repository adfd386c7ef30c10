"""The colours of a picture as a mean and a covariance, and a picture in the colours of another.

Letters: B batch, H and W height and width in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.style.picture_network import fit_colour_map, measure_colours


@dataclass(frozen=True)
class Colours:
    """Mean (B, 3) and covariance (B, 3, 3) of a picture's colours."""

    mean: Tensor
    covariance: Tensor

    def interpolate(self, other: Colours, share: float) -> Colours:
        """Go from these (share 0) to `other` (share 1), in a straight line."""
        return Colours(torch.lerp(self.mean, other.mean, share), torch.lerp(self.covariance, other.covariance, share))


def measure_picture(pixels: Tensor) -> Colours:
    """Measure the colours of (B, 3, H, W) in [0, 1]."""
    return Colours(*measure_colours(pixels))


NOISE = 0.01  # standard deviation of what a file's own noise may look like a colour by


def move_colours(pixels: Tensor, own: Colours, wanted: Colours) -> Tensor:
    """Move colours (B, 3, H, W) in a line, so that mean and covariance `own` become `wanted`.

    What varies less than `NOISE` is not stretched as if it were colour: in a grey photograph it is none.
    """
    seen = own.covariance.cpu() + NOISE**2 * torch.eye(3)
    matrix = fit_colour_map(seen, wanted.covariance.cpu()).to(pixels)
    flat = matrix @ (pixels.flatten(2) - own.mean[:, :, None]) + wanted.mean[:, :, None]
    return flat.view_as(pixels)
