"""The network of picture style transfer: an encoder, adaptive instance normalisation, and a decoder.

After Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization". Theirs
takes its encoder from a network that was trained on ImageNet; this one is trained together with the decoder, from the
pictures of the recipe alone. So that little training goes far, the colours of each band of detail move in closed form
(`fit_colour_map`, the linear optimal transport of Pitié and Kokaram 2007), patches of the style bring the strokes
(`models.style.style_swap`), and the decoder paints the rest on top of it. Its layers are normalised too, with scales
and shifts that a small network predicts from the statistics of the style (Ghiasi et al. 2017, "Exploring the structure
of a real-time, arbitrary neural artistic stylization network").

Letters: B batch, C channels, H and W height and width in pixels, P parameters of the decoder's normalisations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.luminance import compute_luminance
from models.style.style_swap import PatchDictionary, build_dictionaries, swap_patches

EPSILON = 1e-5
SIZE_MULTIPLE = 8  # heights and widths of what the network sees
NOISE_SIZE = 256
NOISE_LEVELS = (2, 4, 8, 1)
STROKE_COLOUR = 0.25  # how much of the colour of its strokes the decoder may paint: it blotches flat places
BANDS = 3  # of detail, each an octave; what is coarser is the rest
MOST_GAIN = (2.0, 3.0, 3.0, 8.0)  # of each band and the rest: more would blow up the grain of a compressed clip


@dataclass(frozen=True)
class PictureStyleConfig:
    """Sizes of the network.

    Attributes:
        widths: channels at a half, a quarter and an eighth of the resolution.
        blocks: residual blocks of the decoder at those resolutions.
        code: width of the hidden layer that reads a style's statistics.
    """

    widths: tuple[int, int, int] = (32, 64, 128)
    blocks: tuple[int, int, int] = (1, 1, 2)
    code: int = 256

    @classmethod
    def debug(cls) -> PictureStyleConfig:
        """Return sizes small enough to run in milliseconds."""
        return cls(widths=(8, 8, 16), blocks=(1, 1, 1), code=16)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a weight file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PictureStyleConfig:
        """Undo `to_dict`."""
        return cls(tuple(values["widths"]), tuple(values["blocks"]), int(values["code"]))


@dataclass(frozen=True)
class PictureStatistics:
    """The statistics that make a picture's style.

    Attributes:
        means, stds: of every channel of every encoder level, (B, C) each.
        colour_mean: (B, 3), of the pixels in [0, 1].
        colour_covariance: (B, 3, 3).
        band_covariances: the same of each band of detail and of the rest, (B, BANDS + 1, 3, 3).
    """

    means: tuple[Tensor, ...]
    stds: tuple[Tensor, ...]
    colour_mean: Tensor
    colour_covariance: Tensor
    band_covariances: Tensor

    def interpolate(self, other: PictureStatistics, share: float | Tensor) -> PictureStatistics:
        """Go from these (share 0) to `other` (share 1), in a straight line."""

        def mix(a: Tensor, b: Tensor) -> Tensor:
            return a + share * (b - a)

        return PictureStatistics(
            tuple(map(mix, self.means, other.means)),
            tuple(map(mix, self.stds, other.stds)),
            mix(self.colour_mean, other.colour_mean),
            mix(self.colour_covariance, other.colour_covariance),
            mix(self.band_covariances, other.band_covariances),
        )

    def to_vector(self) -> Tensor:
        """Return all of it side by side, (B, n): what the code network reads."""
        rows, columns = torch.triu_indices(3, 3)
        covariance = self.colour_covariance[:, rows, columns]
        return torch.cat([*self.means, *self.stds, 2 * self.colour_mean - 1, 8 * covariance], dim=1)


@dataclass(frozen=True)
class PictureStyle:
    """The style of B pictures: their statistics, and patches of each at two resolutions."""

    statistics: PictureStatistics
    pages: tuple[tuple[PatchDictionary, PatchDictionary], ...]


def measure_mean_std(features: Tensor) -> tuple[Tensor, Tensor]:
    """Measure mean and standard deviation of every channel over the picture: (B, C, H, W) to (B, C), (B, C)."""
    variance, mean = torch.var_mean(features.float(), dim=(2, 3), correction=0)
    return mean, torch.sqrt(variance + EPSILON)


def adain(features: Tensor, mean: Tensor, std: Tensor, own: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Give features a style's mean and std: adaptive instance normalisation (Huang and Belongie 2017, equation 8).

    Args:
        features: x, (B, C, H, W).
        mean, std: what each channel shall have, (B, C).
        own: mean and standard deviation of x where they are known, as smoothed over the frames of a clip.
    """
    if own is None:  # the same in one pass over memory: every channel of every picture is a channel of one picture
        flat = features.reshape(1, -1, *features.shape[2:])
        moved = F.batch_norm(flat, None, None, std.reshape(-1), mean.reshape(-1), training=True, eps=EPSILON)
        return moved.view_as(features)
    scale = std / own[1]
    return torch.addcmul((mean - own[0] * scale)[:, :, None, None], features, scale[:, :, None, None])


