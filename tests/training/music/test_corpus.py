"""Reading the collections: the grid of pop songs, the voices of chorales, what is held out, the file of tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.score import COMMON_TIME, Piece
from models.music.tokenizer import decode_piece
from models.music.vocabulary import TEMPI, find_meter
from tests.models.music.strategies import instrument, pieces
from training.music.corpus import Corpus, Source, lay_out_pop_bars, read_chorale, read_collections, read_lied, read_song


def write_midi(path: Path, *instruments: pretty_midi.Instrument, tempo: float = 120.0) -> Path:
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    midi.instruments = list(instruments)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.write(str(path))
    return path


def write_song(folder: Path, name: str) -> Path:
    """Write a song whose beats come every 0.4 s from 0.25 s on, played a little beside them, with another tempo."""
    beats = [(0.25 + 0.4 * i, 1.0 if i % 2 == 0 else 0.0, 1.0 if i % 4 == 0 else 0.0) for i in range(20)]
    at = [0.25 + 0.4 * i + 0.02 for i in range(12)]
    path = write_midi(
        folder / name / f"{name}.mid",
        instrument(*((72 + i, t, t + 0.2) for i, t in enumerate(at))),
        instrument((60, at[4], at[5])),
        instrument(*((40, t, t + 0.8) for t in at[::2])),
    )
    np.savetxt(path.with_name("beat_midi.txt"), beats)
    return path


def test_a_song_is_laid_on_its_own_beats(tmp_path: Path) -> None:
    piece = read_song(write_song(tmp_path, "001"))
    assert [note.start for note in piece.tracks[0].notes] == [24 * i for i in range(12)]
    assert [note.duration for note in piece.tracks[0].notes] == [12] * 12
    assert piece.bars[0].meter == COMMON_TIME and len(piece.bars) == 3
    assert TEMPI[piece.bars[0].tempo] == pytest.approx(150.0, rel=0.018)


def test_bars_of_three_beats_are_found() -> None:
    beats = np.array([(i, i % 3 == 1, i % 6 == 1) for i in range(20)], dtype=float)
    meter, times = lay_out_pop_bars(beats)
    assert meter == find_meter(3, 4) and times[0] == 1.0


def test_the_piano_of_a_song_is_one_track(tmp_path: Path) -> None:
    voice, right, left = (instrument((pitch, 0.0, 0.5), program=p) for pitch, p in ((70, 68), (60, 0), (40, 0)))
    piece = read_lied(write_midi(tmp_path / "a.mid", voice, right, left))
    assert [track.program for track in piece.tracks] == [68, 0]
    assert [note.pitch for note in piece.tracks[1].notes] == [40, 60]


def test_equal_pitches_of_a_voice_become_one_note_up_to_the_barline() -> None:
    piece = read_chorale([[72, 64, 55, 48]] * 18 + [[], [74]])
    soprano = piece.tracks[0].notes
    assert [(note.start, note.pitch, note.duration) for note in soprano] == [(0, 72, 96), (96, 72, 12), (114, 74, 6)]
    assert [len(track.notes) for track in piece.tracks] == [3, 2, 2, 2]


def collections_in(folder: Path) -> Path:
    """All four collections, a few notes of each."""
    for name in ("024", "025"):
        write_song(folder / "POP909", name)
    for name in ("First__lc50", "Second__lc51"):
        write_midi(folder / "openscore_lieder_midi" / f"{name}.mid", instrument((60, 0, 1), (62, 2.0, 3.0)))
    (folder / "openscore_lieder_midi" / "Broken__lc7.mid").write_bytes(b"not MIDI at all")
    write_midi(folder / "groove" / "d1" / "1.mid", instrument((40, 0, 0.1), (22, 2.1, 2.2), is_drum=True))
    rows = ["midi_filename,beat_type,time_signature,bpm,split", "d1/1.mid,beat,4-4,120,validation"]
    (folder / "groove" / "info.csv").write_text("\n".join([*rows, "d1/2.mid,fill,4-4,120,train"]))
    (folder / "jsb").mkdir()
    chorale = [[72, 64, 55, 48]] * 20
    (folder / "jsb" / "jsb-chorales-16th.json").write_text(json.dumps({"train": [chorale], "test": [chorale]}))
    return folder


def test_what_is_held_out_is_told_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = list(read_collections(collections_in(tmp_path), tmp_path / "scratch"))
    assert {(s.collection, s.name): s.held_out for s in sources} == {
        ("pop", "024"): False,
        ("pop", "025"): True,
        ("lieder", "First__lc50"): True,
        ("lieder", "Second__lc51"): False,
        ("drums", "d1/1.mid"): True,
        ("chorales", "test-000"): True,
        ("chorales", "train-000"): False,
    }
    drums = next(s.piece for s in sources if s.collection == "drums").tracks[0]
    assert drums.is_drum and [note.pitch for note in drums.notes] == [38, 42]
    assert "passed over Broken__lc7.mid" in capsys.readouterr().out


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks jsb/jsb-chorales-16th\.json"):
        list(read_collections(tmp_path, tmp_path))


@given(st.lists(pieces(with_notes=True), min_size=1, max_size=3), st.data())
def test_windows_of_the_file_are_the_bars_of_the_pieces(drawn: list[Piece], data: st.DataObject) -> None:
    long = [piece for piece in drawn if len(piece.bars) > 1]
    corpus = Corpus.from_sources(Source("pop", str(i), False, piece) for i, piece in enumerate(long))
    for index, piece in enumerate(long):
        first = data.draw(st.integers(0, len(piece.bars) - 1))
        stop = data.draw(st.integers(first + 1, len(piece.bars)))
        assert decode_piece(corpus.cut_window(index, first, stop)) == piece.slice(first, stop)


def test_the_file_is_read_back(tmp_path: Path) -> None:
    corpus = Corpus.from_sources(iter([Source("chorales", "a", True, read_chorale([[60, 55, 52, 48]] * 40))]))
    corpus.save(tmp_path / "corpus.npz")
    read = Corpus.load(tmp_path / "corpus.npz")
    assert np.array_equal(read.tokens, corpus.tokens) and read.cut_window(0, 1, 3) == corpus.cut_window(0, 1, 3)
