"""Style transfer of pictures and clips: how far the style is taken over, what is kept, grids, steadiness, and speed.

    python -m benchmarks.style --json --clips FOLDER --pictures FOLDER --judge vgg16.safetensors

`--clips` holds short clips, `--pictures` what the network was trained from, `--judge` the file that
`training.style_picture.judge` wrote. Measured are held-out photographs in held-out paintings. `gram` is the distance of
the correlations of VGG-16's features from those of the painting, as a share of the latter, mean over relu1_1 to
relu4_1; `content` is that of relu4_1 from the photograph. The judge is what the training followed. The second style
figure is not: the mean and spread of a bank of oriented filters (Gabor, four scales, six directions) over luminance and
two colour axes, with the colours' own means and spreads. The plain baseline in the same run is histogram matching of
each colour channel. Clips are those of the folder and four made of a photograph: still with noise, dark and still with
noise, panned slowly, and zoomed slowly. Two torch threads. The sound half is `benchmarks.style_audio`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.results import add_json_option, report_figures
from models.media.clip_info import probe
from models.media.clip_reader import read_picture
from models.media.write import VideoWriter, write_picture
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.style import optical_flow
from models.style.painters import to_tensor
from models.style.vgg import CONTENT_LAYER, Vgg, load_vgg
from models.style.video_contracts import VideoStyleRequest
from models.threads import limit_spinning
from studio.page.style_gallery import find_picture
from training.style_picture.losses import compute_correlations
from training.style_picture.pictures import HELD_OUT_SCENES, list_held_out, sort_files

MODEL = "style_video/synthesis"
FloatArray = NDArray[np.float64]
Pixels = NDArray[np.uint8]
PERIODS = (2, 4, 8)  # pixels, where networks leave grids
SIZE = 512  # of the photographs that are judged
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


def measure_grid(result: Pixels, source: Pixels) -> float:
    """Measure how much a grid stands out, against the source: the largest ratio over periods and directions.

    In the power spectrum of the luminance along one direction, mean over the other, the power at a grid's period is
    divided by that of its neighbourhood; the figure is that of the result over that of the source.
    """
    found = []
    for axis in (0, 1):
        ours, theirs = (_find_peaks(each, axis) for each in (result, source))
        found += [a / b for a, b in zip(ours, theirs, strict=True)]
    return float(max(found))


def _find_peaks(pixels: Pixels, axis: int) -> list[float]:
    plane = pixels.astype(np.float64) @ AXES[0]
    length = plane.shape[axis] // max(PERIODS) * max(PERIODS)
    plane = np.moveaxis(plane, axis, 0)[:length]
    window = np.hanning(length)[:, None]
    power = (np.abs(np.fft.rfft((plane - plane.mean(axis=0)) * window, axis=0)) ** 2).mean(axis=1)
    peaks = []
    for period in PERIODS:
        at = length // period
        around = np.r_[power[at - 12 : at - 3], power[at + 4 : at + 13]]
        peaks.append(float(power[at - 1 : at + 2].mean() / around.mean()))
    return peaks


class StyleJudge:
    """VGG-16 as a measure: distances of correlations and of content, relative."""

    def __init__(self, network: Vgg) -> None:
        self.network = network

    @torch.inference_mode()
    def look(self, pixels: Pixels) -> dict[str, Tensor]:
        """Return the layers of uint8 (H, W, 3)."""
        return self.network(to_tensor(pixels))  # type: ignore[no-any-return]

    def measure_gram(self, pixels: Pixels, style: dict[str, Tensor]) -> float:
        """Measure the distance of the correlations from a style's, mean over the layers."""
        gaps = []
        for name, layer in self.look(pixels).items():
            wanted = compute_correlations(style[name])
            gaps.append(float((compute_correlations(layer) - wanted).norm() / wanted.norm()))
        return statistics.mean(gaps)

    def measure_content(self, pixels: Pixels, content: dict[str, Tensor]) -> float:
        """Measure the distance of relu4_1 from a content's."""
        wanted = content[CONTENT_LAYER]
        return float((self.look(pixels)[CONTENT_LAYER] - wanted).norm() / wanted.norm())


def render_frames(model: Any, request: VideoStyleRequest) -> tuple[Pixels, Pixels]:
    """Render results and sources."""
    chunks = [chunk for chunk in model.stream(request) if not chunk.is_preview]
    return np.concatenate([c.frames for c in chunks]), np.concatenate([c.source for c in chunks])


def measure_painting(
    model: Any, judge: StyleJudge, photographs: list[Path], styles: list[Path]
) -> Iterator[tuple[str, float]]:
    """Yield gram, content and grid_ratio at strength 1, and those of histogram matching."""
    figures: dict[str, list[float]] = {name: [] for name in ("gram", "content", "grid", "plain_gram", "plain_content")}
    for number, style in enumerate(styles):
        path = photographs[number % len(photographs)]
        results, sources = render_frames(model, VideoStyleRequest(str(path), str(style), size=SIZE))
        painting = read_picture(style, 256, 512)
        wanted, content = judge.look(painting), judge.look(sources[0])
        plain = match_histograms(sources[0], painting)
        figures["gram"].append(judge.measure_gram(results[0], wanted))
        figures["content"].append(judge.measure_content(results[0], content))
        figures["grid"].append(measure_grid(results[0], sources[0]))
        figures["plain_gram"].append(judge.measure_gram(plain, wanted))
        figures["plain_content"].append(judge.measure_content(plain, content))
    yield "gram", statistics.mean(figures["gram"])
    yield "gram_histogram", statistics.mean(figures["plain_gram"])
    yield "content", statistics.mean(figures["content"])
    yield "content_histogram", statistics.mean(figures["plain_content"])
    yield "grid_ratio", statistics.median(figures["grid"])


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


