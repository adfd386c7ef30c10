"""The Music Transformer: a decoder over music tokens.

After Huang et al. 2018, "Music Transformer: Generating Music with Long-Term Structure": causal self-attention whose
logits also depend on the distance between query and key (section 3.4.1, in `models.music.relative`). By configuration
the places are told by rotary embeddings instead (Su et al. 2021, "RoFormer", section 3.2.2), or by sinusoids added to
the input (Vaswani et al. 2017, section 3.5) as the yardstick. "musical" positions are rotary ones of three kinds: half
of the heads count tokens, a quarter count musical time, and for the last quarter a query stands where its bar's
reference bar has the same place (`models.music.musical_context`). Layers normalise first (Xiong et al. 2020); the
output shares the embedding (Press and Wolf 2017).

Letters: B batch, L tokens, H heads, D width of a head, W = H * D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.music.musical_context import FEATURE_ROWS, MusicalContext
from models.music.relative import RelativeLogits
from models.music.vocabulary import VOCABULARY_SIZE

POSITION_KINDS = ("relative", "rotary", "absolute", "musical")
TIME_BASE, TIME_RATE = 8_000.0, 2.0  # of rotary angles by sixteenths: the fastest turns 2 radians in one
Turns = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class MusicTransformerConfig:
    """Sizes of a Music Transformer.

    Args:
        max_distance: with "relative" positions, the number of distances told apart; those beyond count as the furthest.
        rotary_base: with "rotary" positions, theta's base.
        context_tokens: the rows of training: it has seen nothing longer, so prompts with answers should fit.

    Raises:
        ValueError: `position` is none of POSITION_KINDS, the width is no even multiple of the heads, or "musical"
            positions have heads that are not a multiple of four.
    """

    n_tokens: int = VOCABULARY_SIZE
    width: int = 512
    layers: int = 6
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1
    position: str = "relative"
    max_distance: int = 512
    rotary_base: float = 10_000.0
    context_tokens: int = 768

    def __post_init__(self) -> None:
        if self.position not in POSITION_KINDS:
            raise ValueError(f"position is {self.position!r}; it must be one of {', '.join(POSITION_KINDS)}.")
        if self.width % (2 * self.heads):
            raise ValueError(f"width is {self.width}; it must be an even multiple of the {self.heads} heads.")
        if self.position == "musical" and self.heads % 4:
            raise ValueError(f"heads is {self.heads}; musical positions need a multiple of 4.")

    @property
    def head_dim(self) -> int:
        """Return the width of one head."""
        return self.width // self.heads

    @classmethod
    def debug(cls, **changes: object) -> MusicTransformerConfig:
        """Return the sizes of a tiny network for tests: milliseconds on a CPU."""
        sizes: dict[str, object] = {
            "width": 32,
            "layers": 2,
            "heads": 4,
            "feedforward": 64,
            "dropout": 0.0,
            "max_distance": 12,
        }
        return cls(**{**sizes, **changes})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> MusicTransformerConfig:
        """Invert `to_dict`; TypeError names an unknown field."""
        return cls(**values)  # type: ignore[arg-type]


def compute_rotary_angles(positions: Tensor, head_dim: int, base: float) -> Tensor:
    """Multiply positions (...,) by theta_i = base^(-2i / D) (RoFormer, equation 15), float32 (..., D / 2)."""
    theta = base ** (-torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim)
    return positions[..., None].float() * theta


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the pairs (x_i, x_{i + D/2}) by their angles (RoFormer, equation 34, halves instead of neighbours).

    x (..., D), cosine and sine (..., D / 2) -> (..., D).
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def compute_musical_angles(
    config: MusicTransformerConfig, order: Tensor, times: Tensor, reference_times: Tensor
) -> Turns:
    """Compute by which angles queries and keys are turned with "musical" positions, each float32 (B, L, H, D / 2).

    Args:
        order: places of the tokens, (L,) or (B, L).
        times, reference_times: in sixteenths, (B, L).
    """
    quarter = config.heads // 4
    by_order = compute_rotary_angles(order.expand_as(times), config.head_dim, config.rotary_base)
    by_time, by_reference = (
        compute_rotary_angles(TIME_RATE * each, config.head_dim, TIME_BASE) for each in (times, reference_times)
    )
    kinds = ([by_order, by_order, by_time, by_reference], [by_order, by_order, by_time, by_time])
    queries, keys = (torch.stack(each, dim=2).repeat_interleave(quarter, dim=2) for each in kinds)
    return queries, keys


def compute_sinusoids(positions: Tensor, width: int) -> Tensor:
    """Compute sines, then cosines, of positions (...,), float32 (..., W) (Vaswani et al. 2017, section 3.5)."""
    angles = compute_rotary_angles(positions, width, 10_000.0)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def make_attention_mask(queries: int, keys: int, padding: Tensor | None, device: torch.device) -> Tensor:
    """Mark where a query may look: at itself and what came before, but at no padding.

    Args:
        queries, keys: Q and T; the queries are the last Q of the T tokens.
        padding: bool (B, T), True at padding, or None. Padding looks at itself, so that no row is empty.

    Returns:
        bool (Q, T) or (B, 1, Q, T).
    """
    places = torch.arange(keys, device=device)
    own = places[keys - queries :, None]
    causal = places <= own
    return causal if padding is None else causal & (~padding[:, None, None, :] | (places == own))


class CausalSelfAttention(nn.Module):
    """Multi-head causal self-attention; with relative logits or rotary embeddings by configuration."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        is_relative = config.position == "relative"
        self.relative = RelativeLogits(config.heads, config.head_dim, config.max_distance) if is_relative else None

    def forward(self, x: Tensor, mask: Tensor | None, turns: tuple[Turns, Turns] | None = None) -> Tensor:
        """Map x (B, L, W) to (B, L, W).

        Args:
            mask: bool (L, L) or (B, 1, L, L), or None for causal alone.
            turns: cosine and sine of the queries' and of the keys' angles, each (B, H, L, D / 2), with "musical"
                positions.
        """
        batch, length, width = x.shape
        heads = self.qkv(x).unflatten(-1, (3, self.config.heads, self.config.head_dim))  # (B, L, 3, H, D)
        q, k, v = heads.permute(2, 0, 3, 1, 4)  # each (B, H, L, D)
        if self.config.position == "rotary":
            positions = torch.arange(length, device=x.device)
            angles = compute_rotary_angles(positions, self.config.head_dim, self.config.rotary_base)  # (L, D / 2)
            q, k = rotate(q, angles.cos(), angles.sin()), rotate(k, angles.cos(), angles.sin())
        if turns is not None:
            q, k = (
                rotate(each, *(part.to(each.dtype) for part in turn)) for each, turn in zip((q, k), turns, strict=True)
            )
        is_causal = mask is None
        if self.relative is not None and mask is not None:
            logits = self.relative(q, length) * self.config.head_dim**-0.5  # (B, H, L, L)
            mask = logits.masked_fill(~mask, float("-inf"))
        dropout = self.config.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=is_causal
        )  # (B, H, L, D)
        return self.out(attended.transpose(1, 2).reshape(batch, length, width))


