"""Pooling of a prompt's word embeddings to one vector, learned with the video model.

A plain mean of words cannot tell "a red boat on blue water" from "a blue boat on red water". One layer of
self-attention over words with their places, then pooling by learned queries (Lee et al. 2019, "Set Transformer",
section 3.2), can.

Letters: B batch, L words, E width of a word, C width of the result, Q queries.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

QUERIES = 4


class TextPooling(nn.Module):
    """Words (B, L, E) to vectors (B, C); a row without words gives a learned vector of its own."""

    def __init__(self, text_width: int, width: int, heads: int, max_words: int) -> None:
        super().__init__()
        self.heads, self.max_words = heads, max_words
        self.project = nn.Linear(text_width, width)
        self.places = nn.Parameter(torch.randn(max_words, width) * 0.1)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.pool_norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(QUERIES, width) * width**-0.5)
        self.out = nn.Linear((QUERIES + 1) * width, width)
        self.unconditional = nn.Parameter(torch.zeros(width))

    def forward(self, words: Tensor, said: Tensor) -> Tensor:
        """Map words (B, L, E), said bool (B, L), False at padding, to (B, C). Words beyond max_words are not read."""
        words, said = words[:, : self.max_words], said[:, : self.max_words]
        empty = ~said.any(dim=1)
        if words.shape[1] == 0:
            return self.unconditional.expand(len(words), -1)
        readable = said | empty[:, None]  # an empty row reads its padding, and is replaced below
        x = self.project(words) + self.places[: words.shape[1]]
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, L, D)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=readable[:, None, None])
        x = self.pool_norm(x + self.mixed(attended.transpose(1, 2).flatten(2)))
        scores = (self.queries @ x.transpose(1, 2)).masked_fill(~readable[:, None], float("-inf"))  # (B, Q, L)
        pooled = scores.softmax(dim=-1) @ x  # (B, Q, C)
        weight = readable[..., None].to(x.dtype)
        mean = (x * weight).sum(dim=1) / weight.sum(dim=1)
        vector = self.out(torch.cat([pooled.flatten(1), mean], dim=-1))
        return torch.where(empty[:, None], self.unconditional.expand_as(vector), vector)