def make_steady_clips(photograph: Path, folder: Path) -> list[Path]:
    """Make clips of 16 frames from a photograph: still, dark and still, both with noise; panned; zoomed."""
    import cv2

    pixels = read_picture(photograph, 512, 910).astype(np.float32)
    rng = np.random.default_rng(0)
    width, height = 320, 240

    def move(scale: float, right: float) -> NDArray[np.float32]:
        matrix = np.array([[scale, 0, right], [0, scale, 40.0]], np.float32)
        flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), flags=flags), dtype=np.float32)

    still = move(1.4, 60.0)
    kinds: dict[str, list[NDArray[Any]]] = {
        "still": [still + rng.normal(0, 2, still.shape) for _ in range(16)],
        "dark": [0.12 * still + rng.normal(0, 2, still.shape) for _ in range(16)],
        "panned": [move(1.4, 60.0 + 0.6 * at) for at in range(16)],
        "zoomed": [move(1.4 - 0.004 * at, 60.0) for at in range(16)],
    }
    for name, frames in kinds.items():
        with VideoWriter(folder / f"{name}.mp4", width, height, Fraction(25)) as writer:
            writer.write(np.stack(frames).clip(0, 255).round().astype(np.uint8))
    return [folder / f"{name}.mp4" for name in kinds]


def measure_steadiness(model: Any, clips: list[Path], styles: list[Path]) -> Iterator[tuple[str, float]]:
    """Yield temporal_ratio and its worst: change of frames carried along the source's motion, result over source."""
    ratios = []
    for clip in clips:
        for style in styles:
            made, source = render_frames(model, VideoStyleRequest(str(clip), str(style), size=256, frames=16))
            changes = np.zeros(2)
            for at in range(1, len(made)):
                offsets = optical_flow.estimate_motion(source[at - 1], source[at])
                offsets = optical_flow.prefer_stillness(source[at - 1], source[at], offsets)  # noise does not move
                for which, frames in enumerate((made, source)):
                    carried = optical_flow.warp(frames[at - 1], offsets).astype(float)
                    changes[which] += float(np.abs(carried - frames[at]).mean())
            ratios.append(changes[0] / max(changes[1], 1e-9))
            print(f"  {clip.stem:16} {Path(style).stem:12} {ratios[-1]:.2f}", file=sys.stderr, flush=True)
    yield "temporal_ratio", statistics.median(ratios)
    yield "temporal_ratio_worst", max(ratios)


def measure_speed(model: Any, clip: Path, style: Path) -> Iterator[tuple[str, float]]:
    """Yield video_fps_256, video_fps_512 and video_fps_256_again: first time, and another strength from memory."""
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


def measure_photograph(model: Any, photograph: Path, style: Path) -> Iterator[tuple[str, float]]:
    """Yield photo_1080_s: seconds from the request to a picture of 1920 x 1080."""
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        write_picture(path, np.asarray(cv2.resize(read_picture(photograph, 512, 910), (1920, 1080)), dtype=np.uint8))
        started = time.perf_counter()
        made, _ = render_frames(model, VideoStyleRequest(str(path), str(style), size=1920))
        assert made.shape[1:3] == (1080, 1920)
        yield "photo_1080_s", time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "style")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=["speed", "photograph", "steadiness", "painting", "quality"])
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    clips = sorted(p for p in arguments.clips.iterdir() if p.suffix in {".mp4", ".webm", ".mpg", ".mov"})
    files = sort_files(arguments.pictures)
    styles = sorted(list_held_out(files["paintings"]))
    photographs = [path for path in files["scenes"] if any(name in path.stem for name in HELD_OUT_SCENES)]
    judge = StyleJudge(load_vgg(arguments.judge, "vgg16"))
    model = Registry(CATALOG).load(MODEL)
    large = max(clips, key=lambda path: probe(path).height)
    steady_styles = [find_picture(key).path for key in ("great_wave", "glass")]
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        steady = clips + make_steady_clips(photographs[0], Path(folder))
        groups = {
            "speed": measure_speed(model, large, styles[0]),
            "photograph": measure_photograph(model, photographs[0], styles[0]),
            "steadiness": measure_steadiness(model, steady, steady_styles),
            "painting": measure_painting(model, judge, photographs, styles),
            "quality": measure_quality(model, clips, styles),
        }
        for name in arguments.only or groups:
            for key, value in groups[name]:
                figures[key] = round(value, 3)
                if not arguments.json:
                    print(f"{key:30} {figures[key]}", flush=True)
    if arguments.json:
        report_figures("style", figures, arguments.json)


if __name__ == "__main__":
    main()
