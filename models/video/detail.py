"""A learned enlargement that draws detail: the second stage of the video model's cascade.

The first stage draws 64 x 64 pixels; this network makes 256 x 256 of each frame, after Ho et al. 2022, "Cascaded
Diffusion Models for High Fidelity Image Generation", but in one pass: residual blocks at the small size, then two steps
of sub-pixels (Shi et al. 2016) with some work at each size, added to a bicubic enlargement. It is trained
(`training.video.detail`) on clips that the first stage has noised and denoised again, with a perceptual and an
adversarial loss (Ledig et al. 2017), so that it mends that stage's faults: blur, and steps at the borders of patches.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class DetailConfig:
    """Sizes of the network.

    Attributes:
        width, depth: channels and residual blocks at the small size.
        middle, fine: channels at twice and at four times that size.
    """

    width: int = 56
    depth: int = 5
    middle: int = 24
    fine: int = 12

    @classmethod
    def debug(cls) -> DetailConfig:
        """Return the sizes of a tiny network for tests."""
        return cls(width=8, depth=1, middle=6, fine=4)

    @classmethod
    def light(cls) -> DetailConfig:
        """Return the sizes of a network that keeps up with a live stream."""
        return cls(width=32, depth=2, middle=12, fine=8)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> DetailConfig:
        """Undo to_dict; TypeError names an unknown field."""
        return cls(**values)  # type: ignore[arg-type]


class ResidualBlock(nn.Module):
    """Two convolutions, their input added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (F, C, R, S) to the same shape."""
        return x + self.second(F.relu(self.first(x)))


class DetailNetwork(nn.Module):
    """Frames to frames of four times the side."""

    def __init__(self, config: DetailConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv2d(3, config.width, 5, padding=2)
        self.blocks = nn.ModuleList(ResidualBlock(config.width) for _ in range(config.depth))
        self.to_middle = nn.Conv2d(config.width, 4 * config.middle, 3, padding=1)
        self.at_middle = ResidualBlock(config.middle)
        self.to_fine = nn.Conv2d(config.middle, 4 * config.fine, 3, padding=1)
        self.leave = nn.Conv2d(config.fine, 3, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, small: Tensor) -> Tensor:
        """Map small (F, 3, R, S) in [0, 1] to (F, 3, 4 R, 4 S), not clipped."""
        h = self.enter(small - 0.5)
        for block in self.blocks:
            h = block(h)
        h = self.at_middle(F.relu(F.pixel_shuffle(self.to_middle(F.relu(h)), 2)))
        h = F.relu(F.pixel_shuffle(self.to_fine(F.relu(h)), 2))
        plain = F.interpolate(small, scale_factor=4.0, mode="bicubic", align_corners=False)
        return plain + self.leave(h)
