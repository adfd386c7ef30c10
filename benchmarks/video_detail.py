"""How sharp delivered clips are beside the renderer, and what the enlargement does to clean pictures.

Sharpness is the variance of the Laplacian of grey values, of 255. Clips are made at the default settings for captions
of held-out scenes, enlarged as the studio does; the renderer draws the same scenes at that size.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.video_judge import draw_held_out_prompts
from models.contracts import VideoRequest
from models.video.generator import VideoGenerator
from models.video.interpolation import interpolate
from models.video.scenes import render
from models.video.upscaler import SCALE, upscale_bicubic

Pixels = NDArray[np.uint8]
CLIPS, LARGE, SHOWN = 36, 256, 4


def measure_sharpness(frames: Pixels) -> float:
    """Measure the median sharpness of frames uint8 (F, R, S, 3)."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return float(np.median([cv2.Laplacian(each, cv2.CV_64F).var() for each in grey]))


def measure_psnr(first: Pixels, second: Pixels) -> float:
    """Measure the peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / max(np.square(first.astype(np.float64) - second).mean(), 1e-6)))


def make_clip(generator: VideoGenerator, request: VideoRequest) -> Pixels:
    """Make uint8 (F, R, S, 3)."""
    return np.concatenate([chunk.frames for chunk in generator.stream(request)])


def measure_detail(generator: VideoGenerator, clips: int = CLIPS) -> Iterator[tuple[str, float]]:
    """Yield sharpness, sharpness_renderer, sharpness_ratio, psnr_clean and psnr_clean_bicubic, finished_clip_s."""
    upscaler = generator.upscaler
    if upscaler is None:
        raise ValueError("This model has no enlargement.")
    made, drawn, learned, plain = [], [], [], []
    for number, prompt in enumerate(draw_held_out_prompts(clips)):
        frames = make_clip(generator, VideoRequest(prompt.text, seed=number))
        chosen = np.ascontiguousarray(frames[:: len(frames) // SHOWN])
        made.append(measure_sharpness(upscaler.enlarge(chosen)))
        large = render(prompt.spec, 16, LARGE).frames[::SHOWN]
        drawn.append(measure_sharpness(large))
        side = LARGE // SCALE
        small = np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in large])
        learned.append(measure_psnr(upscaler.upscale(small), large))
        plain.append(measure_psnr(upscale_bicubic(small), large))
    yield "sharpness", float(np.median(made))
    yield "sharpness_renderer", float(np.median(drawn))
    yield "sharpness_ratio", float(np.median(made) / np.median(drawn))
    yield "psnr_clean", float(np.mean(learned))
    yield "psnr_clean_bicubic", float(np.mean(plain))
    yield "finished_clip_s", min(time_finished_clip(generator) for _ in range(3))


def time_finished_clip(generator: VideoGenerator) -> float:
    """Return the seconds of a clip as the studio delivers it, without its sound."""
    from studio.video.exports import write_clip

    began = time.perf_counter()
    frames = make_clip(generator, VideoRequest("a red ball bouncing to the right"))
    if generator.upscaler is not None:
        frames = generator.upscaler.enlarge(frames)
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder) / "clip.mp4", interpolate(frames, 3), 24.0, None)
    return time.perf_counter() - began
