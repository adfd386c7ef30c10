"""The Music Transformer one token at a time: the same function as `MusicTransformer.forward`, with a cache.

Keys and values go into memory that is there from the start, so that a step costs one pass of its own token and one look
at the past, and copies nothing. On a CPU a step's time is the reading of the weights: in "int8" they are read as bytes
(one scale an output row; inputs are quantised as they come, to seven bits), which is about three times as fast for a
small change of the logits; in "float32" the logits are those of the network to rounding.

Letters: B batch, N new tokens, T tokens with the past, C capacity, H heads, D width of a head, W = H * D, V vocabulary.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.memory import allocate_pages
from models.music.musical_context import MusicalContext
from models.music.relative import RelativeLogits, compute_distance_logits, skew
from models.music.transformer import (
    Layer,
    MusicTransformer,
    compute_musical_angles,
    compute_rotary_angles,
    compute_sinusoids,
    make_attention_mask,
)

PRECISIONS = ("float32", "int8")
BLOCK_TOKENS = 256  # a long prompt is taken in by blocks, so that no matrix of its length squared is made
LinearMap = Callable[[Tensor], Tensor]


def is_int8_available() -> bool:
    """Check whether this build of torch has int8 matrix products for this processor."""
    has_operators = hasattr(torch, "quantize_per_channel") and hasattr(torch.ops.quantized, "linear_dynamic")
    return has_operators and torch.backends.quantized.engine in ("fbgemm", "x86", "onednn", "qnnpack")


def _make_linear(weight: Tensor, bias: Tensor, precision: str, relu: bool = False) -> LinearMap:
    """Make a map x (n, in) to (n, out), followed by a ReLU if asked."""
    if precision == "float32":
        return (lambda x: F.linear(x, weight, bias).relu_()) if relu else (lambda x: F.linear(x, weight, bias))
    scales = weight.abs().amax(dim=1).clamp(min=1e-8) / 127.0
    zeros = torch.zeros(len(scales), dtype=torch.long)
    with warnings.catch_warnings():  # torch will one day drop quantised tensors; then is_int8_available says so
        warnings.simplefilter("ignore", UserWarning)
        quantised = torch.quantize_per_channel(weight, scales.double(), zeros, 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(quantised, bias)
    operators = torch.ops.quantized
    multiply = operators.linear_relu_dynamic.default if relu else operators.linear_dynamic.default
    return lambda x: multiply(x, packed, True)  # True: seven bits, so that no sum saturates on older processors


class KeyValueCache:
    """The past of a batch of sequences.

    Attributes:
        keys_values: float32 (layers, 2, B, H, C, D); only the first `used` of C are filled.
        used: how many tokens are in, padding counted.
        padding: bool (B, C), True where the past is padding; None as long as there is none.
    """

    def __init__(self, layers: int, batch: int, heads: int, capacity: int, head_dim: int) -> None:
        self.capacity = capacity
        self.used = 0
        self.padding: Tensor | None = None
        self.keys_values = torch.from_numpy(allocate_pages((layers, 2, batch, heads, capacity, head_dim), np.float32))

    def pad(self, padding: Tensor) -> None:
        """Note the padding bool (B, N) of tokens about to be appended."""
        if self.padding is None and padding.any():
            self.padding = torch.zeros(len(padding), self.capacity, dtype=torch.bool)
        if self.padding is not None:
            self.padding[:, self.used : self.used + padding.shape[1]] = padding

    def clear(self) -> None:
        """Free the memory; the cache cannot be used again."""
        self.keys_values = torch.empty(0)
        self.capacity = self.used = 0


class _FastLayer:
    """One layer's weights as a step wants them.

    The scale of the logits is folded into the queries' rows. With rotary embeddings the rows of queries and keys are
    put in another order, the same for both, so that the two halves of a pair stand side by side: then one
    multiplication with a complex number turns it.
    """

    def __init__(self, layer: Layer, precision: str) -> None:
        attention = layer.attention
        width, head_dim = attention.config.width, attention.config.head_dim
        weight, bias = (x.unflatten(0, (3, attention.config.heads, head_dim)).clone() for x in _detach(attention.qkv))
        if attention.config.position in ("rotary", "musical"):
            halves_together = torch.arange(head_dim).view(2, -1).t().flatten()
            weight[:2], bias[:2] = weight[:2, :, halves_together], bias[:2, :, halves_together]
        weight[0] *= head_dim**-0.5
        bias[0] *= head_dim**-0.5
        self.qkv = _make_linear(weight.view(3 * width, width), bias.flatten(), precision)
        self.out = _make_linear(*_detach(attention.out), precision)
        self.up = _make_linear(*_detach(layer.up), precision, relu=True)
        self.down = _make_linear(*_detach(layer.down), precision)
        self.attention_norm = _detach(layer.attention_norm)
        self.feedforward_norm = _detach(layer.feedforward_norm)


def _split_heads(qkv: Tensor, batch: int, new: int, heads: int) -> tuple[Tensor, Tensor]:
    """Map qkv (B * N, 3 * W) to queries (B, H, N, D), keys and values (2, B, H, N, D)."""
    if batch == new == 1:
        split = qkv.view(3, 1, heads, 1, -1)
    else:
        split = qkv.view(batch, new, 3, heads, -1).permute(2, 0, 3, 1, 4)
    return split[0], split[1:]


class BoundedPast(Protocol):
    """A past that holds so many tokens at most."""

    used: int
    capacity: int


def check_room(past: BoundedPast, new: int) -> None:
    """Raise ValueError where a past cannot hold so many new tokens."""
    if past.used + new > past.capacity:
        raise ValueError(f"The cache holds {past.used} of {past.capacity} tokens; {new} more do not fit.")


def _detach(module: nn.Linear | nn.LayerNorm) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a layer."""
    return module.weight.detach(), module.bias.detach()


