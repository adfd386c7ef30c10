"""Style transfer for clips and pictures: the generator behind the Video half of the Style Transfer tab.

Frames are painted on a canvas of bounded size (`models.style.canvas`). Each is sketched and goes through the encoder
once for a style; its features and the motion to it are remembered, so that another strength is decoded only. Frames
follow one another: the statistics of the content are smoothed over time; the last frame, its sketch and its result are
carried along the optical flow into the next ones (`models.style.optical_flow`), which rids the content of its noise
before that is painted, lets the search find the patches that it found before, and keeps the result steady.

Letters: N frames of a chunk, H and W height and width in pixels, C channels.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.contracts import ModelInfo
from models.hub.spec import ModelSpec
from models.media.clip_info import ClipInfo, probe
from models.media.clip_reader import read_frames, read_picture
from models.style import optical_flow
from models.style.canvas import choose_canvas, enlarge_change, resize_pixels
from models.style.frame_memory import FrameMemory, RememberedFrame
from models.style.luminance import compute_luminance
from models.style.people import find_people
from models.style.picture_network import (
    SIZE_MULTIPLE,
    PictureStatistics,
    PictureStyle,
    PictureStyleConfig,
    PictureStyleNetwork,
    recolour,
)
from models.style.style_swap import blend_dictionaries
from models.style.video_contracts import StyledPart, StyleMove, VideoStyleChunk, VideoStyleRequest
from models.weights_io import load_network

__all__ = ["StyleMove", "VideoStyle", "VideoStyleChunk", "VideoStyleRequest", "load_bundled"]

CHUNK_FRAMES = 8
PREVIEW_SIZE = 384  # longer side of the first look at a larger result
STYLE_SHORTER = 192  # of the style picture in front of the encoder: what the strokes' size is measured by
LEAST_SIDE = 32  # smaller pictures are continued at their edges
SEARCH_CARRY = 0.5  # share of the carried sketch in what the patches are searched for
SETTLE_ROUNDS = 3  # of the search in a first frame, so that those after it find what it found
SETTLING = 0.2  # how fast the smoothed statistics follow those of a new frame
MASK_CARRY = 0.6  # share of the last frame's people in those of the next
REMEMBERED_BYTES = 400 * 2**20
REMEMBERED_STYLES = 12
NOBODY = "Nobody was found in the picture, so that all of it counts as background."

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


class VideoStyle:
    """A painter of clips and pictures in the style of one picture or of several.

    Args:
        network: the trained network, in evaluation mode.
        remembered_bytes: how much the features of clips may take.
    """

    def __init__(self, network: PictureStyleNetwork, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self.network = network.eval()
        self.encoded_frames = 0  # how often the encoder has seen a frame of a content
        self._memory = FrameMemory(remembered_bytes)
        self._styles: LRUCache[Any, PictureStyle] = LRUCache(REMEMBERED_STYLES)
        self._lock = threading.Lock()  # one request at a time: the memory is shared

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model's card."""
        return ModelInfo(parameters=sum(weight.numel() for weight in self.network.parameters()))

    def stream(self, request: VideoStyleRequest) -> Iterator[VideoStyleChunk]:
        """Yield the styled frames in order, `CHUNK_FRAMES` at a time; a picture is one frame.

        Of a large result a small first frame comes before, as a preview.

        Raises:
            ModelError, MediaError: a file is missing, damaged, too large, or of a kind that cannot be read.
        """
        info = probe(request.path)
        size = info.fitted(request.size)
        first = min(request.first_frame, info.frames - 1)
        count = info.frames - first if request.frames == 0 else min(request.frames, info.frames - first)
        style = self._extract_styles(request)
        notes = tuple(_write_notes(info, *size))
        with self._lock:
            if max(size) > PREVIEW_SIZE:
                small = info.fitted(PREVIEW_SIZE)
                with closing(_StyleRun(self, request, info, small, style)) as run:
                    for source, result in run.render_frames(first, 1):
                        yield _make_chunk([result], [source], run, first + 1, count, (), first, is_preview=True)
            with closing(_StyleRun(self, request, info, size, style)) as run:
                yield from self._render_chunks(run, first, count, notes)

    def _render_chunks(
        self, run: _StyleRun, first: int, count: int, notes: tuple[str, ...]
    ) -> Iterator[VideoStyleChunk]:
        made: list[Pixels] = []
        seen: list[Pixels] = []
        done = 0
        for source, result in run.render_frames(first, count):
            made.append(result)
            seen.append(source)
            if len(made) == CHUNK_FRAMES:
                done += len(made)
                yield _make_chunk(made, seen, run, first + done, count, notes, first, done == count)
                made, seen = [], []
        if made or done < count:  # the file broke off early, or the last chunk is a short one
            done += len(made)
            short = () if done == count else (f"The clip breaks off after {first + done:,} frames.",)
            yield _make_chunk(made, seen, run, first + done, max(done, 1), notes + short, first, True)

    def _extract_styles(self, request: VideoStyleRequest) -> PictureStyle:
        """Blend the styles of the request's pictures."""
        others = [(path, weight) for path, weight in request.others if weight > 0]
        style, total = self._extract_style(request.style), 1.0
        for path, weight in others:
            total += weight
            style = blend_styles(style, self._extract_style(path), weight / total)
        return style

    def _extract_style(self, path: str) -> PictureStyle:
        """Extract the style of a picture, or find it where it is remembered from an earlier request."""
        key = identify_file(path)
        found = self._styles.get(key)
        if found is None:
            pixels = _to_tensor(read_picture(path, STYLE_SHORTER, 2 * STYLE_SHORTER))
            with torch.inference_mode():
                found = self.network.extract_style(_pad(pixels))
            self._styles[key] = found
        return found


