"""Static word-piece embeddings: a small text encoder that needs no network to run.

Each word piece has one vector, distilled from the sentence encoder all-MiniLM-L6-v2 by `training.video.distil_text`
(what the encoder says to the piece alone, reduced by principal components; after Tulkens and van Dongen 2024,
"Model2Vec"). Order and negation are left to `models.video.text_pooling`, which is learned with the video model.

Pieces are found as BERT does (Devlin et al. 2019; Wu et al. 2016): lower case, no accents, longest match first.

Letters: L pieces, V vocabulary, E width.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from models.errors import ModelError
from models.weights_io import load_safetensors, parse_metadata

TEXT_WEIGHTS = "video_text.safetensors"
CONTINUES = "##"
MAX_WORD_CHARACTERS = 60


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words and single punctuation marks, without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    spaced = "".join(c if c.isalnum() else " " if c.isspace() or not c.isprintable() else f" {c} " for c in plain)
    return spaced.split()


class TextTable:
    """A vocabulary of word pieces and their vectors."""

    def __init__(self, vocabulary: list[str], vectors: Tensor) -> None:
        """Take `vectors`, float32 (V, E), one row a piece."""
        if len(vocabulary) != len(vectors):
            raise ModelError("The text table's words and vectors are not equally many.", "weights")
        self.index = {piece: number for number, piece in enumerate(vocabulary)}
        self.vectors = vectors

    @property
    def width(self) -> int:
        """Return E."""
        return self.vectors.shape[1]

    def tokenize(self, text: str) -> list[int]:
        """Return the numbers of the pieces of a text; what has no piece is left out."""
        found: list[int] = []
        for word in split_words(text):
            found += self._split(word[:MAX_WORD_CHARACTERS])
        return found

    def _split(self, word: str) -> list[int]:
        """Split a word, longest match first; one that cannot be covered gives nothing."""
        numbers, start = [], 0
        while start < len(word):
            prefix = CONTINUES if start else ""
            end = next((e for e in range(len(word), start, -1) if prefix + word[start:e] in self.index), start)
            if end == start:
                return []
            numbers.append(self.index[prefix + word[start:end]])
            start = end
        return numbers

    def embed(self, texts: list[str], max_words: int) -> tuple[Tensor, Tensor]:
        """Return vectors float32 (B, L, E), zero at padding, and bool (B, L), True where there is a piece.

        L is at least 1.
        """
        return self.embed_pieces([self.tokenize(text) for text in texts], max_words)

    def embed_pieces(self, rows: list[list[int]], max_words: int) -> tuple[Tensor, Tensor]:
        """Embed the numbers of pieces, as `embed` does texts."""
        numbers = [row[:max_words] for row in rows]
        length = max([1, *map(len, numbers)])
        words = torch.zeros(len(numbers), length, self.width)
        said = torch.zeros(len(numbers), length, dtype=torch.bool)
        for row, pieces in enumerate(numbers):
            words[row, : len(pieces)] = self.vectors[pieces]
            said[row, : len(pieces)] = True
        return words, said

    def measure_similarity(self, first: str, second: str) -> float:
        """Compute the cosine of the mean vectors of two texts, 0 where one has no known piece."""
        a, b = (self.vectors[self.tokenize(text)].sum(dim=0) for text in (first, second))
        return float(torch.nn.functional.cosine_similarity(a, b, dim=0, eps=1e-6))


@lru_cache(maxsize=1)
def load_text_table(path: Path) -> TextTable:
    """Load the shipped table.

    Raises:
        ModelError: the file is missing or damaged.
    """
    return parse_metadata(path, lambda words: TextTable(words, load_safetensors(path)["vectors"]), ["vocabulary"])
