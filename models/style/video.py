"""Style transfer for clips and pictures: the generator behind the Video half of the Style Transfer tab.

Frames are painted on a canvas of bounded size (`models.style.canvas`) by one of two painters
(`models.style.painters`). Each is sketched once for a style; the sketch, its features and the motion to it are
remembered, so that another strength is quick. Frames follow one another: what is measured of the content is smoothed
over time; the last frame, its sketch and its result are carried along the optical flow into the next ones
(`models.style.optical_flow`), which rids the content of its noise before that is painted, lets the search find the
patches that it found before, and keeps the result steady.

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

from models.contracts import ModelInfo
from models.hub.spec import ModelSpec
from models.media.clip_info import ClipInfo, probe
from models.media.clip_reader import read_frames, read_picture
from models.style import optical_flow
from models.style.canvas import choose_canvas, enlarge_change, resize_pixels
from models.style.fades import FadeReader, lift, lower
from models.style.finishing import finish_picture, mix_painting, resize_mask
from models.style.frame_memory import FrameMemory, RememberedFrame
from models.style.luminance import compute_luminance
from models.style.painters import AdainPainter, StylePainter, SynthesisPainter, to_array, to_tensor
from models.style.people import find_people
from models.style.picture_network import PictureStyleConfig, PictureStyleNetwork
from models.style.video_contracts import StyledPart, StyleMove, VideoStyleChunk, VideoStyleRequest
from models.weights_io import load_network

__all__ = ["StyleMove", "VideoStyle", "VideoStyleChunk", "VideoStyleRequest", "load_bundled", "load_synthesis"]

CHUNK_FRAMES = 8
PREVIEW_SIZE = 384  # longer side of the first look at a larger result
MASK_CARRY = 0.6  # share of the last frame's people in those of the next
REMEMBERED_BYTES = 400 * 2**20
REMEMBERED_STYLES = 12
NOBODY = "Nobody was found in the picture, so that all of it counts as background."

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


class VideoStyle:
    """A painter of clips and pictures in the style of one picture or of several.

    Args:
        painter: what paints a frame.
        remembered_bytes: how much the features of clips may take.
    """

    def __init__(self, painter: StylePainter, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self.painter = painter
        self.sketched_frames = 0  # how often a frame of a content was sketched
        self._memory = FrameMemory(remembered_bytes)
        self._styles: LRUCache[Any, Any] = LRUCache(REMEMBERED_STYLES)
        self._lock = threading.Lock()  # one request at a time: the memory is shared

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model's card."""
        return ModelInfo(parameters=self.painter.parameters)

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

    def _extract_styles(self, request: VideoStyleRequest) -> Any:
        """Blend the styles of the request's pictures."""
        others = [(path, weight) for path, weight in request.others if weight > 0]
        style, total = self._extract_style(request.style), 1.0
        for path, weight in others:
            total += weight
            style = self.painter.blend_styles(style, self._extract_style(path), weight / total)
        return style

    def _extract_style(self, path: str) -> Any:
        """Extract the style of a picture, or find it where it is remembered from an earlier request."""
        key = identify_file(path)
        found = self._styles.get(key)
        if found is None:
            side = self.painter.style_side
            with torch.inference_mode():
                found = self.painter.extract_style(to_tensor(read_picture(path, side, 2 * side)))
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
        style: Any,
    ) -> None:
        self.model, self.request, self.info, self.size, self.style = model, request, info, size, style
        self.canvas = choose_canvas(size, request.brush)
        self.clip = (
            identify_file(request.path),
            self.canvas,
            size,
            request.brush if info.is_picture else 1.0,
            *((identify_file(path), weight) for path, weight in ((request.style, 1.0), *request.others)),
            request.steadiness,
            request.first_frame,
        )
        self.reader = read_frames(request.path, info, *size)
        begin = min(request.first_frame, info.frames - 1)
        self.fades = None if info.is_picture else FadeReader(request.path, info, begin)
        self.previous: Pixels | None = None  # of the source
        self.before: RememberedFrame | None = None
        self.last: FloatArray | None = None  # result
        self.people: FloatArray | None = None  # where they were in the last frame
        self.seen: Tensor | None = None  # the source of that
        self.steady: FloatArray | None = None  # the source without its noise, as the network saw it
        self.notes: tuple[str, ...] = ()
        self.works = model.painter.find_brushwork(style) if info.is_picture else ()

    def close(self) -> None:
        """End the reading."""
        self.reader.close()  # type: ignore[attr-defined]
        if self.fades is not None:
            self.fades.close()

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
        original = resize_pixels(source, self.canvas)
        light = 1.0 if self.fades is None else self.fades.measure_next()
        canvas = lift(original, light)
        frame = self.model._memory.find(self.clip, number)
        if frame is None:
            frame = self._look(canvas)
            if self.works:
                frame.finished = self._finish(frame, canvas, source)
            self.model._memory.keep(self.clip, number, frame)
        self.before, self.previous = frame, canvas
        pixels = to_tensor(canvas)
        if frame.finished is not None:
            return self._mix(frame, frame.finished, canvas, source)
        painted = self._paint(frame, pixels)
        if self.request.keep_colours:
            painted = (pixels + compute_luminance(painted) - compute_luminance(pixels)).clamp(0, 1)
        made = to_array(painted)
        if frame.offsets is not None and frame.certain is not None and self.last is not None:
            certain = frame.certain.astype(np.float32)[:, :, None] / 255.0
            carry = self.request.steadiness * min(1.0, 5.0 * self.request.strength)  # nothing painted, nothing to carry
            made = optical_flow.blend(made, self.last, frame.offsets.astype(np.float32), certain, carry)
        self.last, self.seen = made, pixels
        if self.request.part is not StyledPart.ALL:
            plain = canvas.astype(np.float32) / 255.0
            made = np.asarray(plain + self._find_part(frame, canvas) * (made - plain), dtype=np.float32)
        return enlarge_change(lower(made, canvas, original, light), original, source, self.request.strength)

    def _finish(self, frame: RememberedFrame, canvas: Pixels, source: Pixels) -> Pixels:
        """Go over a painted picture at its own size."""
        base = self.model.painter.recolour(to_tensor(canvas), frame.own, self.style)
        made, plain = (to_array(each.clamp(0, 1)) for each in (frame.sketch.float(), base))
        return finish_picture(made, plain, canvas, source, self.works, self.request.brush)

    def _mix(self, frame: RememberedFrame, finished: Pixels, canvas: Pixels, source: Pixels) -> Pixels:
        """Mix a picture with the painting of it, as far as the request wants it painted."""
        share: FloatArray | float = self.request.strength
        if self.request.part is not StyledPart.ALL:
            share = share * resize_mask(self._find_part(frame, canvas), self.size)
        made = mix_painting(source, finished, share, self.request.keep_colours)
        self.last, self.seen = resize_pixels(made, self.canvas).astype(np.float32) / 255.0, to_tensor(canvas)
        return made

    def _paint(self, frame: RememberedFrame, pixels: Tensor) -> Tensor:
        """Paint a canvas (1, 3, H, W) from its sketch and features."""
        painter = self.model.painter
        painted = painter.paint(pixels, frame.sketch.float(), frame.features, self.style, self.request.strength)
        return painted.clamp(0, 1)

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
        painter, before, offsets, certain = self.model.painter, self.before, None, None
        steady = source.astype(np.float32) / 255.0
        self.model.sketched_frames += 1
        if self.previous is not None and self.request.steadiness > 0:
            moved, trust = optical_flow.find_motion(self.previous, source)
            if float(trust.mean()) < optical_flow.CUT_TRUST:  # another scene begins
                before, self.steady = None, None
            else:
                offsets, certain = moved.astype(np.float16), np.round(255 * trust[:, :, 0]).astype(np.uint8)
                if self.steady is not None:
                    steady = optical_flow.blend(steady, self.steady, moved, trust, self.request.steadiness)
        self.steady = steady
        pixels = torch.from_numpy(np.ascontiguousarray(steady)).permute(2, 0, 1)[None]
        own = painter.measure_content(pixels)
        if before is not None and self.request.steadiness > 0:
            own = before.own.interpolate(own, painter.settling)
        base = painter.recolour(pixels, own, self.style)
        if before is not None and offsets is not None and certain is not None and painter.search_carry > 0:
            base = _restore_sketch(base, before.sketch, offsets, certain, painter.search_carry)
        is_picture = self.info.is_picture
        sketch = painter.sketch(base, self.style, is_picture)
        if before is None and self.request.steadiness > 0 and not is_picture:
            for _ in range(painter.settle_rounds):
                sketch = painter.sketch(torch.lerp(base, sketch, painter.search_carry), self.style, is_picture)
        return RememberedFrame(sketch.half(), painter.encode(sketch), own, offsets, certain)

    @torch.inference_mode()
    def measure_move(self) -> StyleMove | None:
        """Measure on the last frame what was moved from where to where."""
        if self.last is None or self.seen is None:
            return None
        painter = self.model.painter
        result = torch.from_numpy(self.last).permute(2, 0, 1)[None]
        before, after = (painter.describe(pixels, self.style) for pixels in (self.seen, result))
        wanted = painter.describe_style(self.style)
        names = [name for name in wanted if name in before and name in after]
        return StyleMove(*({name: each[name] for name in names} for each in (before, wanted, after)))


def _restore_sketch(
    base: Tensor, sketch: Tensor, offsets: NDArray[np.float16], certain: NDArray[np.uint8], carry: float
) -> Tensor:
    """Put the last sketch into the recoloured frame, so that the search finds the patches that it found before."""
    moved = torch.from_numpy(optical_flow.warp(to_array(sketch), offsets.astype(np.float32))).permute(2, 0, 1)[None]
    return base + carry * torch.from_numpy(certain.astype(np.float32) / 255.0)[None, None] * (moved - base)


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
    network = load_network(
        path, lambda values: PictureStyleNetwork(PictureStyleConfig.from_dict(values)), "the network"
    )
    return VideoStyle(AdainPainter(network))


def load_synthesis(files: Mapping[str, Path], spec: ModelSpec) -> VideoStyle:
    """Make the painter that needs no weights."""
    return VideoStyle(SynthesisPainter())


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