class Layer(nn.Module):
    """Attention and a feed-forward network, each normalised first and added to its input."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width)
        self.attention = CausalSelfAttention(config)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward)
        self.down = nn.Linear(config.feedforward, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None, turns: tuple[Turns, Turns] | None = None) -> Tensor:
        """Map x (B, L, W) to (B, L, W); mask and turns as for the attention."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask, turns))
        return x + self.dropout(self.down(F.relu(self.up(self.feedforward_norm(x)))))


class MusicTransformer(nn.Module):
    """Tokens to the logits of the next token. Sampling uses `models.music.kv_cache`, which computes the same."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.n_tokens, config.width)
        is_musical = config.position == "musical"
        self.features = nn.Parameter(torch.empty(FEATURE_ROWS, config.width)) if is_musical else None
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self._initialise()

    def _initialise(self) -> None:
        """Draw small normal weights; what is added to the residual stream is smaller the deeper the network."""
        for name, parameter in self.named_parameters():
            if name == "features":
                nn.init.normal_(parameter, std=0.01)
            elif name.endswith("weight") and parameter.dim() == 2:
                is_residual = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 * (2 * self.config.layers) ** (-0.5 if is_residual else 0.0))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, padding: Tensor | None = None, context: MusicalContext | None = None) -> Tensor:
        """Map tokens int64 (B, L), padding bool (B, L), True where there is none of the sequence, to logits (B, L, V).

        Padding may stand on the left or the right; the logits at padding mean nothing. The context is for "musical"
        positions; without one nothing is planned, and time is counted in tokens.
        """
        x = self.embedding(tokens)
        places = torch.arange(tokens.shape[1], device=tokens.device)
        turns = None
        if self.config.position == "absolute":
            if padding is not None:
                places = ((~padding).cumsum(dim=1) - 1).clamp(min=0)  # (B, L)
            x = x * self.config.width**0.5 + compute_sinusoids(places, self.config.width)
        elif self.features is not None:
            if context is not None:
                hot = torch.zeros(*tokens.shape, FEATURE_ROWS, device=x.device, dtype=x.dtype)
                x = x + hot.scatter_(-1, context.features, 1.0) @ self.features
            counted = places.expand(tokens.shape).float()
            times = (counted, counted) if context is None else (context.times, context.reference_times)
            queries, keys = (
                (angles.cos().transpose(1, 2), angles.sin().transpose(1, 2))
                for angles in compute_musical_angles(self.config, places, *times)
            )
            turns = (queries, keys)
        needs_mask = padding is not None or self.config.position == "relative"
        mask = make_attention_mask(tokens.shape[1], tokens.shape[1], padding, tokens.device) if needs_mask else None
        x = self.dropout(x)
        for layer in self.layers:
            x = layer(x, mask, turns)
        return F.linear(self.norm(x), self.embedding.weight)
