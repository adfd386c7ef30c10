"""Debug video models for tests: the real generator over tiny random networks, as slow as asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.contracts import Task, VideoChunk, VideoRequest
from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from models.video.generator import VideoGenerator
from models.video.scenes import draw_spec, render
from models.video.sound_synthesis import EVENT_SOUNDS, add_sound
from models.video.sound_synthesis import RATE as EVENT_RATE
from models.video.sync import SyncChecker, SyncReport, bend_time, to_stereo
from models.video.sync_model import SyncModel
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3D, UNet3DConfig
from models.video.upscaler import Upscaler, UpscalerConfig, UpscalerNetwork
from studio.video.exports import write_clip
from tests.studio.debug_speech import debug_entry

WORDS = ["a", "red", "blue", "fire", "sea", "ball"]
SLOW_S = 0.25  # a step


class SlowVideo(VideoGenerator):
    """Waits at each step, so that a test can watch it work."""

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        for chunk in super().stream(request):
            time.sleep(SLOW_S)
            yield chunk


def debug_generator(kind: type[VideoGenerator] = VideoGenerator) -> VideoGenerator:
    """Random weights, in which nothing is zero, and an untrained upscaler, which is bicubic."""
    torch.manual_seed(0)
    config = UNet3DConfig.debug()
    model = UNet3D(config)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    nn.init.normal_(model.head.weight, std=0.01)  # a calm picture, which is quickly packed
    table = TextTable(WORDS, torch.randn(len(WORDS), config.text_width))
    return kind(model, table, upscaler=Upscaler(UpscalerNetwork(UpscalerConfig.debug())))


def load_video(files: Mapping[str, Path], spec: ModelSpec) -> VideoGenerator:
    """Load the debug models for the catalogue."""
    return debug_generator(SlowVideo if spec.key.endswith("slow") else VideoGenerator)


def debug_video_spec(name: str = "debug") -> ModelSpec:
    """Return a catalogue entry; its one file is `debug.bin`."""
    said: dict[str, Any] = {"summary": "Draws noise; for tests alone.", "memory_mb": 20}
    return debug_entry(f"video/{name}", f"Debug video {name}", "debug_video:load_video", **said)


class FlashChecker(SyncChecker):
    """Knows only that a flash goes with a click: it lays brightness and loudness over one another."""

    def __init__(self) -> None:
        """Needs no network."""

    def check(self, frames: Any, frames_per_second: float, samples: Any, sample_rate: int) -> SyncReport:
        """Correlate at a hundred moments a second."""
        times = np.arange(round(len(frames) / frames_per_second * 100)) / 100
        bright = frames.mean(axis=(1, 2, 3))[np.minimum((times * frames_per_second).astype(int), len(frames) - 1)]
        power = np.abs(to_stereo(samples)).mean(axis=1)
        loud = np.array([power[round(t * sample_rate) : round((t + 0.01) * sample_rate)].max(initial=0) for t in times])
        seen, heard = (np.clip(np.diff(each, prepend=each[:1]), 0, None) for each in (bright, loud))
        offsets = np.arange(-50, 51)
        fit = np.array([(np.roll(seen, offset) * heard).sum() for offset in offsets])
        chance = (fit / max(fit.sum(), 1e-9)).astype(np.float32)
        attention = np.outer(seen[:48], heard[:48]).astype(np.float32)
        none = np.zeros(0, np.float32)
        best, sure = float(offsets[fit.argmax()]) / 100, float(chance.max())
        return SyncReport(best, sure, attention, (offsets / 100).astype(np.float32), chance, none, none)

    def align(
        self,
        frames: Any,
        frames_per_second: float,
        samples: Any,
        sample_rate: int,
        warp: bool = True,
        least_confidence: float = 0.0,
    ) -> Any:
        """Move the sound."""
        report = self.check(frames, frames_per_second, samples, sample_rate)
        if report.confidence < least_confidence:
            return to_stereo(samples), report
        return bend_time(to_stereo(samples), sample_rate, report.offset_s, np.zeros(0), np.zeros(0)), report

    def detect_events(self, frames: Any, frames_per_second: float) -> Any:
        """Where it grows brighter at once."""
        rises = np.diff(frames.mean(axis=(1, 2, 3)), prepend=frames[0].mean())
        times = (np.flatnonzero(rises > 20) / frames_per_second).astype(np.float32)
        return times, np.ones_like(times), np.zeros_like(times)


def load_sync(files: Mapping[str, Path], spec: ModelSpec) -> SyncModel:
    """Return the real generator over a checker without a network."""
    return SyncModel(FlashChecker())


def debug_sync_spec() -> ModelSpec:
    """Return a catalogue entry; its one file is `debug.bin`."""
    base = debug_video_spec()
    changes: dict[str, Any] = {"key": "video_sync/debug", "task": Task.SYNC, "title": "Debug sync"}
    return replace(base, **changes, loader="tests.studio.debug_video:load_sync")


def video_registry(folder: Path, *more: ModelSpec) -> Registry:
    """Return a registry of the quick model, and what else is asked for."""
    (folder / "debug.bin").write_bytes(b"debug")
    return Registry((debug_video_spec(), *more), memory_budget_mb=1000, weights_dir=folder)


def ball_clip(path: Path, late_s: float = 0.0) -> Path:
    """Return a bouncing ball of the studio's own world, 4 s at 24 frames a second, its impacts heard so much later."""
    rng = np.random.default_rng([99, 1])
    scene = render(draw_spec(rng, "ball"), 96, 128, 24.0)
    sound = np.zeros((4 * EVENT_RATE, 2), np.float32)
    for event in scene.events:
        add_sound(sound, round((event.time_s + late_s) * EVENT_RATE), EVENT_SOUNDS[event.kind](rng), event.x, 0.4)
    return write_clip(path, scene.frames, 24.0, np.ascontiguousarray(sound.T))
