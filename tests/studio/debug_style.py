"""Style models with random weights in the shape of the real ones, for tests of the tab."""

from __future__ import annotations

from pathlib import Path

import torch

from models.contracts import Voice
from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from models.style.audio import AudioStyler
from models.style.painters import AdainPainter
from models.style.picture_network import PictureStyleConfig, PictureStyleNetwork
from models.style.video import VideoStyle
from tests.studio.debug_speech import debug_entry, debug_registry


def load_video(files: dict[str, Path], spec: ModelSpec) -> VideoStyle:
    """Return the real generator around a tiny network."""
    torch.manual_seed(0)
    return VideoStyle(AdainPainter(PictureStyleNetwork(PictureStyleConfig.debug())))


def load_audio(files: dict[str, Path], spec: ModelSpec) -> AudioStyler:
    """Return the real generator around tiny networks."""
    return AudioStyler.debug()


def style_specs() -> tuple[ModelSpec, ModelSpec]:
    """Catalogue entries of both."""
    voices = (Voice("hum", "A hum", "MIT"), Voice("hiss", "A hiss", "MIT"))
    return (
        debug_entry("style_video/debug", "Debug picture style", "debug_style:load_video"),
        debug_entry("style_audio/debug", "Debug audio style", "debug_style:load_audio", voices=voices),
    )


def style_registry(folder: Path) -> Registry:
    """Return a registry of both."""
    return debug_registry(folder, *style_specs())
