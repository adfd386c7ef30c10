"""Relative attention: logits that depend on how far back a key lies, and the skewing that makes them cheap.

After Huang et al. 2018, "Music Transformer: Generating Music with Long-Term Structure", equation 3 and section 3.4.1:
instead of one embedding for every pair of query and key (O(L^2 D) memory), queries are multiplied with one embedding a
distance, and the result is skewed so that the distances stand under their keys.

Letters: B batch, H heads, Q queries, T keys (the last Q of them at the queries' own places), D width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def skew(by_distance: Tensor) -> Tensor:
    """Turn logits by distance into logits by key (section 3.4.1, for any number of past keys).

    Args:
        by_distance: (..., Q, T); column j of any row is for distance T - 1 - j, the last column for distance 0.

    Returns:
        (..., Q, T); row i holds at key j the logit for distance (T - Q + i) - j. Keys after the query hold values that
        mean nothing and must be masked.
    """
    queries, keys = by_distance.shape[-2:]
    if queries == 1:
        return by_distance
    padded = F.pad(by_distance, (1, 0)).flatten(-2)  # (..., Q * (T + 1))
    return padded[..., queries:].unflatten(-1, (queries, keys))


def compute_distance_logits(queries: Tensor, table: Tensor, keys: int) -> Tensor:
    """Compute what each query says to each distance.

    Args:
        queries: (..., Q, D).
        table: (..., D, M), the embeddings of the M distances told apart, the furthest first.
        keys: number of keys T; distances beyond M - 1 share the furthest embedding (Shaw et al. 2018, section 3.2).

    Returns:
        (..., Q, T), the furthest distance first.
    """
    distances = table.shape[-1]
    if keys <= distances:
        return queries @ table[..., distances - keys :]
    near = queries @ table
    return torch.cat([near[..., :1].expand(*near.shape[:-1], keys - distances), near], dim=-1)


class RelativeLogits(nn.Module):
    """S_rel of equation 3, one table of distances for each head."""

    def __init__(self, heads: int, head_dim: int, max_distance: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(heads, head_dim, max_distance).normal_(std=head_dim**-0.5))

    def forward(self, queries: Tensor, keys: int) -> Tensor:
        """Map queries (B, H, Q, D), number of keys T to logits (B, H, Q, T), not scaled, meaningless after each
        query.
        """
        return skew(compute_distance_logits(queries, self.table, keys))