class _StyleRun:
    """One request while it runs: the clip being read, and what goes from frame to frame."""

    def __init__(
        self,
        model: VideoStyle,
        request: VideoStyleRequest,
        info: ClipInfo,
        size: tuple[int, int],
        style: PictureStyle,
    ) -> None:
        self.model, self.request, self.info, self.size, self.style = model, request, info, size, style
        self.canvas = choose_canvas(size, request.brush)
        self.clip = (
            identify_file(request.path),
            self.canvas,
            size,
            *((identify_file(path), weight) for path, weight in ((request.style, 1.0), *request.others)),
            request.steadiness,
            request.first_frame,
        )
        self.reader = read_frames(request.path, info, *size)
        self.previous: Pixels | None = None  # of the source
        self.before: RememberedFrame | None = None
        self.last: FloatArray | None = None  # result
        self.people: FloatArray | None = None  # where they were in the last frame
        self.seen: Tensor | None = None  # the source of that
        self.steady: FloatArray | None = None  # the source without its noise, as the network saw it
        self.notes: tuple[str, ...] = ()

    def close(self) -> None:
        """End the reading."""
        self.reader.close()  # type: ignore[attr-defined]

    def render_frames(self, first: int, count: int) -> Iterator[tuple[Pixels, Pixels]]:
        """Yield source and result of each frame, uint8 (H, W, 3)."""
        for number, source in enumerate(self.reader):
            if number < first:
                continue
            yield source, self._render(number, source)
            if number == first + count - 1:
                return

    @torch.inference_mode()
    def _render(self, number: int, source: Pixels) -> Pixels:
        canvas = resize_pixels(source, self.canvas)
        frame = self.model._memory.find(self.clip, number)
        if frame is None:
            frame = self._look(canvas)
            self.model._memory.keep(self.clip, number, frame)
        self.before, self.previous = frame, canvas
        pixels = _to_tensor(canvas)
        painted = self._paint(frame, pixels)
        if self.request.keep_colours:
            painted = (pixels + compute_luminance(painted) - compute_luminance(pixels)).clamp(0, 1)
        made = np.ascontiguousarray(painted[0].permute(1, 2, 0).numpy())
        if frame.offsets is not None and frame.certain is not None and self.last is not None:
            certain = frame.certain.astype(np.float32)[:, :, None] / 255.0
            carry = self.request.steadiness * min(1.0, 5.0 * self.request.strength)  # nothing painted, nothing to carry
            made = optical_flow.blend(made, self.last, frame.offsets.astype(np.float32), certain, carry)
        self.last, self.seen = made, pixels
        if self.request.part is not StyledPart.ALL:
            original = canvas.astype(np.float32) / 255.0
            made = np.asarray(original + self._find_part(frame, canvas) * (made - original), dtype=np.float32)
        return enlarge_change(made, canvas, source, self.request.strength)

    def _paint(self, frame: RememberedFrame, pixels: Tensor) -> Tensor:
        """Paint a canvas (1, 3, H, W) from its sketch and features."""
        features = [level.float() for level in frame.features]
        painted = self.model.network.paint(
            _pad(pixels), frame.sketch.float(), features, self.style, self.request.strength
        )
        return painted[:, :, : pixels.shape[2], : pixels.shape[3]].clamp(0, 1)

    def _find_part(self, frame: RememberedFrame, source: Pixels) -> FloatArray:
        """Tell how much each pixel is painted, (H, W, 1)."""
        people = find_people(source)
        if not people.any() and not self.notes:
            self.notes = (NOBODY,)
        if self.people is not None and frame.offsets is not None and frame.certain is not None:
            carried = optical_flow.warp(self.people, frame.offsets.astype(np.float32)).reshape(people.shape)
            certain = frame.certain.astype(np.float32)[:, :, None] / 255.0
            people = np.asarray(people + MASK_CARRY * certain * (carried - people), dtype=np.float32)
        self.people = people
        return people if self.request.part is StyledPart.PERSON else 1.0 - people

    def _look(self, source: Pixels) -> RememberedFrame:
        """Compute motion, sketch and features of a canvas that is new."""
        network, before, offsets, certain = self.model.network, self.before, None, None
        steady = source.astype(np.float32) / 255.0
        self.model.encoded_frames += 1
        if self.previous is not None and self.request.steadiness > 0:
            moved = optical_flow.estimate_motion(self.previous, source)
            moved = optical_flow.prefer_stillness(self.previous, source, moved)
            trust = optical_flow.estimate_trust(self.previous, source, moved)
            if float(trust.mean()) < optical_flow.CUT_TRUST:  # another scene begins
                before, self.steady = None, None
            else:
                offsets, certain = moved.astype(np.float16), np.round(255 * trust[:, :, 0]).astype(np.uint8)
                if self.steady is not None:
                    steady = optical_flow.blend(steady, self.steady, moved, trust, self.request.steadiness)
        self.steady = steady
        padded = _pad(torch.from_numpy(np.ascontiguousarray(steady)).permute(2, 0, 1)[None])
        own = network.measure_band_colours(padded)
        if before is not None and self.request.steadiness > 0:
            own = before.own.interpolate(own, SETTLING)
        base = recolour(padded, own, self.style.statistics)
        if before is not None and offsets is not None and certain is not None:
            base = _restore_sketch(base, before.sketch, offsets, certain)
        sketch = network.sketch(base, self.style)
        if before is None and self.request.steadiness > 0 and not self.info.is_picture:
            for _ in range(SETTLE_ROUNDS):
                sketch = network.sketch(torch.lerp(base, sketch, SEARCH_CARRY), self.style)
        features = tuple(level.half() for level in network.encoder(sketch))
        return RememberedFrame(sketch.half(), features, own, offsets, certain)

    @torch.inference_mode()
    def measure_move(self) -> StyleMove | None:
        """Measure on the last frame what was moved from where to where."""
        if self.last is None or self.seen is None:
            return None
        network = self.model.network
        result = torch.from_numpy(self.last).permute(2, 0, 1)[None]
        ends = (
            network.measure_statistics(_pad(self.seen)),
            self.style.statistics,
            network.measure_statistics(_pad(result)),
        )
        return StyleMove(*map(_flatten_statistics, ends))


