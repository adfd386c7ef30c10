"""A debug 3D U-Net, conditions and a clip for the tests of the video model."""

from __future__ import annotations

import torch
from torch import nn

from models.video.unet3d import Condition, UNet3D, UNet3DConfig

CONFIG = UNet3DConfig.debug()
CLIP = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(5))


def make_network(seed: int = 0) -> UNet3D:
    """Make a debug network in which nothing is zero any more."""
    torch.manual_seed(seed)
    model = UNet3D(CONFIG).eval()
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return model.requires_grad_(False)


def make_condition(rows: int = 2, words: int = 5, seed: int = 1, attributes: int = 0) -> Condition:
    """Make a condition of random words."""
    random = torch.Generator().manual_seed(seed)
    said = torch.ones(rows, words, dtype=torch.bool)
    vectors = torch.randn(rows, words, CONFIG.text_width, generator=random)
    return Condition(vectors, said, torch.full((rows, len(CONFIG.attributes)), attributes))


def make_empty_condition(rows: int = 2) -> Condition:
    """Make an unconditional condition."""
    words = torch.zeros(rows, 1, CONFIG.text_width)
    return Condition(
        words, torch.zeros(rows, 1, dtype=torch.bool), torch.zeros(rows, len(CONFIG.attributes), dtype=torch.long)
    )
