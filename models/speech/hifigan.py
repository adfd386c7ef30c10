"""HiFi-GAN's generator, for public checkpoints.

After Kong et al. 2020, "HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech Synthesis"
(section 2.2 and appendix A.1). Letters: B batch, T mel frames, M mel bands, N samples, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAKY_SLOPE = 0.1
LAST_LEAKY_SLOPE = 0.01
"""The published code's last activation uses torch's default slope; checkpoints are trained with it."""


@dataclass(frozen=True)
class HifiGanConfig:
    """Sizes; the defaults are those of the paper's V1."""

    n_mels: int = 80
    channels: int = 512
    upsample_rates: tuple[int, ...] = (8, 8, 2, 2)
    upsample_kernels: tuple[int, ...] = (16, 16, 4, 4)
    resblock_kernels: tuple[int, ...] = (3, 7, 11)
    resblock_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))

    @property
    def hop_length(self) -> int:
        """Count the samples made of one mel frame."""
        hop = 1
        for rate in self.upsample_rates:
            hop *= rate
        return hop

    @classmethod
    def debug(cls) -> HifiGanConfig:
        """Return a tiny network for tests."""
        return cls(n_mels=8, channels=16, upsample_rates=(4, 2), upsample_kernels=(8, 4), resblock_kernels=(3, 5),
                   resblock_dilations=((1, 3), (1, 3)))  # fmt: skip


class HifiGanResidualBlock(nn.Module):
    """Dilated convolutions with residuals: the paper's ResBlock1."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * (kernel - 1) // 2) for d in dilations
        )
        self.plain = nn.ModuleList(nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, T) to (B, C, T)."""
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, LEAKY_SLOPE)), LEAKY_SLOPE))
        return x


class HifiGanGenerator(nn.Module):
    """Transposed convolutions, each followed by the mean of residual blocks of several widths."""

    def __init__(self, config: HifiGanConfig) -> None:
        super().__init__()
        self.config = config
        self.input = nn.Conv1d(config.n_mels, config.channels, 7, padding=3)
        self.upsamplers = nn.ModuleList()
        self.blocks = nn.ModuleList()
        channels = config.channels
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernels, strict=True):
            self.upsamplers.append(
                nn.ConvTranspose1d(channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2)
            )
            channels //= 2
            self.blocks.append(
                nn.ModuleList(
                    HifiGanResidualBlock(channels, k, d)
                    for k, d in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
                )
            )
        self.output = nn.Conv1d(channels, 1, 7, padding=3)

    @property
    def context_frames(self) -> int:
        """Count the mel frames to either side that can change a frame's sound: the receptive field, rounded up."""
        config, samples = self.config, 3.0 * self.config.hop_length
        rate_so_far = 1
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernels, strict=True):
            samples += kernel / rate * config.hop_length / rate_so_far
            rate_so_far *= rate
            widest = max(
                sum((k - 1) // 2 * (d + 1) for d in dilations)
                for k, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
            )
            samples += widest * config.hop_length / rate_so_far
        return int((samples + 3) // config.hop_length) + 1

    def forward(self, mel: Tensor) -> Tensor:
        """Turn log mel (B, T, M) into sound in [-1, 1], (B, T * hop_length)."""
        x = self.input(mel.transpose(1, 2))
        for upsample, blocks in zip(self.upsamplers, self.blocks, strict=True):
            x = upsample(F.leaky_relu(x, LEAKY_SLOPE))
            x = torch.stack([block(x) for block in blocks]).mean(dim=0)  # type: ignore[attr-defined]
        return torch.tanh(self.output(F.leaky_relu(x, LAST_LEAKY_SLOPE)))[:, 0]