def _restore_sketch(base: Tensor, sketch: Tensor, offsets: NDArray[np.float16], certain: NDArray[np.uint8]) -> Tensor:
    """Put the last sketch into the recoloured frame, so that the search finds the patches that it found before."""
    height, width = certain.shape
    last = np.ascontiguousarray(sketch[0, :, :height, :width].float().permute(1, 2, 0).numpy())
    moved = torch.from_numpy(optical_flow.warp(last, offsets.astype(np.float32))).permute(2, 0, 1)[None]
    share = SEARCH_CARRY * torch.from_numpy(certain.astype(np.float32) / 255.0)[None, None]
    mixed = base[:, :, :height, :width] + share * (moved - base[:, :, :height, :width])
    return F.pad(mixed, (0, base.shape[3] - width, 0, base.shape[2] - height), mode="replicate")


def blend_styles(first: PictureStyle, second: PictureStyle, share: float) -> PictureStyle:
    """Mix two styles: the share of the second in the statistics, and in the patches."""
    pages = tuple(
        (blend_dictionaries(ours[0], theirs[0], share), blend_dictionaries(ours[1], theirs[1], share))
        for ours, theirs in zip(first.pages, second.pages, strict=True)
    )
    return PictureStyle(first.statistics.interpolate(second.statistics, share), pages)


