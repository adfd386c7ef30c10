"""A beat detector and a video model for tests of the Music Video tab: the shipped network, and a painter of lights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.music_video.beats import BeatDetector, load_network
from models.registry import WEIGHTS_DIR, Registry
from models.spec import Bundled, ModelSpec
from tests.models.music_video.debug_video import BlobVideo

VALUES: dict[str, Any] = {
    "summary": "For tests alone.",
    "licence": "MIT",
    "commercial_use": True,
    "credit": "Auralume contributors",
    "sources": (Bundled(("debug.bin",)),),
    "memory_mb": 1,
    "needs_gpu": False,
    "speed": "at once",
}


def load_beats(files: dict[str, Path], spec: ModelSpec) -> BeatDetector:
    """The shipped beat network."""
    return BeatDetector(load_network(WEIGHTS_DIR / "beats.safetensors"))


def load_lights(files: dict[str, Path], spec: ModelSpec) -> BlobVideo:
    """A light that wanders, in the place of a video model."""
    return BlobVideo()


def music_video_specs() -> tuple[ModelSpec, ModelSpec]:
    """Catalogue entries of both."""
    return (
        ModelSpec(
            key="beats/debug", task="beats", title="Debug beats", loader="tests.studio.debug_beats:load_beats", **VALUES
        ),
        ModelSpec(
            key="video/lights", task="video", title="Debug lights", loader="tests.studio.debug_beats:load_lights",
            **VALUES,
        ),
    )  # fmt: skip


def music_video_registry(folder: Path) -> Registry:
    """A registry of both."""
    (folder / "debug.bin").write_bytes(b"debug")
    return Registry(music_video_specs(), memory_budget_mb=100, weights_dir=folder)
