"""Augmentation of captions: pieces left out, replaced and put in, so that unseen wordings are understood.

Each piece of the captions has the neighbours that are nearer to it than to any other piece of the captions. In training
a piece is now and then left out or replaced by one of its neighbours, foreign pieces are put in between, and the
vectors get noise: the network learns a smooth function of the words, not a list of them. What the held-out captions
use is never put in, so that they stay a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.video.text_embedding import CONTINUES, TextTable


@dataclass(frozen=True)
class AugmentationRates:
    """Rates at which pieces are left out, replaced and put in, and the noise in deviations of the table."""

    left_out: float = 0.08
    replaced: float = 0.25
    put_in: float = 0.08
    noise: float = 0.3
    least_cosine: float = 0.45


class CaptionAugmenter:
    """Captions with some of their pieces left out, replaced and put in."""

    def __init__(
        self, table: TextTable, captions: Iterable[str], never: Iterable[str], plan: AugmentationRates
    ) -> None:
        """Take `captions`, so many that every piece occurs; other pieces of the captions in `never` are kept out."""
        self.table, self.plan = table, plan
        known = sorted({piece for text in captions for piece in table.tokenize(text)})
        barred = {piece for text in never for piece in table.tokenize(text)} | set(known)
        words = {number for piece, number in table.index.items() if piece.isalpha() and len(piece) > 2}
        self.free = [number for number in sorted(words - barred) if table.vectors[number].any()]
        unit = F.normalize(table.vectors, dim=1)
        best, whose = (unit[self.free] @ unit[known].T).max(dim=1)
        pieces = {number: piece for piece, number in table.index.items()}
        self.neighbours: dict[int, list[int]] = {}
        for number, cosine, place in zip(self.free, best.tolist(), whose.tolist(), strict=True):
            if cosine >= plan.least_cosine and not pieces[known[place]].startswith(CONTINUES):
                self.neighbours.setdefault(known[place], []).append(number)
        self.spread = float(table.vectors.std())

    def augment(self, numbers: list[int], rng: np.random.Generator) -> list[int]:
        """Return the pieces of one caption, some left out, replaced, put in; never none of several."""
        plan, found = self.plan, list[int]()
        for number in numbers:
            if self.free and rng.random() < plan.put_in:
                found.append(int(rng.choice(self.free)))
            if rng.random() < plan.left_out:
                continue
            near = self.neighbours.get(number)
            found.append(int(rng.choice(near)) if near and rng.random() < plan.replaced else number)
        return found or numbers

    def embed(self, texts: list[str], max_words: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Embed captions as `TextTable.embed` does, augmented."""
        rows = [self.table.tokenize(text) for text in texts]
        words, said = self.table.embed_pieces([self.augment(row, rng) for row in rows], max_words)
        noise = torch.from_numpy(rng.standard_normal(words.shape, dtype=np.float32))
        return words + self.plan.noise * self.spread * noise * said[..., None], said
