"""The network of picture style transfer: an encoder, adaptive instance normalisation, and a decoder.

After Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization". Their
encoder is a VGG; this one is small and learns to predict what VGG-16 sees. The decoder's layers are normalised too,
with scales, shifts and small filters that another network predicts from the statistics of the style (Ghiasi et
al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic stylization network"; Chandran et al. 2021,
"Adaptive Convolutions for Structure-Aware Style Transfer"). How much of the content shall be kept is a condition, as in
Babaeizadeh and Ghiasi 2020, "Adjustable Real-time Style Transfer". Features grow by interpolation and convolution, and
edges are reflected, so that no grid and no frame appears.

Letters: B batch, C channels, H and W height and width in pixels, K projections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.picture_network import adain, measure_colours, measure_mean_std

SIZE_MULTIPLE = 8  # heights and widths of what the network sees
NOISE_SIZE = 256
TAPS = 9  # of a predicted filter, 3 x 3


@dataclass(frozen=True)
class PainterConfig:
    """Sizes of the network.

    Attributes:
        widths: channels at a half, a quarter and an eighth of the resolution.
        blocks: residual blocks of the decoder at a quarter and an eighth.
        full: channels of the decoder at the full resolution.
        projections: K, of each encoder level, whose correlations describe a style beside means and spreads.
        code: width of the hidden layers that read a style's statistics.
    """

    widths: tuple[int, int, int] = (32, 64, 128)
    blocks: tuple[int, int] = (1, 3)
    full: int = 16
    projections: int = 16
    code: int = 256

    @classmethod
    def debug(cls) -> PainterConfig:
        """Return sizes small enough to run in milliseconds."""
        return cls(widths=(8, 8, 16), blocks=(1, 1), full=4, projections=4, code=16)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a weight file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PainterConfig:
        """Undo `to_dict`."""
        return cls(
            tuple(values["widths"]),
            tuple(values["blocks"]),
            int(values["full"]),
            int(values["projections"]),
            int(values["code"]),
        )


@dataclass(frozen=True)
class PainterStatistics:
    """The statistics that make a picture's style.

    Attributes:
        means, stds: of every channel of every encoder level, (B, C) each.
        correlations: of the projections of every level, (B, K (K + 1) / 2) each.
        colour_mean: (B, 3), of the pixels in [0, 1].
        colour_covariance: (B, 3, 3).
    """

    means: tuple[Tensor, ...]
    stds: tuple[Tensor, ...]
    correlations: tuple[Tensor, ...]
    colour_mean: Tensor
    colour_covariance: Tensor

    def interpolate(self, other: PainterStatistics, share: float | Tensor) -> PainterStatistics:
        """Go from these (share 0) to `other` (share 1), in a straight line; a share is a number or (B, 1)."""
        wide = share[:, :, None] if isinstance(share, Tensor) else share

        def mix(a: Tensor, b: Tensor) -> Tensor:
            return a + share * (b - a)

        return PainterStatistics(
            tuple(map(mix, self.means, other.means)),
            tuple(map(mix, self.stds, other.stds)),
            tuple(map(mix, self.correlations, other.correlations)),
            mix(self.colour_mean, other.colour_mean),
            self.colour_covariance + wide * (other.colour_covariance - self.colour_covariance),
        )

    def to_vector(self) -> Tensor:
        """Return all of it side by side, (B, n): what the code network reads."""
        rows, columns = torch.triu_indices(3, 3, device=self.colour_covariance.device)
        covariance = self.colour_covariance[:, rows, columns]
        parts = [*self.means, *self.stds, *self.correlations, 2 * self.colour_mean - 1, 8 * covariance]
        return torch.cat([part.float() for part in parts], dim=1)


def blend_statistics(styles: Sequence[PainterStatistics], weights: Sequence[float]) -> PainterStatistics:
    """Weigh several styles to one; the weights are at least 0 and not all 0."""
    total, sum_ = weights[0], styles[0]
    for style, weight in zip(styles[1:], weights[1:], strict=True):
        total += weight
        sum_ = sum_.interpolate(style, weight / total if total > 0 else 0.0)
    return sum_


def _make_conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect")


def _enlarge(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear")


class PainterEncoder(nn.Module):
    """Pixels to features at a half, a quarter and an eighth of the resolution."""

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        self.stem = _make_conv(12, half)
        self.down_quarter = _make_conv(half, quarter, 2)
        self.at_quarter = _make_conv(quarter, quarter)
        self.down_eighth = _make_conv(quarter, eighth, 2)
        self.at_eighth = _make_conv(eighth, eighth)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, 3, H, W) in [0, 1] to (B, C, H/2, W/2), (B, C, H/4, W/4), (B, C, H/8, W/8)."""
        half = F.leaky_relu_(self.stem(F.pixel_unshuffle(2 * pixels - 1, 2)), 0.2)
        quarter = F.leaky_relu_(self.at_quarter(F.leaky_relu_(self.down_quarter(half), 0.2)), 0.2)
        eighth = F.leaky_relu_(self.at_eighth(F.leaky_relu_(self.down_eighth(quarter), 0.2)), 0.2)
        return half, quarter, eighth


