"""The losses of picture style transfer."""

from __future__ import annotations

import torch

from training.style_picture.losses import measure_structure_distance, measure_style_distance
from training.style_picture.patterns import draw_pattern


def test_losses_are_least_where_they_should_be() -> None:
    style = torch.from_numpy(draw_pattern("dots", 1, 96).copy()).permute(2, 0, 1)[None] / 255.0
    other = torch.from_numpy(draw_pattern("strokes", 1, 96).copy()).permute(2, 0, 1)[None] / 255.0
    generator = torch.Generator().manual_seed(0)
    assert measure_style_distance(style, style, generator) < 0.4 * measure_style_distance(other, style, generator)
    assert measure_structure_distance(style, style) < 1e-3 < measure_structure_distance(other, style)
    assert measure_structure_distance(0.5 * style + 0.2, style) < 0.1  # contrast does not count
