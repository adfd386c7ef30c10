"""What the roll asks of the composer: varied bars, four versions, going on after a bar, the mixing desk, stems."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.composer import MusicComposer
from models.music.contracts import IDEAS, MusicRequest
from models.music.desk import MixingDesk
from models.music.editing import join_bars
from models.music.score import Piece
from models.music.stems import StemRenderer
from models.music.weights import save_debug
from tests.models.music.test_composer import a_piece, compose, notes_of, sound


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> MusicComposer:
    return MusicComposer(save_debug(tmp_path_factory.mktemp("music") / "debug.safetensors"), "float32")


def rhythm(piece: Piece, track: int) -> list[tuple[int, int, int]]:
    return [(note.start, note.duration, note.velocity) for note in piece.tracks[track].notes]


def test_varied_bars_keep_rhythm_and_first_notes_and_change_pitches(maker: MusicComposer) -> None:
    piece = a_piece()
    made = compose(maker, action="vary", piece=piece, first_bar=2, last_bar=5, seed=3)[-1].piece
    assert made is not None and made.bars == piece.bars
    assert notes_of(made, 0, 1) == notes_of(piece, 0, 1) and notes_of(made, 5, 6) == notes_of(piece, 5, 6)
    assert rhythm(made, 0) == rhythm(piece, 0) and rhythm(made, 1) == rhythm(piece, 1)
    changed = [(old, new) for old, new in zip(piece.tracks[0].notes, made.tracks[0].notes, strict=True) if old != new]
    assert 0 < len(changed) < 12
    assert all(0 < abs(new.pitch - old.pitch) <= 7 and old.start % 96 for old, new in changed)


def test_versions_are_several_rewritten_pieces_and_the_first_is_what_rewriting_gives(maker: MusicComposer) -> None:
    asked = {"piece": a_piece(4), "first_bar": 2, "last_bar": 2, "seed": 1}
    chunks = compose(maker, action="versions", **asked)
    made = [chunk.piece for chunk in chunks if chunk.piece is not None]
    assert [chunk.idea for chunk in chunks if chunk.piece is not None] == list(range(IDEAS))
    assert made[0] == compose(maker, action="rewrite", **asked)[-1].piece
    assert len({tuple(track.notes for track in piece.tracks) for piece in made}) > 1
    assert all(notes_of(piece, 2, 4) == notes_of(a_piece(4), 2, 4) for piece in made)


def test_a_piece_is_continued_after_a_bar_of_it(maker: MusicComposer) -> None:
    made = compose(maker, action="continue", piece=a_piece(), keep_bars=2, bars=1, seed=1)[-1].piece
    assert made is not None and len(made.bars) == 3
    assert notes_of(made, 0, 2) == notes_of(a_piece(), 0, 2)
    with pytest.raises(ValueError, match="keep_bars"):
        MusicRequest(action="continue", piece=a_piece(), keep_bars=7)


def test_the_bars_of_the_chunks_are_the_piece(maker: MusicComposer) -> None:
    chunks = compose(maker, bars=2, seed=4, programs=(0,), drums=True)
    assert join_bars([chunk.part for chunk in chunks if chunk.part is not None]) == chunks[-1].piece


def test_the_desk_is_heard(maker: MusicComposer) -> None:
    played = {
        mix: sound(compose(maker, action="perform", piece=a_piece(1), mix=mix))
        for mix in ("", "0dB, 0dB", "0dB L100, 0dB mute", "0dB, 0dB mute")
    }
    assert np.array_equal(played[""], played["0dB, 0dB"])
    power = np.square(played["0dB L100, 0dB mute"][:, :44_100]).sum(axis=1)
    assert power[0] > 20 * power[1]  # the room alone reaches the right
    assert not np.array_equal(played[""], played["0dB, 0dB mute"])
    with pytest.raises(ValueError, match="Mixing desk"):
        MusicRequest(action="perform", piece=a_piece(1), mix="loud")


def test_the_stems_together_are_the_piece(maker: MusicComposer) -> None:
    piece, mix = a_piece(2), "-3dB L40, 2dB"
    whole = sound(compose(maker, action="perform", piece=piece, mix=mix))
    stems = dict(StemRenderer(maker.bank, piece, desk=MixingDesk.parse(mix)).stream())
    assert sorted(stems) == [0, 1] and all(np.abs(stem).max() > 0.02 for stem in stems.values())
    assert np.abs(stems[0] + stems[1] - whole).max() < 1e-3
    assert StemRenderer(maker.bank, piece, desk=MixingDesk.parse("0dB mute")).list_tracks() == [1]