class PainterLayer(nn.Module):
    """A convolution, a filter for each channel, and a normalisation; the last two are the style's.

    Args:
        has_filters: whether each channel gets a predicted filter of 3 x 3.
    """

    def __init__(self, width: int, has_filters: bool) -> None:
        super().__init__()
        self.conv = _make_conv(width, width)
        self.width, self.has_filters = width, has_filters
        self.parameters_count = width * (2 + (TAPS if has_filters else 0))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map x (B, C, H, W) and style (B, parameters_count) to (B, C, H, W)."""
        scale, shift, taps = style.split((self.width,) * 2 + (style.shape[1] - 2 * self.width,), dim=1)
        y = self.conv(x)
        if self.has_filters:
            flat = F.pad(y, (1, 1, 1, 1), mode="reflect").reshape(1, -1, y.shape[2] + 2, y.shape[3] + 2)
            filters = taps.reshape(-1, 1, 3, 3).to(y.dtype)
            y = y + F.conv2d(flat, filters, groups=len(filters)).view_as(y)
        return F.leaky_relu_(adain(y, shift.float(), 1 + scale.float()), 0.2)


class PainterBlock(nn.Module):
    """A residual block of two styled layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = PainterLayer(width, has_filters=True)
        self.second = PainterLayer(width, has_filters=False)
        self.sizes = (self.first.parameters_count, self.second.parameters_count)
        self.parameters_count = sum(self.sizes)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map as `PainterLayer` does."""
        first, second = style.split(self.sizes, dim=1)
        return x + self.second(self.first(x, first), second)


class PainterDecoder(nn.Module):
    """Features with the style's statistics to the painted pixels.

    A fixed noise map at the coarsest level lets a flat sky be painted with strokes too; it stays where it is from frame
    to frame.
    """

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        self.grain = nn.Parameter(torch.zeros(eighth))
        self.deep = nn.ModuleList(PainterBlock(eighth) for _ in range(config.blocks[1]))
        self.to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.skip_quarter = nn.Conv2d(quarter, quarter, 1)
        self.middle = nn.ModuleList(PainterBlock(quarter) for _ in range(config.blocks[0]))
        self.to_half = nn.Conv2d(quarter, half, 1)
        self.fine = PainterLayer(half, has_filters=False)
        self.to_full = nn.Conv2d(half, config.full, 1)
        self.leave = _make_conv(config.full, 3)
        layers: list[Any] = [*self.deep, *self.middle, self.fine]
        self.sizes = [layer.parameters_count for layer in layers]
        statistics = 2 * sum(config.widths) + 3 * (config.projections * (config.projections + 1) // 2) + 3 + 6
        self.code = nn.Sequential(
            nn.Linear(statistics + 1, config.code),
            nn.LeakyReLU(0.2),
            nn.Linear(config.code, config.code),
            nn.LeakyReLU(0.2),
            nn.Linear(config.code, sum(self.sizes)),
        )
        with torch.no_grad():
            self.code[-1].weight.mul_(0.3)  # type: ignore[operator]

    def forward(self, quarter: Tensor, eighth: Tensor, vector: Tensor, detail: Tensor, noise: Tensor) -> Tensor:
        """Map features after AdaIN, the style's vector, detail (B, 1) and noise (1, 1, H/8, W/8) to (B, 3, H, W)."""
        styles: Iterator[Tensor] = iter(self.code(torch.cat([vector, 2 * detail - 1], dim=1)).split(self.sizes, dim=1))
        x = eighth + self.grain[None, :, None, None] * noise
        for block in self.deep:
            x = block(x, next(styles))
        x = _enlarge(self.to_quarter(x)) + self.skip_quarter(quarter)
        for block in self.middle:
            x = block(x, next(styles))
        x = _enlarge(self.to_half(x))
        x = x + self.fine(x, next(styles))
        full = F.leaky_relu_(_enlarge(self.to_full(x)), 0.2).float()
        with torch.autocast(full.device.type, enabled=False):  # half precision would show as bands
            return torch.sigmoid(self.leave(full))


