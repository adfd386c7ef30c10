"""Held-out excerpts of the corpus as pieces and as rows of tokens: always the same, and nothing changed in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.music.score import InstrumentTrack, Piece
from models.music.tokenizer import decode_piece, encode_bars, encode_header, encode_piece
from models.music.vocabulary import PAD
from training.music.corpus import COLLECTIONS, Corpus
from training.music.note_table import VELOCITY_BINS
from training.music.source import round_velocity

READ_AHEAD = 1.1  # a little more is read than a row holds


def coarsen(piece: Piece) -> Piece:
    """Give a piece the few velocities that the model knows."""
    tracks = (
        InstrumentTrack.from_notes(
            track.program,
            track.is_drum,
            (replace(note, velocity=round_velocity(note.velocity, VELOCITY_BINS)) for note in track.notes),
        )
        for track in piece.tracks
    )
    return Piece(piece.bars, tuple(tracks))


class Excerpts:
    """Draws excerpts of whole bars from the held-out side of a corpus.

    Args:
        length: tokens of a row.
    """

    def __init__(self, corpus: Corpus, length: int) -> None:
        self.corpus, self.length = corpus, length
        self.by_collection = {
            name: [
                index for index, piece in enumerate(corpus.pieces) if piece["collection"] == name and piece["held_out"]
            ]
            for name in COLLECTIONS
        }
        counts = {
            name: [len(corpus.pieces[i]["bars"]) for i in indices] for name, indices in self.by_collection.items()
        }
        self.chances = {name: np.array(count) / max(1, sum(count)) for name, count in counts.items()}

    def draw_excerpt(self, collection: str, random: np.random.Generator) -> Piece:
        """Draw some bars of a piece; longer pieces come as often as they have bars."""
        return self._read(collection, random)[0]

    def _read(self, collection: str, random: np.random.Generator) -> tuple[Piece, bool]:
        """Read an excerpt of about a row's tokens, and whether the piece ends with it."""
        index = int(random.choice(self.by_collection[collection], p=self.chances[collection]))
        starts = [row[0] for row in self.corpus.pieces[index]["bars"]]
        bars = len(starts) - 1
        first = 0 if random.random() < 0.2 else int(random.integers(max(1, bars - 3)))
        stop = int(np.searchsorted(starts, starts[first] + READ_AHEAD * self.length, side="right")) - 1
        stop = min(bars, max(stop, first + 1))
        return coarsen(decode_piece(self.corpus.cut_window(index, first, stop))), stop == bars

    def _encode(self, collection: str, random: np.random.Generator) -> list[int]:
        """Draw an excerpt's tokens, as many as a row holds; Eos only at the end of a piece."""
        piece, is_end = self._read(collection, random)
        random.random()
        lengths = np.cumsum([len(bar) for bar in encode_bars(piece)]) + len(encode_header(piece))
        fitted = piece.slice(0, max(1, int(np.searchsorted(lengths, self.length, side="right"))))
        tokens = encode_piece(fitted, collection)
        return tokens if is_end and len(fitted.bars) == len(piece.bars) else tokens[:-1]

    def list_rows(self, collection: str, count: int) -> np.ndarray:
        """List the same `count` excerpts every time, one a row, int64 (count, length + 1), filled up with Pad."""
        random = np.random.default_rng(7)
        rows = np.full((count, self.length + 1), PAD.first)
        for row in rows:
            tokens = self._encode(collection, random)[: self.length + 1]
            row[: len(tokens)] = tokens
        return rows
