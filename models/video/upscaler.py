"""A learned upscaler: four times as many rows and columns, frame by frame.

After Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
Neural Network": all convolutions work at the small size, and the last one makes 4 x 4 sub-pixels of each colour, which
`pixel_shuffle` lays out. What is learned is added to a bicubic enlargement, so that an untrained network is bicubic.

It is trained (`training.video.upscaler`) on the same world as the video model and on its faults: blur, noise, steps
at the borders of patches. Pixel art stays pixel art: its target has hard squares.

Letters: F frames, R x S pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.video.detail import DetailConfig, DetailNetwork
from models.video.shapes import resize_frames
from models.weights_io import load_network

UPSCALER_WEIGHTS = "video_upscaler.safetensors"
LIGHT_WEIGHTS = "video_upscaler_light.safetensors"  # of a network that keeps up with a live stream
SCALE = 4
BATCH_PIXELS = 8 * 64 * 64  # of the small frames, at once: keeps the memory small
LEAST_SIDE = 4
SOFTEN_SIGMA = 0.75  # pixels of the model: the borders of its patches are not to be enlarged


def soften(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the finest detail from uint8 (F, R, S, 3): in a small model's frames it is the grid of its patches."""
    import cv2

    return np.stack([cv2.GaussianBlur(frame, (0, 0), SOFTEN_SIGMA) for frame in frames])


def upscale_bicubic(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge uint8 (F, R, S, 3) to uint8 (F, SCALE * R, SCALE * S, 3) without a network."""
    import cv2

    return resize_frames(frames, SCALE * frames.shape[1], SCALE * frames.shape[2], cv2.INTER_CUBIC)


@dataclass(frozen=True)
class UpscalerConfig:
    """Sizes of the network.

    Attributes:
        width, depth: channels, and how many residual convolutions lie between the first and the last.
        softens: whether frames are to be softened first; a network that was trained on the model's faults mends them.
    """

    width: int = 32
    depth: int = 4
    softens: bool = True

    @classmethod
    def debug(cls) -> UpscalerConfig:
        """Return the sizes of a tiny network for tests."""
        return cls(width=8, depth=1)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> UpscalerConfig:
        """Undo to_dict; TypeError names an unknown field."""
        return cls(**values)  # type: ignore[arg-type]


class UpscalerNetwork(nn.Module):
    """Convolutions at the small size, then sub-pixels."""

    def __init__(self, config: UpscalerConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv2d(3, config.width, 5, padding=2)
        self.middle = nn.ModuleList(nn.Conv2d(config.width, config.width, 3, padding=1) for _ in range(config.depth))
        self.leave = nn.Conv2d(config.width, 3 * SCALE**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, small: Tensor) -> Tensor:
        """Map small (F, 3, R, S) in [0, 1] to (F, 3, 4 R, 4 S), not clipped."""
        h = F.relu(self.enter(small - 0.5))
        for layer in self.middle:
            h = h + F.relu(layer(h))
        return enlarge_bicubic(small) + F.pixel_shuffle(self.leave(h), SCALE)


def enlarge_bicubic(small: Tensor) -> Tensor:
    """Enlarge (F, 3, R, S) to (F, 3, 4 R, 4 S), the baseline."""
    return F.interpolate(small, scale_factor=float(SCALE), mode="bicubic", align_corners=False)


def check_frames(frames: NDArray[np.uint8]) -> None:
    """Raise ValueError unless these are frames uint8 (F, R, S, 3) with sides of at least LEAST_SIDE pixels."""
    if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        kind = f"{frames.dtype} {frames.shape}" if isinstance(frames, np.ndarray) else type(frames).__name__
        raise ValueError(f"frames are {kind}; they must be uint8 of frames, rows, columns and 3 colours.")
    if len(frames) and min(frames.shape[1:3]) < LEAST_SIDE:
        raise ValueError(f"frames are {frames.shape[2]} x {frames.shape[1]}; each side needs {LEAST_SIDE} pixels.")


class Upscaler:
    """An upscaler of frames, each for itself, so that any portions of a clip give the same result."""

    def __init__(self, network: UpscalerNetwork | DetailNetwork) -> None:
        self.softens = isinstance(network, UpscalerNetwork) and network.config.softens
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def upscale(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Enlarge uint8 (F, R, S, 3) to uint8 (F, 4 R, 4 S, 3).

        Raises:
            ValueError: these are no frames.
        """
        check_frames(frames)
        count, rows, columns = frames.shape[:3]
        made = np.empty((count, SCALE * rows, SCALE * columns, 3), np.uint8)
        step = max(1, BATCH_PIXELS // max(rows * columns, 1))
        for at in range(0, count, step):
            small = torch.from_numpy(np.ascontiguousarray(frames[at : at + step])).permute(0, 3, 1, 2)
            with torch.inference_mode():
                large = self.network(small.float() / 255).mul_(255).round_().clamp_(0, 255)
            made[at : at + step] = large.byte().permute(0, 2, 3, 1).numpy()
        return made

    def enlarge(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Enlarge frames that the video model drew, softened first where the network needs it."""
        check_frames(frames)
        return self.upscale(soften(frames) if self.softens else frames)


def load_upscaler(path: Path) -> Upscaler:
    """Load a shipped network, of either kind.

    Raises:
        ModelError: the file is missing, damaged or of another version.
    """
    return Upscaler(load_network(path, build_network, "the upscaler"))


def build_network(values: Mapping[str, object]) -> UpscalerNetwork | DetailNetwork:
    """Build the network that plain values describe; TypeError names an unknown field."""
    if "fine" in values:
        return DetailNetwork(DetailConfig.from_dict(values))
    return UpscalerNetwork(UpscalerConfig.from_dict(values))
