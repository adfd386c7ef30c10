"""A beat detector and a video model for tests of the Music Video tab: the shipped network, and a painter of lights."""

from __future__ import annotations

from pathlib import Path

from models.beats.detector import BeatDetector, load_beat_network
from models.hub.spec import ModelSpec
from models.registry.registry import WEIGHTS_DIR, Registry
from models.video.generator import VideoGenerator
from tests.models.music_video.debug_video import BlobVideo, debug_video
from tests.studio.debug_speech import debug_entry, debug_registry


def load_beats(files: dict[str, Path], spec: ModelSpec) -> BeatDetector:
    """Return the shipped beat network."""
    return BeatDetector(load_beat_network(WEIGHTS_DIR / "beats.safetensors"))


def load_lights(files: dict[str, Path], spec: ModelSpec) -> BlobVideo:
    """Return a light that wanders, in the place of a video model."""
    return BlobVideo()


def music_video_specs() -> tuple[ModelSpec, ModelSpec]:
    """Catalogue entries of both."""
    return (
        debug_entry("beats/debug", "Debug beats", "debug_beats:load_beats"),
        debug_entry("video/lights", "Debug lights", "debug_beats:load_lights"),
    )


def music_video_registry(folder: Path) -> Registry:
    """Return a registry of both."""
    return debug_registry(folder, *music_video_specs())


def load_debug_video(files: dict[str, Path], spec: ModelSpec) -> VideoGenerator:
    """Return the real generator around a tiny network of random weights."""
    return debug_video()


def drawing_registry(folder: Path) -> Registry:
    """Return a registry of the beat detector and a tiny video network."""
    video = debug_entry("video/debug", "Debug video", "debug_beats:load_debug_video")
    return debug_registry(folder, music_video_specs()[0], video)