class CachedTransformer:
    """A trained `MusicTransformer`'s function for sampling on a CPU. Weights are taken over when it is built.

    Args:
        precision: "float32" or "int8".

    Raises:
        ValueError: `precision` is neither, or int8 is not available here.
    """

    def __init__(self, model: MusicTransformer, precision: str = "float32") -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision is {precision!r}; it must be one of {', '.join(PRECISIONS)}.")
        if precision == "int8" and not is_int8_available():
            raise ValueError('precision is "int8"; this build of torch has no int8 products, use "float32".')
        self.config = model.config
        self.precision = precision
        with torch.no_grad():
            self.layers = [_FastLayer(layer, precision) for layer in model.layers]  # type: ignore[arg-type]
        self.embedding = model.embedding.weight.detach()
        if self.config.position == "musical":
            zero, one = torch.zeros(1, 1), torch.ones(1)
            ones = compute_musical_angles(self.config, one, zero + 1, zero + 1)
            self.thetas = torch.cat(ones, dim=2)[0, 0]  # (2 * H, D / 2): what each head's place is multiplied with
            quarter = self.config.heads // 4
            kinds = [0] * 2 * quarter + [1] * quarter  # order, time, reference time
            self.place_of_head = torch.tensor([*kinds, *[2] * quarter, *kinds, *[1] * quarter])
        self.features = None if model.features is None else model.features.detach()
        tables = [module.table.detach() for module in model.modules() if isinstance(module, RelativeLogits)]
        self.tables = torch.stack(tables) if tables else None  # (layers, H, D, M)
        self.norm = _detach(model.norm)

    def new_cache(self, batch: int, capacity: int) -> KeyValueCache:
        """Make an empty past for `batch` sequences of at most `capacity` tokens, padding counted."""
        return KeyValueCache(len(self.layers), batch, self.config.heads, capacity, self.config.head_dim)

    @torch.inference_mode()
    def append(
        self,
        tokens: Tensor,
        cache: KeyValueCache,
        padding: Tensor | None = None,
        context: MusicalContext | None = None,
    ) -> Tensor:
        """Take new tokens into the cache and say what may follow the last.

        Args:
            tokens: int64 (B, N).
            padding: bool (B, N), True for padding on the left of the first tokens.
            context: of these tokens, with "musical" positions.

        Returns:
            float32 (B, V), the logits after the last token.

        Raises:
            ValueError: the cache cannot hold so many.
        """
        new = tokens.shape[1]
        check_room(cache, new)
        if padding is not None:
            cache.pad(padding)
        for first in range(0, new, BLOCK_TOKENS):
            part = slice(first, first + BLOCK_TOKENS)
            last = self._append_block(tokens[:, part], cache, None if context is None else context.cut(part))
        return F.linear(self._normalise(last, self.norm), self.embedding)

    def _append_block(self, tokens: Tensor, cache: KeyValueCache, context: MusicalContext | None) -> Tensor:
        """Take tokens (B, N) into the cache; return the last one's output, not yet normalised, (B, W)."""
        batch, new = tokens.shape
        x = self._embed(tokens, cache, context).reshape(batch * new, -1)  # (B * N, W)
        mask = self._make_mask(cache, new)
        turns = self._compute_turns(batch, cache.used, new, context)
        total = cache.used + new
        # One slice for all layers: at this size a step's many small views cost as much as its arithmetic.
        written = cache.keys_values[..., cache.used : total, :].unbind(0)
        seen = cache.keys_values[..., :total, :].flatten(0, 1).unbind(0)
        tables = self._slice_tables(total)
        heads, width = self.config.heads, self.config.width
        for index, layer in enumerate(self.layers):
            qkv = layer.qkv(self._normalise(x, layer.attention_norm))  # (B * N, 3 * W)
            if turns is not None:
                pairs = qkv.view(batch, new, 3 * heads, -1, 2)[
                    :, :, : 2 * heads
                ]  # queries and keys (B, N, 2 H, D/2, 2)
                torch.view_as_complex(pairs).mul_(turns)
            queries, keys_values = _split_heads(qkv, batch, new, heads)
            written[index].copy_(keys_values)
            bias = mask if tables is None else self._compute_bias(queries, tables[index], total, mask)
            attended = F.scaled_dot_product_attention(
                queries, seen[2 * index], seen[2 * index + 1], attn_mask=bias, scale=1.0
            )  # (B, H, N, D)
            if new > 1:
                attended = attended.transpose(1, 2)
            x += layer.out(attended.reshape(batch * new, width))
            x += layer.down(layer.up(self._normalise(x, layer.feedforward_norm)))
        cache.used += new
        return x.view(batch, new, -1)[:, -1]

    def _normalise(self, x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return torch.layer_norm(x, (self.config.width,), *norm)

    def _compute_turns(self, batch: int, used: int, new: int, context: MusicalContext | None) -> Tensor | None:
        """Compute by which complex numbers queries and keys are multiplied, (N, 1, D / 2) or (B, N, 2 * H, D / 2)."""
        if self.config.position not in ("rotary", "musical"):
            return None
        positions = torch.arange(used, used + new)
        if self.config.position == "rotary":
            angles = compute_rotary_angles(positions, self.config.head_dim, self.config.rotary_base)[:, None]
        else:
            counted = positions.expand(batch, new).float()
            times = (counted, counted) if context is None else (context.times, context.reference_times)
            places = torch.stack([counted, *times], dim=-1)[..., self.place_of_head]  # (B, N, 2 * H)
            angles = places[..., None] * self.thetas
        return torch.polar(torch.ones_like(angles), angles)

    def _embed(self, tokens: Tensor, cache: KeyValueCache, context: MusicalContext | None) -> Tensor:
        """Map (B, N) to (B, N, W), with the sinusoids of absolute positions, or features, if the network has them."""
        x = F.embedding(tokens, self.embedding)
        if self.features is not None and context is not None:
            x = x + F.embedding_bag(context.features.flatten(0, 1), self.features, mode="sum").view_as(x)
        if self.config.position != "absolute":
            return x
        places = torch.arange(cache.used, cache.used + tokens.shape[1])
        if cache.padding is not None:
            padded = cache.padding.sum(dim=1, keepdim=True)  # all of it is on the left
            places = (places - padded).clamp(min=0)  # (B, N)
        return x * self.config.width**0.5 + compute_sinusoids(places, self.config.width)

    def _make_mask(self, cache: KeyValueCache, new: int) -> Tensor | None:
        """Mark where the new tokens may look, bool (N, T) or (B, 1, N, T); None where that is everywhere."""
        total = cache.used + new
        if new == 1 and cache.padding is None:
            return None
        padding = None if cache.padding is None else cache.padding[:, :total]
        return make_attention_mask(new, total, padding, torch.device("cpu"))

    def _slice_tables(self, keys: int) -> tuple[Tensor, ...] | None:
        """Return each layer's relative embeddings of at most `keys` distances, (H, D, M); None without relative
        ones.
        """
        if self.tables is None:
            return None
        return self.tables[..., max(0, self.tables.shape[-1] - keys) :].unbind(0)

    def _compute_bias(self, queries: Tensor, table: Tensor, keys: int, mask: Tensor | None) -> Tensor:
        """Map queries (B, H, N, D), table (H, D, M) to relative logits (B, H, N, T), minus infinity where masked."""
        batch, heads, new, head_dim = queries.shape
        if new > 1:
            bias = skew(compute_distance_logits(queries, table, keys))
        else:  # one matrix product a head for the whole batch
            by_head = queries.view(heads, 1, head_dim) if batch == 1 else queries[:, :, 0].transpose(0, 1)
            bias = compute_distance_logits(by_head, table, keys).transpose(0, 1).unsqueeze(2)
        return bias if mask is None else bias.masked_fill(~mask, float("-inf"))
