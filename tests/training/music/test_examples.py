"""Held-out excerpts: the music itself, and always the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.instrument_order import sort_by_role
from models.music.score import merge_tracks
from models.music.tokenizer import decode_piece
from models.music.vocabulary import PAD
from tests.training.music.made_up import make_corpus, song
from training.music.corpus import COLLECTIONS
from training.music.examples import Excerpts


def test_programs_are_put_in_the_order_of_the_training() -> None:
    assert sort_by_role((33, 0, 73)) == (73, 0, 33)
    assert sort_by_role((48, 40, 43)) == (40, 48, 43)


def test_merging_keeps_every_onset() -> None:
    tracks = song().tracks
    assert {(n.start, n.pitch) for n in merge_tracks(tracks, 5).notes} == {
        (n.start, n.pitch) for t in tracks for n in t.notes
    }


def test_only_held_out_pieces_are_drawn_and_rows_stay_the_same() -> None:
    corpus = make_corpus()
    excerpts = Excerpts(corpus, 128)
    assert all(corpus.pieces[index]["held_out"] for indices in excerpts.by_collection.values() for index in indices)
    rows = excerpts.list_rows("drums", 3)
    assert rows.shape == (3, 129) and np.array_equal(rows, excerpts.list_rows("drums", 3))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_held_out_excerpt_is_the_music_itself(collection: str) -> None:
    row = Excerpts(make_corpus(), 256).list_rows(collection, 1)[0]
    piece = decode_piece(int(token) for token in row if token != PAD.first)
    assert len(piece.tracks) == {"pop": 3, "lieder": 2, "drums": 1, "chorales": 4}[collection]
    assert piece.note_count > 20
