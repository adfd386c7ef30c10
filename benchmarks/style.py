"""Style transfer of pictures and clips: speed, steadiness, how far the style is taken over, how much content is kept.

    python -m benchmarks.style --json --clips FOLDER --pictures FOLDER

`--clips` holds short clips, `--pictures` what the network was trained from; measured are its held-out paintings. The
style figure is the mean and spread of a bank of oriented filters (Gabor, four scales, six directions) over luminance
and two colour axes, with the colours' own means and spreads: nothing that training looked at. The plain baseline in the
same run is histogram matching of each colour channel. Two torch threads. The sound half is `benchmarks.style_audio`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import add_json_option, report_figures
from models.media.clip_info import probe
from models.media.clip_reader import read_picture
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.style import optical_flow
from models.style.video_contracts import VideoStyleRequest
from models.threads import limit_spinning
from training.style_picture.pictures import list_held_out

MODEL = "style_video/adain"
FloatArray = NDArray[np.float64]
Pixels = NDArray[np.uint8]
AXES = np.array([[0.299, 0.587, 0.114], [0.5, -0.5, 0.0], [0.25, 0.25, -0.5]])


def measure_style(pixels: Pixels) -> FloatArray:
    """Measure means and spreads of filter answers and colours of uint8 (H, W, 3), each about as large as the others."""
    import cv2

    planes = (pixels.astype(np.float32) / 255.0) @ AXES.T.astype(np.float32)
    found = [*planes.mean(axis=(0, 1)), *planes.std(axis=(0, 1))]
    for plane in np.moveaxis(planes, 2, 0):
        for wavelength in (3.0, 6.0, 12.0, 24.0):
            for turn in np.arange(6) * np.pi / 6:
                kernel = cv2.getGaborKernel((31, 31), 0.45 * wavelength, turn, wavelength, 1.0, 0.0)
                kernel -= kernel.mean()
                answers = np.abs(cv2.filter2D(np.ascontiguousarray(plane), -1, kernel / np.abs(kernel).sum()))
                found += [2 * answers.mean(), 2 * answers.std()]
    return np.asarray(found, dtype=np.float64)


def compare_styles(a: FloatArray, b: FloatArray) -> float:
    """Compute the distance of two figures: colours and texture count alike."""
    return float(np.linalg.norm(a[:6] - b[:6]) / 6 + np.linalg.norm(a[6:] - b[6:]) / 6)


def match_histograms(content: Pixels, style: Pixels) -> Pixels:
    """Give each channel the histogram of the style, the baseline."""
    result = np.empty_like(content)
    for channel in range(3):
        own, counts = np.unique(content[:, :, channel], return_counts=True)
        wanted = np.quantile(style[:, :, channel], (np.cumsum(counts) - counts / 2) / counts.sum())
        result[:, :, channel] = np.round(np.interp(content[:, :, channel], own, wanted))
    return result


def measure_ssim(a: Pixels, b: Pixels) -> float:
    """Measure the structural similarity of luminance (Wang et al. 2004), Gaussian window of 1.5 pixels."""
    import cv2

    x, y = (np.ascontiguousarray(each.astype(np.float64) @ AXES[0]) for each in (a, b))

    def smooth(values: FloatArray) -> FloatArray:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def render_frames(model: Any, request: VideoStyleRequest) -> tuple[Pixels, Pixels]:
    """Render results and sources."""
    chunks = list(model.stream(request))
    return np.concatenate([c.frames for c in chunks]), np.concatenate([c.source for c in chunks])


def measure_quality(model: Any, clips: list[Path], styles: list[Path]) -> Iterator[tuple[str, float]]:
    """Yield video_style_moved, video_style_moved_histogram and video_ssim_07."""
    moved, plain, kept = [], [], []
    for number, style in enumerate(styles):
        clip = clips[number % len(clips)]
        middle = probe(clip).frames // 2
        wanted = measure_style(read_picture(style, 192, 384))
        results = {}
        for strength in (0.7, 1.0):
            request = VideoStyleRequest(
                str(clip), str(style), strength=strength, size=256, first_frame=middle, frames=1
            )
            results[strength], source = render_frames(model, request)
        start = compare_styles(measure_style(source[0]), wanted)
        moved.append(1 - compare_styles(measure_style(results[1.0][0]), wanted) / start)
        matched = match_histograms(source[0], read_picture(style, 192, 384))
        plain.append(1 - compare_styles(measure_style(matched), wanted) / start)
        kept.append(measure_ssim(results[0.7][0], source[0]))
    yield "video_style_moved", statistics.median(moved)
    yield "video_style_moved_histogram", statistics.median(plain)
    yield "video_ssim_07", statistics.mean(kept)


def measure_steadiness(model: Any, clips: list[Path], style: Path) -> Iterator[tuple[str, float]]:
    """Yield temporal_ratio: change of frames carried along the source's motion, result over source."""
    ratios = []
    for clip in clips:
        made, source = render_frames(model, VideoStyleRequest(str(clip), str(style), size=256, frames=16))
        changes = np.zeros(2)
        for at in range(1, len(made)):
            offsets = optical_flow.estimate_motion(source[at - 1], source[at])
            for which, frames in enumerate((made, source)):
                carried = optical_flow.warp(frames[at - 1], offsets).astype(float)
                changes[which] += float(np.abs(carried - frames[at]).mean())
        ratios.append(changes[0] / max(changes[1], 1e-9))
    yield "temporal_ratio", statistics.median(ratios)
    yield "temporal_ratio_worst", max(ratios)


def measure_speed(model: Any, clip: Path, style: Path) -> Iterator[tuple[str, float]]:
    """Yield video_fps_256, video_fps_512 and video_fps_256_again: first time, and another strength from memory."""
    import tempfile

    from models.media.write import VideoWriter

    for size in (256, 512):
        with tempfile.TemporaryDirectory() as folder:
            square = Path(folder) / "square.mp4"
            _, source = render_frames(
                model, VideoStyleRequest(str(clip), str(style), size=2 * size, frames=24, strength=0)
            )
            with VideoWriter(square, size, size, probe(clip).rate) as writer:
                writer.write(source[:, :size, :size])
            for key, strength in ((f"video_fps_{size}", 0.8), (f"video_fps_{size}_again", 0.5)):
                started = time.perf_counter()
                made, _ = render_frames(model, VideoStyleRequest(str(square), str(style), size=size, strength=strength))
                assert made.shape[1:3] == (size, size)
                yield key, len(made) / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "style")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(2)
    clips = sorted(p for p in arguments.clips.iterdir() if p.suffix in {".mp4", ".webm", ".mpg", ".mov"})
    styles = sorted(list_held_out([p for p in arguments.pictures.rglob("*") if p.parent.name.startswith("art_")]))
    styles = [path for path in styles if path.suffix in {".webp", ".jpg", ".png"}]
    model = Registry(CATALOG).load(MODEL)
    large = max(clips, key=lambda path: probe(path).height)
    figures: dict[str, float] = {}
    for group in (
        measure_speed(model, large, styles[0]),
        measure_steadiness(model, clips, styles[0]),
        measure_quality(model, clips, styles),
    ):
        for key, value in group:
            figures[key] = round(value, 3)
            if not arguments.json:
                print(f"{key:30} {figures[key]}", flush=True)
    if arguments.json:
        report_figures("style", figures, arguments.json)


if __name__ == "__main__":
    main()
