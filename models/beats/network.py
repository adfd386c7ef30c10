"""The beat network: from mel frames to how likely a beat and a downbeat are at each moment.

After Davies and Böck 2019, "Temporal convolutional networks for musical audio beat tracking" (convolutions and pooling
over frequency, then dilated convolutions over time with residual connections), with the second output for downbeats of
Böck and Davies 2020, "Deconstruct, Analyse, Reconstruct" (section 2). The causal variant pads the past only and answers
`delay_frames` later, so that it hears a little of what follows a beat; it can run piece by piece and gives the same.

Letters: B batch, T frames, M mel bands, C channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig

FRAME_RATE = 50
BEAT_MEL = MelConfig(sample_rate=22_050, n_fft=2048, hop_length=441, n_mels=80, f_min=30.0, f_max=10_000.0)
MEL_MEAN, MEL_STD = -4.0, 3.0
PORTION_FRAMES = 500


@dataclass(frozen=True)
class BeatNetworkConfig:
    """Sizes of the network.

    Args:
        front_channels: of the three convolutions that look at time and frequency together.
        channels: of the dilated convolutions over time.
        layers: how many of them; layer i has dilation 2^i.
        causal: whether only the past is seen.
        delay_frames: how much later than the sound the causal variant answers; 0 for the other.
    """

    n_mels: int = BEAT_MEL.n_mels
    front_channels: tuple[int, int, int] = (12, 20, 48)
    channels: int = 80
    kernel: int = 5
    layers: int = 8
    dropout: float = 0.1
    causal: bool = False
    delay_frames: int = 0

    def __post_init__(self) -> None:
        if self.delay_frames and not self.causal:
            raise ValueError("delay_frames is for the causal network only; the other sees the future anyway.")

    @classmethod
    def debug(cls, causal: bool = False) -> BeatNetworkConfig:
        """Return the sizes of a tiny network for tests."""
        return cls(
            n_mels=24, front_channels=(4, 4, 6), channels=6, layers=4, causal=causal, delay_frames=2 if causal else 0
        )

    @property
    def reach_frames(self) -> int:
        """Return how far to either side the network that is not causal sees."""
        return 3 + (self.kernel - 1) // 2 * (2**self.layers - 1)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> BeatNetworkConfig:
        """Invert `to_dict`; TypeError names an unknown field."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


ConvolutionState = dict[int, Tensor]
"""What a causal run must remember: for each convolution, by its number, the last frames of its input."""


class TimePadding:
    """Padding of the time axis (the last but `axis_from_end`) so that a convolution keeps the number of frames."""

    def __init__(self, number: int, reach: int, causal: bool, axis_from_end: int) -> None:
        self.number, self.reach, self.causal, self.axis = number, reach, causal, -1 - axis_from_end

    def __call__(self, x: Tensor, memory: ConvolutionState | None) -> Tensor:
        """Map x (..., T, ...) to (..., reach + T, ...): zeros at both ends, or the past alone."""
        if self.causal:
            shape = list(x.shape)
            shape[self.axis] = self.reach
            past = memory[self.number] if memory is not None and self.number in memory else x.new_zeros(shape)
            padded = torch.cat([past, x], dim=self.axis)
            if memory is not None:
                memory[self.number] = padded.narrow(self.axis, padded.shape[self.axis] - self.reach, self.reach)
            return padded
        half = self.reach // 2
        widths = [0, 0] * (-1 - self.axis) + [half, self.reach - half]
        return F.pad(x, widths)


class FrontBlock(nn.Module):
    """Convolution over time and frequency, batch norm, ELU, pooling over frequency by three."""

    def __init__(self, channels_in: int, channels_out: int, number: int, causal: bool) -> None:
        super().__init__()
        self.pad = TimePadding(number, 2, causal, axis_from_end=1)
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=(0, 1), bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor, memory: ConvolutionState | None) -> Tensor:
        """Map x (B, C, T, M) to (B, C', T, M // 3)."""
        return F.max_pool2d(F.elu(self.norm(self.conv(self.pad(x, memory)))), (1, 3))


class DilatedBlock(nn.Module):
    """Dilated convolution over time, ELU, a 1 x 1 convolution, added to its input."""

    def __init__(self, config: BeatNetworkConfig, dilation: int, number: int) -> None:
        super().__init__()
        self.pad = TimePadding(number, (config.kernel - 1) * dilation, config.causal, axis_from_end=0)
        self.norm = nn.BatchNorm1d(config.channels)
        self.conv = nn.Conv1d(config.channels, config.channels, config.kernel, dilation=dilation)
        self.mix = nn.Conv1d(config.channels, config.channels, 1)
        self.dropout = config.dropout

    def forward(self, x: Tensor, memory: ConvolutionState | None) -> Tensor:
        """Map x (B, C, T) to (B, C, T)."""
        inner = F.elu(self.conv(self.pad(self.norm(x), memory)))
        return x + self.mix(F.dropout(inner, self.dropout, self.training))


class BeatNetwork(nn.Module):
    """Mel frames to the logits of beat and downbeat."""

    def __init__(self, config: BeatNetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths = (1, *config.front_channels)
        self.front = nn.ModuleList(
            FrontBlock(a, b, number, config.causal) for number, (a, b) in enumerate(itertools.pairwise(widths))
        )
        bands = config.n_mels // 27
        if bands < 1 and config.n_mels // 9 < 1:
            raise ValueError(f"n_mels is {config.n_mels}; it must be at least 27.")
        self.join = nn.Conv1d(config.front_channels[-1] * max(1, bands), config.channels, 1)
        first = len(self.front)
        self.body = nn.ModuleList(DilatedBlock(config, 2**i, first + i) for i in range(config.layers))
        self.out = nn.Conv1d(config.channels, 2, 1)

    def _enter(self, mel: Tensor, memory: ConvolutionState | None) -> Tensor:
        """Map mel (B, T, M) to (B, C, T): the convolutions over time and frequency."""
        x = ((mel - MEL_MEAN) / MEL_STD)[:, None]  # (B, 1, T, M)
        for block in self.front:
            x = block(x, memory)
        return self.join(x.transpose(2, 3).flatten(1, 2))  # type: ignore[no-any-return]

    def _enter_portion(self, mel: Tensor, start: int) -> Tensor:
        """Enter PORTION_FRAMES frames from `start` on, with as much around them as the front sees."""
        first, reach = max(0, start - len(self.front)), len(self.front)
        entered = self._enter(mel[:, first : start + PORTION_FRAMES + reach], None)
        return entered[:, :, start - first : start - first + PORTION_FRAMES]

    def forward(self, mel: Tensor, memory: ConvolutionState | None = None) -> Tensor:
        """Return logits of beat and downbeat.

        Args:
            mel: (B, T, M), natural log as `models.audio.log_mel` gives it under BEAT_MEL.
            memory: of a causal run, changed in place; an empty one begins a run, None is a run of its own.

        Returns:
            (B, T, 2); of the causal variant, frame t speaks of the sound at t - delay_frames.

        Raises:
            ValueError: a memory is given to a network that is not causal.
        """
        if memory is not None and not self.config.causal:
            raise ValueError("only the causal network can run piece by piece.")
        if self.training or self.config.causal:
            x = self._enter(mel, memory)
        else:  # by portions: what the front makes of a frame takes fifty times the memory of the frame
            starts = range(0, mel.shape[1], PORTION_FRAMES)
            x = torch.cat([self._enter_portion(mel, start) for start in starts], dim=2)
        for block in self.body:
            x = block(x, memory)
        return self.out(F.elu(x)).transpose(1, 2)