def identify_file(path: str) -> tuple[str, int, int]:
    """Return what tells a file from another version of it."""
    file = Path(path)
    if not file.is_file():
        return path, 0, 0
    return path, file.stat().st_mtime_ns, file.stat().st_size


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> VideoStyle:
    """Load the network that ships with the studio.

    Raises:
        ModelError: the weight file is damaged or belongs to another version.
    """
    path = next(iter(files.values()))
    return VideoStyle(
        load_network(path, lambda values: PictureStyleNetwork(PictureStyleConfig.from_dict(values)), "the network")
    )


def _make_chunk(
    made: list[Pixels],
    seen: list[Pixels],
    run: _StyleRun,
    end: int,
    total: int,
    notes: tuple[str, ...],
    first: int,
    last: bool = False,
    is_preview: bool = False,
) -> VideoStyleChunk:
    return VideoStyleChunk(
        frames=np.stack(made) if made else np.zeros((0, 1, 1, 3), np.uint8),
        source=np.stack(seen) if seen else np.zeros((0, 1, 1, 3), np.uint8),
        rate=run.info.rate,
        number=end - len(made),
        move=None if is_preview else run.measure_move(),
        is_picture=run.info.is_picture,
        notes=notes + run.notes,
        done=0 if is_preview else end - first,
        total=total,
        last=last,
        is_preview=is_preview,
    )


def _write_notes(info: ClipInfo, width: int, height: int) -> Iterator[str]:
    if max(width, height) < max(info.width, info.height):
        yield f"Made at {width} x {height} pixels; the original has {info.width:,} x {info.height:,}."


def _to_tensor(pixels: Pixels) -> Tensor:
    """Convert uint8 (H, W, 3) to float32 (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255.0


def _pad(pixels: Tensor) -> Tensor:
    """Continue a picture to the right and below by its last pixels, to what the network takes."""
    height, width = pixels.shape[2:]
    wanted = [max(LEAST_SIDE, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE) for side in (height, width)]
    return F.pad(pixels, (0, wanted[1] - width, 0, wanted[0] - height), mode="replicate")


def _flatten_statistics(statistics: PictureStatistics) -> dict[str, FloatArray]:
    """Flatten the statistics by name for the plot: colours, and means and spreads of every encoder level."""
    colours = torch.cat([statistics.colour_mean[0], statistics.colour_covariance[0].diagonal().clamp_min(0).sqrt()])
    levels = {
        f"level {at}": torch.cat([mean[0], std[0]])
        for at, (mean, std) in enumerate(zip(statistics.means, statistics.stds, strict=True), 1)
    }
    return {name: values.numpy().astype(np.float32) for name, values in {"colours": colours, **levels}.items()}
