"""A tiny video model and made-up songs for tests of music videos."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.beats.detector import BeatTrack
from models.contracts import VideoChunk, VideoRequest
from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.media.program import find_ffmpeg
from models.music_video import features
from models.music_video.contracts import MusicVideoRequest
from models.music_video.generator import MusicVideoGenerator
from models.video.generator import VideoGenerator
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3D, UNet3DConfig
from studio.io.audio_files import write_wav

RATE = 44_100


class BlobVideo:
    """A video model for tests of what is done with its frames: a soft light that wanders over a soft ground."""

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        y, x = np.mgrid[0 : request.size, 0 : request.size] / request.size
        rng = np.random.default_rng(request.seed)
        ground, light = rng.uniform(40, 120, 3), rng.uniform(120, 250, 3)
        frames = []
        for number in range(request.frames):
            way = number / request.frames
            near = np.exp(-((x - 0.2 - 0.6 * way) ** 2 + (y - 0.5) ** 2) / 0.03)[..., None]
            frames.append(ground * (0.6 + 0.4 * y[..., None]) + (light - ground) * near)
        clip = np.clip(np.stack(frames), 0, 255).astype(np.uint8)
        for step in range(1, request.steps + 1):
            last = step == request.steps
            yield VideoChunk(clip if last else clip[:0], clip, 8.0, step, request.steps, step, request.steps, last)


def debug_video(stretch: int = 16) -> VideoGenerator:
    """Return the real generator around a tiny network of random weights."""
    torch.manual_seed(0)
    config = UNet3DConfig.debug()
    model = UNet3D(config)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    table = TextTable(["a", "red", "blue", "fire"], torch.randn(4, config.text_width))
    return VideoGenerator(model, table, stretch=stretch)


def clicks(times_s: np.ndarray, seconds: float, rate: int = RATE, loud: np.ndarray | float = 0.8) -> np.ndarray:
    """Short bursts at times, float32 (n,)."""
    sound = np.zeros(int(seconds * rate), dtype=np.float32)
    length = int(0.03 * rate)
    burst = np.sin(2 * np.pi * 1500 * np.arange(length) / rate) * np.exp(-np.arange(length) / (0.2 * length))
    for time_s, level in zip(times_s, np.broadcast_to(loud, times_s.shape), strict=True):
        at = round(float(time_s) * rate)
        count = min(length, len(sound) - at)
        if count > 0:
            sound[at : at + count] += (level * burst[:count]).astype(np.float32)
    return sound


def click_song(path: Path, seconds: float = 4.0, bpm: float = 120.0) -> Path:
    """Return a WAV file of clicks over a soft chord."""
    times = np.arange(0.2, seconds, 60 / bpm)
    tone = 0.05 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)
    return write_wav(path, (clicks(times, seconds) + tone).astype(np.float32), RATE)


def steady_track(seconds: float, bpm: float = 120.0, start_s: float = 0.2) -> BeatTrack:
    """Even beats, four in a bar."""
    times = np.arange(start_s, seconds, 60 / bpm)
    return BeatTrack(times, np.arange(len(times)) % 4 + 1)


def request_for(folder: Path, seconds: float = 4.0, track: BeatTrack | None = None, **fields: Any) -> MusicVideoRequest:
    """Return a small request over a click song; `fields` replace its own."""
    song = click_song(folder / "song.wav", seconds)
    beats = steady_track(seconds) if track is None else track
    mono = clicks(beats.times_s, seconds, 22_050)
    values: dict[str, Any] = {
        "song": song,
        "duration_s": seconds,
        "track": beats,
        "features": features.measure(mono, 22_050, beats.times_s, beats.downbeats_s),
        "prompts": ("a red fire", "a blue fire"),
        "out": folder / "out.mp4",
        "shorter_side": 360,
        "steps": 2,
        "size": 32,
        "key_clips": 2,
    }
    return MusicVideoRequest(**(values | fields))


def encoded(path: Path, *options: str) -> Path:
    """Return a file that ffmpeg makes of the options before its name."""
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *options, str(path)], check=True)
    return path


def film(request: MusicVideoRequest, width: int = 90, height: int = 90, model: Any = None) -> NDArray[np.uint8]:
    """Make the video of a request; return its frames, small."""
    *_, last = MusicVideoGenerator(model).stream(request)
    assert last.last
    return np.stack(list(read_frames(request.out, probe(request.out), width, height)))
