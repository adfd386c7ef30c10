"""The 3D U-Net that denoises clips, factorised over space and time.

After Ho et al. 2022, "Video Diffusion Models", section 3: convolutions see one frame at a time, attention over space is
followed by attention over time with relative positions, and time and text condition every residual block. Two cores
must sample it in seconds, so that it works on patched pixels: 2 frames x 4 x 4 pixels become the channels of one place
(a clip of 16 x 64 x 64 is a grid of 8 x 16 x 16 with 96 channels). Convolutions over time (Singer et al. 2022,
"Make-A-Video", section 3.2) mix neighbours where attention would be dear. The network predicts the clean clip: its
width is below that of a patch, which noise fills and pictures do not (Li and He 2025, "Back to Basics: Let Denoising
Generative Models Denoise", section 3).

Letters: B batch, F frames, R x S pixels, T, H, W the patched grid, C channels, L words, E width of a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.video.text_pooling import TextPooling
from models.video.thing_words import THING_ATTRIBUTE_SIZES


@dataclass(frozen=True)
class UNet3DConfig:
    """Sizes of the network.

    Args:
        widths: channels of each level, the finest first; each level halves rows and columns.
        patch: frames and pixels a side that make one place of the grid.
        blocks: residual blocks of each level on the way up; on the way down it is one.
        attributes: number of values of each conditioning attribute, beside "not said" (value 0).
        max_distance: steps of time that relative positions tell apart.

    Raises:
        ValueError: a width is no multiple of the groups or the heads, or `blocks` does not fit the widths.
    """

    widths: tuple[int, ...] = (96, 128, 128)
    blocks: tuple[int, ...] = (3, 1, 1)
    condition: int = 192
    heads: int = 4
    groups: int = 8
    patch: tuple[int, int] = (2, 4)
    text_width: int = 160
    max_words: int = 40
    attributes: tuple[int, ...] = (3, 3, 5, 9, 8, 4, 37, *THING_ATTRIBUTE_SIZES)
    max_distance: int = 16

    def __post_init__(self) -> None:
        for width in self.widths:
            if width % self.groups or width % self.heads:
                raise ValueError(f"widths has {width}; it must be a multiple of {self.groups} and of {self.heads}.")
        if len(self.blocks) != len(self.widths) or min(self.blocks) < 1:
            raise ValueError(f"blocks is {self.blocks}; it must have a number from 1 for each width.")

    @property
    def patch_values(self) -> int:
        """Return how many numbers one patch holds."""
        return 3 * self.patch[0] * self.patch[1] ** 2

    @property
    def multiple(self) -> tuple[int, int]:
        """Return what the numbers of frames and of pixels a side must be multiples of."""
        return self.patch[0], self.patch[1] * 2 ** (len(self.widths) - 1)

    @classmethod
    def debug(cls, **changes: object) -> UNet3DConfig:
        """Return the sizes of a tiny network for tests: milliseconds on a CPU."""
        sizes: dict[str, object] = {
            "widths": (16, 24),
            "blocks": (2, 1),
            "condition": 24,
            "heads": 2,
            "groups": 4,
            "text_width": 12,
            "max_words": 12,
        }
        return cls(**{**sizes, **changes})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> UNet3DConfig:
        """Undo to_dict, also after JSON made lists of tuples; TypeError names an unknown field."""
        tuples = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**tuples)  # type: ignore[arg-type]


@dataclass
class Condition:
    """The content that a clip shall show; B rows.

    Attributes:
        words: float32 (B, L, E), embeddings of the words.
        said: bool (B, L), False at padding; a row without words is unconditional.
        attributes: int64 (B, A), 0 where an attribute is not said.
    """

    words: Tensor
    said: Tensor
    attributes: Tensor

    @classmethod
    def cat(cls, parts: list[Condition]) -> Condition:
        """Concatenate the rows of all parts, padded to the same number of words."""
        length = max(part.words.shape[1] for part in parts)
        return cls(
            torch.cat([F.pad(part.words, (0, 0, 0, length - part.words.shape[1])) for part in parts]),
            torch.cat([F.pad(part.said, (0, length - part.said.shape[1])) for part in parts]),
            torch.cat([part.attributes for part in parts]),
        )


def patchify(clip: Tensor, patch: tuple[int, int]) -> Tensor:
    """Cut (B, 3, F, R, S) into patches (B, T, 3 * pt * p * p, H, W)."""
    frames, side = patch
    x = clip.unflatten(2, (-1, frames)).unflatten(4, (-1, side)).unflatten(6, (-1, side))  # B, 3, T, pt, H, p, W, p
    return x.permute(0, 2, 1, 3, 5, 7, 4, 6).flatten(2, 5)


def unpatchify(grid: Tensor, patch: tuple[int, int]) -> Tensor:
    """Undo patchify."""
    frames, side = patch
    x = grid.unflatten(2, (3, frames, side, side))  # B, T, 3, pt, p, p, H, W
    return x.permute(0, 2, 1, 3, 6, 4, 7, 5).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def embed_time(t: Tensor, width: int) -> Tensor:
    """Embed t (B,) in [0, 1] as (B, width): sines and cosines of it times 1000 (Vaswani et al. 2017, section 3.5)."""
    frequencies = torch.exp(-9.2 * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = 1000 * t[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class SpaceTimeBlock(nn.Module):
    """Two convolutions over space, scaled and shifted by the condition in between, then one over time."""

    def __init__(self, config: UNet3DConfig, width_in: int, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(config.groups, width_in), nn.GroupNorm(config.groups, width)
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(config.condition, 2 * width)
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()
        self.time_norm = nn.GroupNorm(config.groups, width)
        self.time_mix = nn.Linear(3 * width, width)
        for module in (self.conv2, self.time_mix):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor, frames: int) -> Tensor:
        """Map x (B * T, C, H, W), condition (B, condition) and the frames T to (B * T, C', H, W)."""
        scale, shift = self.film(condition).repeat_interleave(frames, dim=0)[..., None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        x = self.skip(x) + h
        tokens = F.silu(self.time_norm(x)).permute(0, 2, 3, 1).unflatten(0, (-1, frames))  # (B, T, H, W, C)
        around = F.pad(tokens, (0, 0, 0, 0, 0, 0, 1, 1))
        mixed = self.time_mix(torch.cat([around[:, :-2], tokens, around[:, 2:]], dim=-1))
        return x + mixed.flatten(0, 1).permute(0, 3, 1, 2)


class AxialAttention(nn.Module):
    """Self-attention over the last but one axis; over time with a bias for each distance (Shaw et al. 2018)."""

    def __init__(self, config: UNet3DConfig, width: int, relative: bool) -> None:
        super().__init__()
        self.heads, self.max_distance = config.heads, config.max_distance
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.bias = nn.Parameter(torch.zeros(config.heads, 2 * config.max_distance + 1)) if relative else None

    def forward(self, x: Tensor) -> Tensor:
        """Map x (N, K, C) to the same shape, the input added."""
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (N, heads, K, D)
        mask = None
        if self.bias is not None:
            places = torch.arange(x.shape[1], device=x.device)
            distance = (places[None] - places[:, None]).clamp(-self.max_distance, self.max_distance)
            mask = self.bias[:, distance + self.max_distance]  # (heads, K, K)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return x + self.out(attended.transpose(1, 2).flatten(2))


class SpaceTimeAttention(nn.Module):
    """Attention over space, then over time."""

    def __init__(self, config: UNet3DConfig, width: int) -> None:
        super().__init__()
        self.space = AxialAttention(config, width, relative=False)
        self.time = AxialAttention(config, width, relative=True)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Map x (B * T, C, H, W) to the same shape."""
        rows, columns = x.shape[-2:]
        tokens = self.space(x.flatten(2).transpose(1, 2))  # (B * T, H * W, C)
        over_time = tokens.unflatten(0, (-1, frames)).transpose(1, 2)  # (B, H * W, T, C)
        batch = over_time.shape[0]
        over_time = self.time(over_time.flatten(0, 1)).unflatten(0, (batch, -1))
        tokens = over_time.transpose(1, 2).flatten(0, 1)
        return tokens.transpose(1, 2).unflatten(2, (rows, columns))


class UNetLevel(nn.Module):
    """Residual blocks and, below the finest level, attention after the first."""

    def __init__(self, config: UNet3DConfig, width_in: int, level: int, blocks: int = 1) -> None:
        super().__init__()
        width = config.widths[level]
        self.block = SpaceTimeBlock(config, width_in, width)
        self.attention = SpaceTimeAttention(config, width) if level > 0 else None
        self.more = nn.ModuleList(SpaceTimeBlock(config, width, width) for _ in range(blocks - 1))

    def forward(self, x: Tensor, condition: Tensor, frames: int) -> Tensor:
        """Map x (B * T, C, H, W) to (B * T, C', H, W)."""
        x = self.block(x, condition, frames)
        if self.attention is not None:
            x = self.attention(x, frames)
        for block in self.more:
            x = block(x, condition, frames)
        return x


class UNet3D(nn.Module):
    """The network: a noisy clip, its time and a condition to the clean clip."""

    def __init__(self, config: UNet3DConfig) -> None:
        super().__init__()
        self.config = config
        widths, levels = config.widths, range(len(config.widths))
        # beside the patch: which of its frames are known, and where it is in the picture
        self.stem = nn.Conv2d(config.patch_values + config.patch[0] + 2, widths[0], 3, padding=1)
        self.time = nn.Sequential(
            nn.Linear(config.condition, config.condition), nn.SiLU(), nn.Linear(config.condition, config.condition)
        )
        self.text = TextPooling(config.text_width, config.condition, config.heads, config.max_words)
        self.attributes = nn.ModuleList(nn.Embedding(count + 1, config.condition) for count in config.attributes)
        for table in self.attributes:
            nn.init.normal_(table.weight, std=0.5)  # type: ignore[arg-type]
        self.down = nn.ModuleList(UNetLevel(config, widths[max(level - 1, 0)], level) for level in levels)
        self.shrink = nn.ModuleList(nn.Conv2d(widths[i], widths[i], 3, stride=2, padding=1) for i in levels[:-1])
        self.middle = UNetLevel(config, widths[-1], len(widths) - 1)
        self.up = nn.ModuleList(
            UNetLevel(config, widths[level] + widths[min(level + 1, len(widths) - 1)], level, config.blocks[level])
            for level in levels
        )
        self.norm = nn.GroupNorm(config.groups, widths[0])
        self.head = nn.Conv2d(widths[0], config.patch_values, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, noisy: Tensor, t: Tensor, condition: Condition, known: Tensor | None = None) -> Tensor:
        """Predict the clean clip.

        Args:
            noisy: (B, 3, F, R, S), about in [-1, 1]; known frames are clean.
            t: (B,) in [0, 1]: 0 is pure noise, 1 the clean clip.
            known: bool (B, F), which frames are given; None for none.

        Returns:
            (B, 3, F, R, S).

        Raises:
            ValueError: the clip's size is no multiple of what patches and levels need.
        """
        frames_multiple, side_multiple = self.config.multiple
        if noisy.shape[2] % frames_multiple or noisy.shape[3] % side_multiple or noisy.shape[4] % side_multiple:
            raise ValueError(
                f"a clip of {tuple(noisy.shape[2:])} does not fit: frames must be a multiple of {frames_multiple}, "
                f"rows and columns of {side_multiple}."
            )
        c = self.time(embed_time(t, self.config.condition)) + self.text(condition.words, condition.said)
        for index, table in enumerate(self.attributes):
            c = c + table(condition.attributes[:, index])
        c = F.silu(c)
        x, frames = self._enter(noisy, known)
        x = self.stem(x)
        skips = []
        for level, down in enumerate(self.down):
            x = down(x, c, frames)
            skips.append(x)
            if level < len(self.shrink):
                x = self.shrink[level](x)
        x = self.middle(x, c, frames)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([x, skips[level]], dim=1), c, frames)
            if level:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        grid = self.head(F.silu(self.norm(x))).unflatten(0, (-1, frames))
        return unpatchify(grid, self.config.patch)

    def _enter(self, noisy: Tensor, known: Tensor | None) -> tuple[Tensor, int]:
        """Patch the clip and add marks of known frames and coordinates: (B * T, C, H, W), and T."""
        grid = patchify(noisy, self.config.patch)
        batch, frames, _, rows, columns = grid.shape
        if known is None:
            known = torch.zeros(batch, noisy.shape[2], dtype=torch.bool, device=noisy.device)
        marks = known.to(grid.dtype).unflatten(1, (frames, -1))[..., None, None].expand(-1, -1, -1, rows, columns)
        y = torch.linspace(-1, 1, rows, device=grid.device)[:, None].expand(rows, columns)
        x = torch.linspace(-1, 1, columns, device=grid.device)[None].expand(rows, columns)
        places = torch.stack([y, x]).to(grid.dtype).expand(batch, frames, -1, -1, -1)
        entered = torch.cat([grid, marks, places], dim=2).flatten(0, 1)
        return entered.contiguous(memory_format=torch.channels_last), frames