class PainterNetwork(nn.Module):
    """The whole network: encoder, statistics, AdaIN and decoder."""

    noise: Tensor

    def __init__(self, config: PainterConfig | None = None) -> None:
        super().__init__()
        self.config = config or PainterConfig()
        self.encoder = PainterEncoder(self.config)
        self.decoder = PainterDecoder(self.config)
        self.projections = nn.ModuleList(
            nn.Linear(width, self.config.projections, bias=False) for width in self.config.widths
        )
        grain = torch.randn(NOISE_SIZE, NOISE_SIZE, generator=torch.Generator().manual_seed(6))
        self.register_buffer("noise", grain, persistent=False)

    def measure_statistics(self, pixels: Tensor, features: Sequence[Tensor] | None = None) -> PainterStatistics:
        """Measure the statistics of pictures (B, 3, H, W) in [0, 1]."""
        features = self.encoder(pixels) if features is None else features
        pairs = [measure_mean_std(level) for level in features]
        return PainterStatistics(
            tuple(mean for mean, _ in pairs),
            tuple(std for _, std in pairs),
            tuple(map(self._correlate, self.projections, features)),
            *measure_colours(pixels),
        )

    def _correlate(self, projection: nn.Module, level: Tensor) -> Tensor:
        """Return the mean products of the projections of a level, (B, K (K + 1) / 2)."""
        seen = projection(level.flatten(2).transpose(1, 2))
        products = (seen.transpose(1, 2) @ seen).float() / seen.shape[1]
        rows, columns = torch.triu_indices(seen.shape[2], seen.shape[2], device=level.device)
        return products[:, rows, columns]

    def draw_grain(self, height: int, width: int, offsets: tuple[int, int] = (0, 0)) -> Tensor:
        """Draw the noise map for features of the coarsest level, (1, 1, height, width)."""
        rows = (torch.arange(height, device=self.noise.device) + offsets[0]) % NOISE_SIZE
        columns = (torch.arange(width, device=self.noise.device) + offsets[1]) % NOISE_SIZE
        return self.noise[rows][:, columns][None, None]

    def paint(
        self,
        features: Sequence[Tensor],
        target: PainterStatistics,
        detail: float | Tensor = 0.5,
        own: PainterStatistics | None = None,
        offsets: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """Paint a picture from its features, (B, 3, H, W) in [0, 1].

        Args:
            features: of the picture, from the encoder; H and W are multiples of 8.
            target: the statistics that it shall have. Those of the picture itself give about the picture; a straight
                mixture of both is for AdaIN the same as mixing the features (equation 14 of the paper).
            detail: how much of the content is kept, 0 to 1, a number or (B, 1).
            own: statistics of the features where they are known, as smoothed over the frames of a clip.
            offsets: where in the noise to begin.
        """
        quarter, eighth = (
            adain(
                features[at], target.means[at], target.stds[at], None if own is None else (own.means[at], own.stds[at])
            )
            for at in (1, 2)
        )
        if not isinstance(detail, Tensor):
            detail = target.colour_mean.new_full((len(target.colour_mean), 1), float(detail))
        height, width = features[2].shape[2:]
        noise = self.draw_grain(height, width, offsets)
        vector = target.to_vector().expand(len(features[2]), -1)
        return self.decoder(quarter, eighth, vector, detail.expand(len(features[2]), 1), noise)
