"""Training examples: windows of the corpus, arranged, transposed, and written as tokens to learn from.

An example is an excerpt of whole bars with its controls measured anew, so that a control always tells what follows. One
in five is an infilling. Any control but meter and tempo may be hidden (Pad in its place, never a target), so that the
model also knows what music is like without it, which guidance needs (`models.music.guidance`). Examples are laid end to
end in rows of one length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from models.music.score import COMMON_TIME, InstrumentTrack, Piece
from models.music.tokenizer import decode_piece, encode_bars, encode_header, encode_infill, encode_piece
from models.music.vocabulary import DENSITY, KEY, PAD, REGISTER, STYLE
from training.music.corpus import COLLECTIONS, Corpus, round_velocity
from training.music.ensemble import arrange, loop_drums, transpose

MIX = {"pop": 0.5, "lieder": 0.27, "drums": 0.11, "chorales": 0.12}
INFILLING_SHARE, DRUMS_SHARE, HIDDEN_SHARE = 0.2, 0.5, 0.1
HIDDEN = (STYLE, KEY, DENSITY, REGISTER)
READ_AHEAD = (
    1.1  # a little more is read than a row holds; what an excerpt loses or wins by its ensemble is not known yet
)
VELOCITY_BINS = 6  # velocities are told apart in steps of 24: finer ones cost many tokens and are hardly heard


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


class Examples:
    """Draws examples from one side of a corpus.

    Args:
        length: tokens of a row.
        augment: whether excerpts are arranged and transposed by chance, infilled, and controls hidden.
    """

    def __init__(self, corpus: Corpus, length: int, held_out: bool = False, augment: bool = True) -> None:
        self.corpus, self.length, self.augment = corpus, length, augment
        self.by_collection = {
            name: [
                index
                for index, piece in enumerate(corpus.pieces)
                if piece["collection"] == name and piece["held_out"] == held_out
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

    def _choose_drums(self, piece: Piece, random: np.random.Generator) -> InstrumentTrack | None:
        """Choose a drummer to play along, for half of what is in 4/4."""
        if random.random() >= DRUMS_SHARE or any(bar.meter != COMMON_TIME for bar in piece.bars):
            return None
        drummer = self.draw_excerpt("drums", random)
        return loop_drums(drummer, int(random.integers(max(1, len(drummer.bars) - 8))), piece.positions)

    def _vary(self, piece: Piece, collection: str, random: np.random.Generator) -> Piece:
        """Draw another ensemble, key, tempo and loudness."""
        piece = arrange(piece, collection, random, self._choose_drums(piece, random) if collection == "pop" else None)
        tempo = int(random.integers(-2, 3) if collection == "drums" else random.integers(-4, 5))
        return transpose(piece, int(random.integers(-6, 6)), tempo, VELOCITY_BINS // 2 * int(random.integers(-1, 2)))

    def draw_example(self, collection: str, random: np.random.Generator) -> list[int]:
        """Draw one sequence of tokens, as long as a row or shorter; Eos only at the end of a piece or an infilling."""
        piece, is_end = self._read(collection, random)
        if self.augment:
            piece = self._vary(piece, collection, random)
        budget = (
            self.length
            if random.random() < 0.6 or not self.augment
            else int(random.integers(self.length // 6, self.length))
        )
        if self.augment and random.random() < INFILLING_SHARE:
            tokens = self._make_infilling(self._fit(piece, budget - 40), collection, random)
        else:
            fitted = self._fit(piece, budget)
            tokens = encode_piece(fitted, collection)
            if len(fitted.bars) < len(piece.bars) or not is_end:
                tokens = tokens[:-1]
        return self._hide_controls(tokens, random) if self.augment else tokens

    def _fit(self, piece: Piece, budget: int) -> Piece:
        """Keep the first bars that have at most `budget` tokens with their front; at least one bar."""
        lengths = np.cumsum([len(bar) for bar in encode_bars(piece)]) + len(encode_header(piece))
        return piece.slice(0, max(1, int(np.searchsorted(lengths, budget, side="right"))))

    def _make_infilling(self, piece: Piece, collection: str, random: np.random.Generator) -> list[int]:
        bars = len(piece.bars)
        count = int(random.integers(1, max(2, min(4, bars // 2) + 1)))
        first = int(random.integers(0, bars - count + 1))
        given, answer = encode_infill(piece, first, first + count, collection)
        return given + answer

    def _hide_controls(self, tokens: list[int], random: np.random.Generator) -> list[int]:
        """Replace some of the controls in front (tokens 1 to 6) by Pad."""
        hidden = [kind for kind in HIDDEN if random.random() < HIDDEN_SHARE]
        front = [
            PAD.first if any(kind.first <= token < kind.stop for kind in hidden) else token for token in tokens[1:7]
        ]
        return [tokens[0], *front, *tokens[7:]]

    def draw_rows(self, random: np.random.Generator) -> Iterator[np.ndarray]:
        """Draw endless rows int64 (length + 1,): what is given, and shifted by one what is to be said."""
        names = list(MIX)
        chances = np.array([MIX[name] for name in names])
        while True:
            row: list[int] = []
            while len(row) <= self.length:
                row += self.draw_example(str(random.choice(names, p=chances)), random)
            yield np.array(row[: self.length + 1])

    def list_held_out_rows(self, collection: str, count: int) -> np.ndarray:
        """List the same `count` excerpts every time, one a row, int64 (count, length + 1), filled up with Pad."""
        random = np.random.default_rng(7)
        rows = np.full((count, self.length + 1), PAD.first)
        for row in rows:
            tokens = self.draw_example(collection, random)[: self.length + 1]
            row[: len(tokens)] = tokens
        return rows
