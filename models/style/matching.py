"""Which frames of two voices say the same: keys by which the sounds of one voice are found in another.

Statistics over all of a sound cannot tell how a voice forms its "ee" and how its "sh". Here every frame of the content
has a key. The frames of style and content with the nearest keys tell what either voice does with such a sound; the
difference of their means is what has to change. This is attention in the place of global statistics, as in AdaAttN (Liu
et al. 2021, "AdaAttN: Revisit Attention Mechanism in Arbitrary Neural Style Transfer", section 3.3), and the search is
that of kNN-VC (Baas et al. 2023, "Voice Conversion With Just Nearest Neighbors"), but over keys of a network that was
trained for it on a few voices, and with the content's own detail kept.

Letters: B batch, T frames, P frames to choose from, M mel bands, K width of a key, Q coefficients of an envelope.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig
from models.style.audio_network import LocalStack, build_band_smoother

NEAREST = 16
"""Fewer frames sound more like the style, more keep the words better."""
LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class MatchingConfig:
    """Sizes of the network; each convolution sees `reach` frames to either side."""

    mel: MelConfig = field(default_factory=MelConfig)
    channels: int = 160
    hidden: int = 320
    blocks: int = 2
    reach: int = 4
    width: int = 48
    smoothing_hz: float = 90.0

    @classmethod
    def debug(cls) -> MatchingConfig:
        """Return a tiny network for tests."""
        return cls(channels=8, hidden=12, blocks=1, reach=1, width=6)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MatchingConfig:
        """Build from what `to_dict` returned."""
        return cls(**{**values, "mel": MelConfig(**values["mel"])})


class MatchingNetwork(nn.Module):
    """From mel bands without their mean and deviation (instance normalisation), and without harmonics, to keys."""

    smoother: Tensor

    def __init__(self, config: MatchingConfig) -> None:
        super().__init__()
        self.config = config
        c, reach = config.channels, config.reach
        self.stack = LocalStack(config.mel.n_mels, c, config.hidden, config.blocks, reach, reach)
        self.norm = nn.LayerNorm(c)
        self.output = nn.Linear(c, config.width)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(10.0)))
        self.register_buffer("smoother", build_band_smoother(config.mel, config.smoothing_hz), persistent=False)
        self.reach_frames = self.stack.past_frames

    def forward(self, bands: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        """Compute keys of length 1.

        Args:
            bands: normalised log mel (B, T, M), the first level of `AudioStyleNetwork.encode`.
            mean, deviation: of each band over the sound's frames that are no silence, (M,) or (B, 1, M).

        Returns:
            (B, T, K).
        """
        plain = (bands - mean) / (deviation + LEAST_DEVIATION) @ self.smoother
        return F.normalize(self.output(self.norm(self.stack(plain))), dim=-1)

    def attend(self, keys: Tensor, others: Tensor, values: Tensor, heard: Tensor) -> Tensor:
        """Choose softly, to train by.

        Args:
            keys, others: (B, T, K) and (B, P, K).
            values, heard: (B, P, M), and (B, P, 1) with 0 for frames that are not to be chosen.

        Returns:
            (B, T, M).
        """
        nearness = keys @ others.transpose(1, 2) * self.log_sharpness.exp()
        return (nearness + 1e4 * (heard.transpose(1, 2) - 1)).softmax(dim=-1) @ values


def average_nearest(keys: Tensor, others: Tensor, values: Tensor, count: int = NEAREST) -> Tensor:
    """Return for each key (T, K) the mean of the values (P, Q) of the `count` nearest others (P, K): (T, Q)."""
    found = (keys @ others.T).topk(min(count, len(others)), dim=1).indices
    return values[found].mean(dim=1)
