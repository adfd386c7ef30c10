"""Neural style transfer by optimisation (Gatys, Ecker and Bethge 2016) on a VGG of the Hub.

The pixels themselves are changed until the correlations of the network's features are those of the style picture,
while the features of the content stay. A clip is painted frame by frame: each begins with the last result, moved along
the optical flow (Ruder, Dosovitskiy and Brox 2016). Slow, and the classic that all others are measured by.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.backends.device_placement import choose_placement
from models.backends.library import find_folder, get_main_hub, read_json
from models.contracts import ModelInfo
from models.hub.spec import ModelSpec
from models.media.clip_info import probe
from models.media.clip_reader import read_frames, read_picture
from models.style import optical_flow
from models.style.colours import measure_picture, move_colours
from models.style.luminance import compute_luminance
from models.style.painters import to_tensor
from models.style.people import find_people
from models.style.vgg import CONTENT_LAYER, STYLE_LAYERS, Vgg, load_vgg
from models.style.video import identify_file
from models.style.video_contracts import StyledPart, StyleMove, VideoStyleChunk, VideoStyleRequest

FIRST_ROUNDS, LATER_ROUNDS = 80, 25  # of the optimiser, for the first frame and for each after it
RATE = 0.03  # of Adam, in pixels of [0, 1]
CONTENT_WEIGHT, SMOOTH_WEIGHT = 0.25, 0.05
REPORT_EVERY = 4  # rounds
REMEMBERED_FRAMES = 240
LEAST_STYLE = 64  # pixels of a style picture's shorter side
MULTIPLE = 8

Pixels = NDArray[np.uint8]


class GatysStyle:
    """A painter of clips and pictures by optimisation.

    Args:
        network: reads pictures; its weights stay as they are.
        rounds: of the optimiser, for the first frame and for later ones.
    """

    def __init__(
        self, network: Vgg, device: str = "cpu", rounds: tuple[int, int] = (FIRST_ROUNDS, LATER_ROUNDS)
    ) -> None:
        self.network, self.device, self.rounds = network.to(device), device, rounds
        self._lock = threading.Lock()
        self._painted: LRUCache[Any, Tensor] = LRUCache(REMEMBERED_FRAMES)

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model's card."""
        return ModelInfo(sum(weight.numel() for weight in self.network.parameters()))

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.device = "cuda"
        self.network.to(self.device)

    def stream(self, request: VideoStyleRequest) -> Iterator[VideoStyleChunk]:
        """Yield a chunk for each frame, and empty ones while it is painted; done and total count rounds.

        Raises:
            ModelError, MediaError: a file is missing, damaged, too large, or of a kind that cannot be read.
        """
        info = probe(request.path)
        width, height = info.fitted(request.size)
        first = min(request.first_frame, info.frames - 1)
        count = info.frames - first if request.frames == 0 else min(request.frames, info.frames - first)
        shorter = max(LEAST_STYLE, round(request.size * request.brush))
        style = self._to_tensor(read_picture(request.style, shorter, shorter))
        others = [(path, weight) for path, weight in request.others if weight > 0]
        wanted = self._compute_grams(style)
        total_weight = 1.0
        for path, weight in others:
            total_weight += weight
            more = self._compute_grams(self._to_tensor(read_picture(path, shorter, shorter)))
            wanted = {name: torch.lerp(gram, more[name], weight / total_weight) for name, gram in wanted.items()}
        clip = (
            *map(identify_file, (request.path, request.style, *(path for path, _ in others))),
            *(weight for _, weight in others),
            *(request.size, request.steadiness, request.brush, first),
        )
        total = self.rounds[0] + self.rounds[1] * (count - 1)
        done = 0
        before: tuple[Pixels, Tensor] | None = None
        notes = ("Every frame is painted by optimisation; the strength mixes the result with the original.",)
        with self._lock:
            for number, source in enumerate(read_frames(request.path, info, width, height)):
                if number < first:
                    continue
                if number >= first + count:
                    break
                rounds = self.rounds[0] if before is None else self.rounds[1]
                key = (*clip, number)
                painted = self._painted.get(key)
                if painted is None:
                    begin = self._begin(source, style, before, request.steadiness)
                    for step, result in self._paint(self._to_tensor(source), begin, wanted, rounds):
                        painted = result
                        yield _make_waiting_chunk(info, number, done + step, total)
                assert painted is not None
                self._remember(key, painted)
                before = source, painted
                done += rounds
                made = _blend(self._to_tensor(source), painted, request, source)
                yield VideoStyleChunk(
                    frames=_to_pixels(made)[None],
                    source=np.asarray(source)[None],
                    rate=info.rate,
                    number=number,
                    move=self._measure_move(self._to_tensor(source), style, made),
                    is_picture=info.is_picture,
                    notes=notes,
                    done=done,
                    total=total,
                    last=number == first + count - 1,
                    unit="round",
                )

    def _begin(self, source: Pixels, style: Tensor, before: tuple[Pixels, Tensor] | None, steadiness: float) -> Tensor:
        """Return where the optimiser starts: the frame in the style's colours with the last result moved into it."""
        pixels = self._to_tensor(source)
        begin = move_colours(pixels, measure_picture(pixels), measure_picture(style)).clamp(0, 1)
        if before is None or steadiness <= 0:
            return begin
        offsets = optical_flow.estimate_motion(before[0], source)
        trust = optical_flow.estimate_trust(before[0], source, offsets.astype(np.float32))
        if float(trust.mean()) < optical_flow.CUT_TRUST:
            return begin
        last = np.ascontiguousarray(before[1][0].permute(1, 2, 0).cpu().numpy())
        moved = torch.from_numpy(optical_flow.warp(last, offsets.astype(np.float32))).permute(2, 0, 1)[None].to(begin)
        share = torch.from_numpy(trust[:, :, 0].astype(np.float32))[None, None].to(begin)
        return begin + share * (moved - begin)

    def _paint(
        self, content: Tensor, begin: Tensor, wanted: dict[str, Tensor], rounds: int
    ) -> Iterator[tuple[int, Tensor]]:
        """Optimise the pixels with Adam; yield (rounds done, the picture), the last one at the end."""
        with torch.no_grad():
            kept = self.network(_pad(content))[CONTENT_LAYER]
        picture = begin.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([picture], lr=RATE)
        for step in range(1, rounds + 1):
            with torch.enable_grad():
                layers = self.network(_pad(picture))
                loss = CONTENT_WEIGHT * _compare_relatively(layers[CONTENT_LAYER], kept)
                for name in STYLE_LAYERS:
                    loss = loss + _compare_relatively(compute_gram(layers[name]), wanted[name]) / len(STYLE_LAYERS)
                smooth = picture.diff(dim=2).square().mean() + picture.diff(dim=3).square().mean()
                optimiser.zero_grad()
                (loss + SMOOTH_WEIGHT * smooth).backward()
            optimiser.step()
            with torch.no_grad():
                picture.clamp_(0, 1)
            if step % REPORT_EVERY == 0 or step == rounds:
                yield step, picture.detach().clone()

    @torch.no_grad()
    def _compute_grams(self, style: Tensor) -> dict[str, Tensor]:
        return {name: compute_gram(layer) for name, layer in self.network(_pad(style)).items()}

    def _remember(self, key: Any, painted: Tensor) -> None:
        self._painted[key] = painted

    def _to_tensor(self, pixels: Pixels) -> Tensor:
        """Convert pixels as `to_tensor` does, where the network is."""
        return to_tensor(pixels).to(self.device)

    @torch.no_grad()
    def _measure_move(self, content: Tensor, style: Tensor, made: Tensor) -> StyleMove:
        return StyleMove(*(self._measure_statistics(each) for each in (content, style, made)))

    def _measure_statistics(self, pixels: Tensor) -> dict[str, NDArray[np.float32]]:
        """Measure means and spreads of the colours and of the third block, for the plot."""
        layer = self.network(_pad(pixels))["3_1"]
        pairs = {"colours": pixels, "level 3": layer}
        return {
            name: torch.cat([value.mean(dim=(0, 2, 3)), value.std(dim=(0, 2, 3))]).cpu().numpy().astype(np.float32)
            for name, value in pairs.items()
        }


