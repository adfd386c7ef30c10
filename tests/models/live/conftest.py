"""Tiny untrained networks for the live tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from models.live import writing
from models.live.writing import BarWriter
from models.music.composer import MusicComposer
from models.music.weights import save_debug
from models.video.generator import VideoGenerator
from models.video.text import TextTable
from models.video.unet3d import UNet3D, UNet3DConfig


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BarWriter]:
    """A writer over a debug network."""
    model = save_debug(tmp_path_factory.mktemp("live") / "debug.safetensors")
    with pytest.MonkeyPatch.context() as patch:  # an untrained network never ends a bar by itself
        patch.setattr(writing, "BAR_TOKENS", 128)
        yield BarWriter(MusicComposer(model, "float32"))


@pytest.fixture(scope="session")
def generator() -> VideoGenerator:
    """A debug video network with random weights."""
    torch.manual_seed(0)
    config = UNet3DConfig.debug()
    model = UNet3D(config)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return VideoGenerator(model, TextTable(["a", "red", "blue", "fire"], torch.randn(4, config.text_width)), stretch=8)
