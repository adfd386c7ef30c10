"""Tiny untrained networks for the live tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.live import bar_generator as bar_generator_module
from models.live.bar_generator import BarGenerator
from models.music.composer import MusicComposer
from models.music.weights import save_debug
from models.video.generator import VideoGenerator
from tests.models.music_video.debug_video import debug_video


@pytest.fixture(scope="session")
def bar_generator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BarGenerator]:
    """Yield a bar generator over a debug network."""
    model = save_debug(tmp_path_factory.mktemp("live") / "debug.safetensors")
    with pytest.MonkeyPatch.context() as patch:  # an untrained network never ends a bar by itself
        patch.setattr(bar_generator_module, "BAR_TOKENS", 128)
        yield BarGenerator(MusicComposer(model, "float32"))


@pytest.fixture(scope="session")
def generator() -> VideoGenerator:
    """Return a debug video network with random weights."""
    return debug_video(stretch=8)
