"""Style models with random weights in the shape of the real ones, for tests of the tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from models.contracts import Voice
from models.registry import Registry
from models.spec import Bundled, ModelSpec
from models.style.audio import AudioStyler
from models.style.picture_network import StyleConfig, StyleNetwork
from models.style.video import VideoStyle


def load_video(files: dict[str, Path], spec: ModelSpec) -> VideoStyle:
    """The real generator around a tiny network."""
    torch.manual_seed(0)
    return VideoStyle(StyleNetwork(StyleConfig.debug()))


def load_audio(files: dict[str, Path], spec: ModelSpec) -> AudioStyler:
    """The real generator around tiny networks."""
    return AudioStyler.debug()


def style_specs() -> tuple[ModelSpec, ModelSpec]:
    """Catalogue entries of both."""
    values: dict[str, Any] = {
        "summary": "For tests alone.",
        "licence": "MIT",
        "commercial_use": True,
        "credit": "Auralume contributors",
        "sources": (Bundled(("debug.bin",)),),
        "memory_mb": 1,
        "needs_gpu": False,
        "speed": "at once",
    }
    return (
        ModelSpec(
            key="style_video/debug", task="style_video", title="Debug picture style",
            loader="tests.studio.debug_style:load_video", **values,
        ),
        ModelSpec(
            key="style_audio/debug", task="style_audio", title="Debug audio style",
            loader="tests.studio.debug_style:load_audio",
            voices=(Voice("hum", "A hum", "MIT"), Voice("hiss", "A hiss", "MIT")), **values,
        ),
    )  # fmt: skip


def style_registry(folder: Path) -> Registry:
    """A registry of both."""
    (folder / "debug.bin").write_bytes(b"debug")
    return Registry(style_specs(), memory_budget_mb=100, weights_dir=folder)