def measure_colours(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Measure mean (B, 3) and covariance (B, 3, 3) of the colours of (B, 3, H, W)."""
    flat = pixels.flatten(2)
    mean = flat.mean(dim=2)
    centred = flat - mean[:, :, None]
    covariance = centred @ centred.transpose(1, 2) / flat.shape[2]
    return mean, covariance + 1e-5 * torch.eye(3, device=pixels.device)


def split_bands(pixels: Tensor) -> list[Tensor]:
    """Split into a Laplacian pyramid (Burt and Adelson 1983): `BANDS` bands from fine to coarse, and the rest.

    (B, 3, H, W) -> (B, 3, H, W), (B, 3, H/2, W/2) ... ; H and W are multiples of SIZE_MULTIPLE.
    """
    bands = []
    for _ in range(BANDS):
        smaller = F.avg_pool2d(pixels, 2)
        bands.append(pixels - F.interpolate(smaller, scale_factor=2.0, mode="bilinear"))
        pixels = smaller
    return [*bands, pixels]


def join_bands(bands: Sequence[Tensor]) -> Tensor:
    """Join the bands of a pyramid to the picture; undo `split_bands`."""
    pixels = bands[-1]
    for band in reversed(bands[:-1]):
        pixels = band + F.interpolate(pixels, scale_factor=2.0, mode="bilinear")
    return pixels


def fit_colour_map(own: Tensor, wanted: Tensor) -> Tensor:
    """Fit the linear map of least displacement that takes colours of covariance `own` to `wanted`, all (B, 3, 3).

    Pitié and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer".
    """
    root, inverse_root = _compute_roots(own)
    middle, _ = _compute_roots(root @ wanted @ root)
    return inverse_root @ middle @ inverse_root


def _compute_roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the square root and inverse square root of symmetric positive matrices."""
    values, vectors = torch.linalg.eigh(matrix)
    root = values.clamp_min(1e-8).sqrt()
    return (vectors * root[:, None]) @ vectors.transpose(1, 2), (vectors / root[:, None]) @ vectors.transpose(1, 2)


def _make_conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect")


class PictureEncoder(nn.Module):
    """Pixels to features at a half, a quarter and an eighth of the resolution."""

    def __init__(self, config: PictureStyleConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        self.stem = _make_conv(12, half)
        self.at_half = _make_conv(half, half)
        self.down_quarter = _make_conv(half, quarter, 2)
        self.at_quarter = _make_conv(quarter, quarter)
        self.down_eighth = _make_conv(quarter, eighth, 2)
        self.at_eighth = _make_conv(eighth, eighth)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, 3, H, W) in [0, 1] to (B, C, H/2, W/2), (B, C, H/4, W/4), (B, C, H/8, W/8)."""
        x = F.leaky_relu(self.stem(F.pixel_unshuffle(2 * pixels - 1, 2)), 0.2)
        half = F.leaky_relu(self.at_half(x), 0.2)
        quarter = F.leaky_relu(self.at_quarter(F.leaky_relu(self.down_quarter(half), 0.2)), 0.2)
        eighth = F.leaky_relu(self.at_eighth(F.leaky_relu(self.down_eighth(quarter), 0.2)), 0.2)
        return half, quarter, eighth


class StyledBlock(nn.Module):
    """A residual block whose two normalisations take scale, shift and grain from the style.

    The grain is a fixed noise map, so that a flat sky can be painted with strokes too; it stays where it is from frame
    to frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _make_conv(width, width)
        self.second = _make_conv(width, width)
        self.width = width
        self.parameters_count = 5 * width

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Map x (B, C, H, W), style (B, 5 C) and noise (1 or B, 1, H, W) to (B, C, H, W)."""
        scale_1, shift_1, grain, scale_2, shift_2 = style.split(self.width, dim=1)
        y = adain(self.first(x), shift_1, 1 + scale_1)
        y = F.leaky_relu_(torch.addcmul(y, grain[:, :, None, None], noise), 0.2)
        y = adain(self.second(y), shift_2, 1 + scale_2)
        return x + F.leaky_relu(y, 0.2)


class PictureDecoder(nn.Module):
    """Features with the style's statistics to the pixels that are painted over the recoloured picture."""

    def __init__(self, config: PictureStyleConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        self.enter = _make_conv(eighth, eighth)
        self.to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.skip_quarter = nn.Conv2d(quarter, quarter, 1)
        self.to_half = nn.Conv2d(quarter, half, 1)
        self.skip_half = nn.Conv2d(half, half, 1)
        self.leave = _make_conv(half, 12)
        widths = zip((eighth, quarter, half), reversed(config.blocks), strict=True)
        self.levels = nn.ModuleList(nn.ModuleList(StyledBlock(width) for _ in range(count)) for width, count in widths)
        blocks: list[Any] = [block for level in self.levels for block in level]  # type: ignore[attr-defined]
        self.sizes = [block.parameters_count for block in blocks]
        statistics = 2 * sum(config.widths) + 3 + 6
        self.code = nn.Sequential(
            nn.Linear(statistics, config.code),
            nn.LeakyReLU(0.2),
            nn.Linear(config.code, config.code),
            nn.LeakyReLU(0.2),
            nn.Linear(config.code, sum(self.sizes)),
        )
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.code[-1].weight.mul_(0.3)  # type: ignore[operator]

    def forward(self, features: Sequence[Tensor], statistics: PictureStatistics, noise: Sequence[Tensor]) -> Tensor:
        """Map features after AdaIN, the statistics they have and noise of their sizes to (B, 3, H, W)."""
        half, quarter, eighth = features
        styles = iter(self.code(statistics.to_vector()).split(self.sizes, dim=1))
        x = F.leaky_relu(self.enter(eighth), 0.2)
        for block in self.levels[0]:  # type: ignore[attr-defined]
            x = block(x, next(styles), noise[2])
        x = F.interpolate(self.to_quarter(x), scale_factor=2.0, mode="bilinear") + self.skip_quarter(quarter)
        for block in self.levels[1]:  # type: ignore[attr-defined]
            x = block(x, next(styles), noise[1])
        x = F.interpolate(self.to_half(x), scale_factor=2.0, mode="bilinear") + self.skip_half(half)
        for block in self.levels[2]:  # type: ignore[attr-defined]
            x = block(x, next(styles), noise[0])
        return F.pixel_shuffle(self.leave(x), 2)


class PictureStyleNetwork(nn.Module):
    """The whole network: a sketch in closed form (`sketch`), then encoder, AdaIN and decoder (`paint`)."""

    noise: Tensor

    def __init__(self, config: PictureStyleConfig | None = None) -> None:
        super().__init__()
        self.config = config or PictureStyleConfig()
        self.encoder = PictureEncoder(self.config)
        self.decoder = PictureDecoder(self.config)
        grain = torch.randn(len(NOISE_LEVELS), NOISE_SIZE, NOISE_SIZE, generator=torch.Generator().manual_seed(6))
        self.register_buffer("noise", grain, persistent=False)

    def measure_statistics(self, pixels: Tensor, features: Sequence[Tensor] | None = None) -> PictureStatistics:
        """Measure the statistics of pictures (B, 3, H, W) in [0, 1]."""
        pairs = [measure_mean_std(level) for level in (self.encoder(pixels) if features is None else features)]
        colours = self.measure_band_colours(pixels)
        return replace(colours, means=tuple(m for m, _ in pairs), stds=tuple(s for _, s in pairs))

    def extract_style(self, pixels: Tensor) -> PictureStyle:
        """Extract all that is taken from style pictures (B, 3, H, W) in [0, 1]."""
        generator = torch.Generator().manual_seed(0)
        return PictureStyle(
            self.measure_statistics(pixels), tuple(build_dictionaries(each[None], generator) for each in pixels)
        )

    def draw_grain(self, height: int, width: int, divisor: int, offsets: tuple[int, int] = (0, 0)) -> Tensor:
        """Draw a noise map for a picture at a part of its resolution, (1, 1, height/divisor, width/divisor)."""
        rows = (torch.arange(height // divisor) + offsets[0]) % NOISE_SIZE
        columns = (torch.arange(width // divisor) + offsets[1]) % NOISE_SIZE
        return self.noise[NOISE_LEVELS.index(divisor)][rows][:, columns][None, None]

    def sketch(self, base: Tensor, style: PictureStyle, offsets: tuple[int, int] = (0, 0)) -> Tensor:
        """Make the first stage: swap patches of pictures that `recolour` made, then move colours again.

        (B, 3, H, W) -> (B, 3, H, W), H and W multiples of 8; `offsets` is where in the noise to begin.
        """
        height, width = base.shape[2:]
        noise = self.draw_grain(height, width, 2, offsets), self.draw_grain(height, width, 1, offsets)
        pieces = [swap_patches(each[None], pages, noise) for each, pages in zip(base, style.pages, strict=True)]
        made = torch.cat(pieces)
        return recolour(made, self.measure_band_colours(made), style.statistics)

    def measure_band_colours(self, pixels: Tensor) -> PictureStatistics:
        """Measure statistics without those of the encoder."""
        mean, covariance = measure_colours(pixels)
        bands = torch.stack([measure_colours(band)[1] for band in split_bands(pixels)], dim=1)
        return PictureStatistics((), (), mean, covariance, bands)

    def paint(
        self,
        pixels: Tensor,
        sketch: Tensor,
        features: Sequence[Tensor],
        style: PictureStyle,
        strength: float | Tensor = 1.0,
        offsets: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """Paint the picture in the style.

        At strength s the statistics are a straight mixture of both, which for AdaIN is the same as mixing the features
        (equation 14 of the paper), and what was changed counts s times. So strength 0 gives the picture itself.

        Args:
            pixels: the picture (B, 3, H, W), H and W multiples of 8.
            sketch, features: the first stage's result and its features.
            style: from `style`.
            strength: 0 to 1, a number or (B, 1).

        Returns:
            (B, 3, H, W), about [0, 1] but not clipped.
        """
        own = self.measure_statistics(sketch, features)
        target = own.interpolate(style.statistics, strength)
        moved = [adain(level, mean, std) for level, mean, std in zip(features, target.means, target.stds, strict=True)]
        noise = [self.draw_grain(pixels.shape[2], pixels.shape[3], divisor, offsets) for divisor in (2, 4, 8)]
        stroke = self.decoder(moved, target, noise)
        grey = compute_luminance(stroke)
        painted = sketch + grey + STROKE_COLOUR * (stroke - grey)
        share = strength[:, :, None, None] if isinstance(strength, Tensor) else strength
        return pixels + share * (painted - pixels)


def recolour(pixels: Tensor, own: PictureStatistics, style: PictureStatistics) -> Tensor:
    """Move each band's colours in a line to the covariance that the style has there, and the mean; (B, 3, H, W)."""
    moved = []
    bands = split_bands(pixels)
    for at, (band, most) in enumerate(zip(bands, MOST_GAIN, strict=True)):
        here, wanted = own.band_covariances[:, at], style.band_covariances[:, at]
        ratio = _measure_spread(wanted) / _measure_spread(here)
        matrix = fit_colour_map(here, wanted * (most**2 / ratio).clamp_max(1.0)[:, None, None])
        flat = band.flatten(2)
        if at == BANDS:
            flat = flat - own.colour_mean[:, :, None]
        flat = matrix @ flat
        if at == BANDS:
            flat = flat + style.colour_mean[:, :, None]
        moved.append(flat.view_as(band))
    return join_bands(moved)


def _measure_spread(covariance: Tensor) -> Tensor:
    return covariance.diagonal(dim1=1, dim2=2).sum(dim=1)