def compute_gram(layer: Tensor) -> Tensor:
    """Compute correlations of the channels, (B, C, H, W) to (B, C, C), equation 3 of Gatys et al.

    2016, a mean over places.
    """
    flat = layer.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _compare_relatively(value: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared distance as a share of what is wanted, so that all layers count alike."""
    return (value - wanted).square().sum() / wanted.square().sum().clamp_min(1e-8)


def _pad(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[2:]
    wanted = [max(32, -(-side // MULTIPLE) * MULTIPLE) for side in (height, width)]
    return F.pad(pixels, (0, wanted[1] - width, 0, wanted[0] - height), mode="replicate")


def _blend(content: Tensor, painted: Tensor, request: VideoStyleRequest, source: Pixels) -> Tensor:
    """Mix what was painted into the content, by strength, in the part that is asked."""
    made = content + request.strength * (painted - content)
    if request.keep_colours:
        made = content + compute_luminance(made) - compute_luminance(content)
    if request.part is not StyledPart.ALL:
        people = torch.from_numpy(find_people(np.ascontiguousarray(source))).permute(2, 0, 1)[None].to(content)
        made = torch.lerp(content, made, people if request.part is StyledPart.PERSON else 1 - people)
    return made.clamp(0, 1)


def _to_pixels(picture: Tensor) -> Pixels:
    return np.round(picture[0].permute(1, 2, 0).cpu().numpy() * 255.0).astype(np.uint8)


def _make_waiting_chunk(info: Any, number: int, done: int, total: int) -> VideoStyleChunk:
    nothing = np.zeros((0, 1, 1, 3), np.uint8)
    return VideoStyleChunk(nothing, nothing, info.rate, number, None, info.is_picture, (), done, total, False, "round")


def load(files: Mapping[str, Path], spec: ModelSpec) -> GatysStyle:
    """Load a downloaded VGG as a painter.

    Raises:
        ModelError: the file is damaged, or holds another network.
    """
    folder = find_folder(files, get_main_hub(spec))
    architecture = str(read_json(folder / "config.json").get("architecture", ""))
    device = choose_placement().device
    return GatysStyle(load_vgg(folder / "model.safetensors", architecture), device)
