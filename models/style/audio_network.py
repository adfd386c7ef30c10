"""The style network: one encoder for content and style, adaptive instance normalisation, and a decoder.

Adaptive instance normalisation gives the features of the content the mean and the standard deviation over time that
the features of the style have, channel by channel (Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with
Adaptive Instance Normalization", equation 8; for voices Chou et al. 2019, "One-shot Voice Conversion by Separating
Speaker and Content Representations with Instance Normalization"). Here it acts at three levels: on the log-mel bands
themselves, and on two levels of learned features, which the decoder joins. All three are read off the content alone,
so that one pass over a clip of any length gives every statistic, and the strength interpolates between two sets of
statistics without a second look at the clip.

Letters: B batch, T frames, M mel bands, C channels. A frame is `MelConfig.hop_length` samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig, mel_filterbank

MEL_MEAN, MEL_STD = -5.0, 2.0
EPSILON = 1e-3
"""Added to the content's deviation before dividing by it, in the normalised units of the features."""


@dataclass(frozen=True)
class AudioStyleConfig:
    """Sizes of the style network; each convolution sees `past` frames back and `ahead` frames forward."""

    mel: MelConfig = field(default_factory=MelConfig)
    channels: int = 192
    hidden: int = 512
    blocks: int = 2
    past: int = 4
    ahead: int = 1
    smoothing_hz: float = 90.0

    @classmethod
    def debug(cls) -> AudioStyleConfig:
        """Return a tiny network for tests."""
        return cls(channels=8, hidden=12, blocks=1, past=2, ahead=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AudioStyleConfig:
        """Build from what `to_dict` returned."""
        return cls(**{**values, "mel": MelConfig(**values["mel"])})


@dataclass(frozen=True)
class AudioStatistics:
    """Mean and standard deviation over time of each channel, one pair for each level: (M,), (C,), (C,)."""

    means: tuple[Tensor, ...]
    stds: tuple[Tensor, ...]

    def interpolate(self, other: AudioStatistics, strength: float) -> AudioStatistics:
        """Go part of the way to `other`: 0 returns these statistics themselves, 1 the others."""
        return AudioStatistics(
            tuple(torch.lerp(a, b, strength) for a, b in zip(self.means, other.means, strict=True)),
            tuple(torch.lerp(a, b, strength) for a, b in zip(self.stds, other.stds, strict=True)),
        )


def apply_adain(content: Tensor, own: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    """Apply adaptive instance normalisation: sigma_wanted * (content - mu_own) / sigma_own + mu_wanted.

    Args:
        content: (..., T, C).
        own: mean and standard deviation of the content, (..., 1, C) or (C,).
        wanted: mean and standard deviation to be given, (..., 1, C) or (C,).
    """
    return (content - own[0]) * ((wanted[1] + EPSILON) / (own[1] + EPSILON)) + wanted[0]


class LocalConvNeXtBlock(nn.Module):
    """A ConvNeXt block (Liu et al. 2022) over time that looks `past` frames back and only `ahead` frames forward."""

    def __init__(self, channels: int, hidden: int, past: int, ahead: int, scale: float) -> None:
        super().__init__()
        self.reach = (past, ahead)
        self.depthwise = nn.Conv1d(channels, channels, past + 1 + ahead, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, hidden)
        self.narrow = nn.Linear(hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, C) to (B, T, C)."""
        y = self.depthwise(F.pad(x.transpose(1, 2), self.reach)).transpose(1, 2)
        return x + self.scale * self.narrow(F.gelu(self.widen(self.norm(y))))


class LocalStack(nn.Module):
    """Blocks in a row, with a convolution before them where the width changes."""

    def __init__(self, channels_in: int, channels: int, hidden: int, blocks: int, past: int, ahead: int) -> None:
        super().__init__()
        self.reach = (past, ahead)
        convolution = nn.Conv1d(channels_in, channels, past + 1 + ahead) if channels_in != channels else None
        self.input = convolution
        self.blocks = nn.ModuleList(
            LocalConvNeXtBlock(channels, hidden, past, ahead, 1.0 / blocks) for _ in range(blocks)
        )
        layers = blocks + (convolution is not None)
        self.past_frames, self.ahead_frames = layers * past, layers * ahead

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, channels_in) to (B, T, channels)."""
        if self.input is not None:
            x = self.input(F.pad(x.transpose(1, 2), self.reach)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return x


class AudioStyleNetwork(nn.Module):
    """Encoder, adaptive instance normalisation at three levels, decoder.

    `encode` is the content encoder and, followed by statistics over time, the style encoder. `decode` gives mel frames.
    """

    smoother: Tensor

    def __init__(self, config: AudioStyleConfig) -> None:
        super().__init__()
        self.config = config
        c, h, n, past, ahead = config.channels, config.hidden, config.blocks, config.past, config.ahead
        bands = config.mel.n_mels
        self.encoder_1 = LocalStack(bands, c, h, n, past, ahead)
        self.encoder_2 = LocalStack(c, c, h, n, past, ahead)
        self.decoder_2 = LocalStack(c, c, h, n, past, ahead)
        self.join = nn.Linear(c, c)
        self.decoder_1 = LocalStack(c, c, h, n, past, ahead)
        self.norm = nn.LayerNorm(c)
        self.output = nn.Linear(c, bands)
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("smoother", build_band_smoother(config.mel, config.smoothing_hz), persistent=False)
        self.encoder_past = self.encoder_1.past_frames + self.encoder_2.past_frames
        self.encoder_ahead = self.encoder_1.ahead_frames + self.encoder_2.ahead_frames
        self.decoder_past = self.decoder_2.past_frames + self.decoder_1.past_frames
        self.decoder_ahead = self.decoder_2.ahead_frames + self.decoder_1.ahead_frames

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each level."""
        return (self.config.mel.n_mels, self.config.channels, self.config.channels)

    def encode(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode log mel (B, T, M) to features of the three levels: (B, T, M), (B, T, C), (B, T, C)."""
        level_0 = (mel - MEL_MEAN) / MEL_STD
        level_1 = self.encoder_1(level_0)
        return level_0, level_1, self.encoder_2(level_1)

    def decode(self, features: Sequence[Tensor], own: AudioStatistics, wanted: AudioStatistics) -> Tensor:
        """Decode the content's features, led from its own statistics to the wanted ones, to log mel (B, T, M)."""
        moved = [
            apply_adain(f, (own.means[i], own.stds[i]), (wanted.means[i], wanted.stds[i]))
            for i, f in enumerate(features)
        ]
        hidden = self.decoder_1(self.decoder_2(moved[2]) + self.join(moved[1]))
        return (moved[0] + self.output(self.norm(hidden))) * MEL_STD + MEL_MEAN

    def compute_change(
        self, features: Sequence[Tensor], own: AudioStatistics, wanted: AudioStatistics, keep_harmonics: bool = True
    ) -> Tensor:
        """Compute how the log mel is to change, (B, T, M); exactly 0 where `wanted` is `own`.

        What the decoder leaves undone at strength 0 is taken off. With `keep_harmonics` only the bands' mean levels
        change band by band, and what changes over time is smooth over the bands: no harmonic of a voice is moved, those
        belong to the pitch, which `models.style.pitch` moves. Without, all that has a pitch takes on a style of none.
        """
        change = self.decode(features, own, wanted) - self.decode(features, own, own)
        if not keep_harmonics:
            return change
        level = (wanted.means[0] - own.means[0]) * MEL_STD
        return (change - level) @ self.smoother + level


def build_band_smoother(config: MelConfig, width_hz: float) -> Tensor:
    """Build the matrix (M, M) that averages neighbouring bands with a Gaussian of this width; columns sum to 1."""
    bank = mel_filterbank(config)  # (F, M)
    bin_hz = config.sample_rate / config.n_fft
    centres = (bank * torch.arange(bank.shape[0])[:, None]).sum(dim=0) / bank.sum(dim=0) * bin_hz
    spacing = torch.gradient(centres)[0]
    width = torch.clamp(torch.full_like(centres, width_hz), min=0.5 * spacing)  # at least half a band
    weights = torch.exp(-0.5 * ((centres[:, None] - centres[None, :]) / width[None, :]) ** 2)
    return weights / weights.sum(dim=0, keepdim=True)
