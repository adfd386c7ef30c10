"""Luminance of colour pictures."""

from __future__ import annotations

from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # Rec. 601


def compute_luminance(pixels: Tensor) -> Tensor:
    """Weigh the colours of pixels (B, 3, H, W) to their luminance (B, 1, H, W), after Rec. 601."""
    weights = pixels.new_tensor(LUMA)[None, :, None, None]
    return (pixels * weights).sum(dim=1, keepdim=True)
