"""A piece keeps its own key, tempo and meter unless the person sets another, and what was changed is said."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.music.composer import MusicComposer
from models.music.contracts import MusicChunk, MusicRequest, TimedNote
from models.music.controls import measure_key
from models.music.midi_io import read_piece, to_mido
from models.music.score import Bar, InstrumentTrack, Note, Piece, transpose_piece
from models.music.source_piece import count_semitones, prepare_source
from models.music.vocabulary import KEYS, METERS, TEMPI, find_meter, find_tempo
from models.music.weights import save_debug
from tests.models.music.midi_cases import DAMAGED, G_MAJOR, SCALE, meter, midi_file, notes, tempo


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> MusicComposer:
    return MusicComposer(save_debug(tmp_path_factory.mktemp("music") / "debug.safetensors"), "float32")


def open_file(folder: Path, data: bytes) -> Piece:
    path = folder / "song.mid"
    path.write_bytes(data)
    return read_piece(path)


@pytest.fixture
def in_g(tmp_path: Path) -> Piece:
    return open_file(tmp_path, midi_file(tempo(140) + notes(G_MAJOR)))


def run(maker: MusicComposer, piece: Piece, action: str, **settings: object) -> list[MusicChunk]:
    return list(maker.stream(MusicRequest(action=action, piece=piece, **settings)))  # type: ignore[arg-type]


def heard(chunks: list[MusicChunk]) -> list[TimedNote]:
    return [note for chunk in chunks for note in chunk.notes]


def onsets(chunks: list[MusicChunk], count: int) -> np.ndarray:
    return np.array(sorted(note.start_s for note in heard(chunks))[:count])


def test_a_file_is_performed_as_it_is(maker: MusicComposer, in_g: Piece) -> None:
    chunks = run(maker, in_g, "perform")
    assert [note.pitch for note in heard(chunks)] == [*G_MAJOR]
    assert onsets(chunks, 16) == pytest.approx(np.arange(16) * 60 / 140)
    assert chunks[-1].remarks == ()
    assert chunks[-1].piece == in_g


def test_a_tempo_beyond_the_vocabulary_is_kept_when_a_piece_goes_on(maker: MusicComposer, tmp_path: Path) -> None:
    piece = open_file(tmp_path, midi_file(tempo(320) + notes(SCALE * 4)))
    chunks = run(maker, piece, "continue", bars=2, seed=4)
    assert onsets(chunks, 32) == pytest.approx(np.arange(32) * 0.1875)
    spans = [bar for chunk in chunks for bar in chunk.bars]
    assert [bar.end_s - bar.start_s for bar in spans] == pytest.approx([0.75] * 10)
    assert all(before.end_s == pytest.approx(after.start_s) for before, after in pairwise(spans))
    assert "320" in chunks[-1].remarks[0]
    made = chunks[-1].piece
    assert made is not None
    written = [m.tempo for m in to_mido(made, chunks[-1].tempo_scale).tracks[0] if m.type == "set_tempo"]
    assert written == [187_500]


@pytest.mark.slow
def test_tempo_changes_stay_when_a_piece_goes_on_or_is_played_faster(maker: MusicComposer, tmp_path: Path) -> None:
    piece = open_file(tmp_path, midi_file(tempo(120) + tempo(61, 1000), notes(SCALE * 2)))
    true_s = [piece.timing.to_seconds(24 * i) for i in range(16)]
    for action in ("perform", "continue", "rewrite"):
        assert onsets(run(maker, piece, action, bars=1), 8) == pytest.approx(
            true_s[:8] if action != "rewrite" else true_s[4:12]
        )
    faster = run(maker, piece, "perform", tempo=240)
    assert onsets(faster, 16) == pytest.approx(np.array(true_s) / 2)
    assert faster[-1].remarks == ("The piece is played at 240 beats a minute instead of 120.",)
    assert faster[-1].piece is not None and faster[-1].tempo_scale == 2.0
    written = [m.tempo for m in to_mido(faster[-1].piece, 2.0).tracks[0] if m.type == "set_tempo"]
    assert written == [250_000, pytest.approx(6e7 / 122, abs=1)]


@pytest.mark.slow
def test_a_melody_is_harmonised_at_its_own_tempo(maker: MusicComposer, in_g: Piece) -> None:
    chunks = run(maker, in_g, "harmonise", seed=3)
    melody = [note for note in heard(chunks) if note.track == 0]
    assert [note.start_s for note in melody] == pytest.approx(list(np.arange(16) * 60 / 140))


def test_a_composed_piece_keeps_its_tempo_between_two_rows_of_the_vocabulary(maker: MusicComposer) -> None:
    first = list(maker.stream(MusicRequest(tempo=93, bars=2, seed=1)))[-1]
    assert first.piece is not None and first.piece.tempo_map is None
    again = run(maker, first.piece, "perform", tempo_scale=first.tempo_scale)
    assert again[-1].tempo_scale == first.tempo_scale and again[-1].remarks == ()
    spans = [bar.end_s - bar.start_s for chunk in again for bar in chunk.bars]
    quarters = first.piece.bars[0].positions / 24
    assert spans == pytest.approx([quarters * 60 / 93] * 2)


@pytest.mark.parametrize(
    ("key", "first", "said"),
    [
        ("D major", 62, ["The piece was moved from G major to D major."]),
        ("G major", 67, []),
        (
            "A minor",
            69,
            ["The piece was moved from G major to A major.", "Its notes stay major: a piece is moved to another tonic"],
        ),
    ],
)
def test_a_key_that_is_set_is_played_and_told(
    maker: MusicComposer, in_g: Piece, key: str, first: int, said: list[str]
) -> None:
    chunks = run(maker, in_g, "perform", key=key)
    assert heard(chunks)[0].pitch == first
    remarks = chunks[-1].remarks
    assert len(remarks) == len(said) and all(a.startswith(b) for a, b in zip(remarks, said, strict=True))


def test_drums_have_no_key_to_change(maker: MusicComposer) -> None:
    drums = Piece((Bar(),), (InstrumentTrack.from_notes(0, True, [Note(0, 36, 6, 20)]),))
    chunks = run(maker, drums, "perform", key="D major")
    assert heard(chunks)[0].pitch == 36
    assert "no key to change" in chunks[-1].remarks[0]


def test_a_meter_that_is_set_lays_the_bars_anew_when_a_piece_is_played(maker: MusicComposer, in_g: Piece) -> None:
    chunks = run(maker, in_g, "perform", meter="3/4")
    made = chunks[-1].piece
    assert made is not None
    assert {METERS[bar.meter] for bar in made.bars} == {(3, 4)} and len(made.bars) == 6
    assert onsets(chunks, 16) == pytest.approx(np.arange(16) * 60 / 140)
    assert chunks[-1].remarks == ("The bars were laid in 3/4 instead of 4/4.",)


def test_a_meter_that_is_set_is_that_of_the_new_bars(maker: MusicComposer, in_g: Piece) -> None:
    chunks = run(maker, in_g, "continue", meter="3/4", bars=3, seed=2)
    made = chunks[-1].piece
    assert made is not None
    assert [METERS[bar.meter] for bar in made.bars] == [(4, 4)] * 4 + [(3, 4)] * 3
    assert chunks[-1].remarks == ("The new bars are in 3/4, those before them in 4/4.",)
    assert made.slice(0, 4).tracks[0].notes == in_g.tracks[0].notes


def test_a_meter_cannot_be_set_for_bars_that_are_rewritten(maker: MusicComposer, in_g: Piece) -> None:
    chunks = run(maker, in_g, "rewrite", meter="3/4", first_bar=2, last_bar=2)
    made = chunks[-1].piece
    assert made is not None and made.bars == in_g.bars
    assert chunks[-1].remarks == ("Bars that are rewritten keep the time signature of the piece, 4/4.",)


@pytest.mark.slow
def test_a_meter_that_the_file_has_needs_no_words(maker: MusicComposer, tmp_path: Path) -> None:
    piece = open_file(tmp_path, midi_file(meter(3, 2) + notes(G_MAJOR[:9])))
    for action in ("perform", "continue", "rewrite", "harmonise"):
        chunks = run(maker, piece, action, meter="3/4", bars=1)
        remarks = [each for each in chunks[-1].remarks if "melody was taken" not in each]
        assert remarks == []
        assert chunks[-1].piece is not None and chunks[-1].piece.bars[0].meter == find_meter(3, 4)


@pytest.mark.slow
def test_what_was_wrong_with_a_file_is_said_with_every_action(maker: MusicComposer, tmp_path: Path) -> None:
    piece = open_file(tmp_path, DAMAGED["cut tail"][0])
    for action in ("perform", "continue", "rewrite", "harmonise"):
        assert run(maker, piece, action, bars=1)[0].remarks[0] == "The MIDI file is cut off; what is there was read."


def test_an_open_tempo_is_none_or_nothing() -> None:
    assert MusicRequest().tempo == MusicRequest(tempo=None).tempo == MusicRequest(tempo=0).tempo == 0.0
    assert MusicRequest().new_tempo == 100.0 and MusicRequest(tempo=90).new_tempo == 90
    assert MusicRequest().pace == pytest.approx(100 / TEMPI[find_tempo(100)])
    with pytest.raises(ValueError, match="tempo"):
        MusicRequest(tempo=5)


def test_semitones_are_counted_by_the_shorter_way(in_g: Piece) -> None:
    assert [count_semitones(in_g, key) for key in ("G major", "C major", "Db major", "D minor", "")] == [
        0,
        5,
        -6,
        -5,
        0,
    ]
    for key in KEYS[:12]:
        moved = transpose_piece(in_g, count_semitones(in_g, key))
        assert KEYS[measure_key(moved)] == key


def test_a_note_moved_out_of_range_comes_back_an_octave() -> None:
    low_high = Piece((Bar(),), (InstrumentTrack.from_notes(0, False, [Note(0, 1, 24, 9), Note(24, 126, 24, 9)]),))
    assert [n.pitch for n in transpose_piece(low_high, -5).tracks[0].notes] == [8, 121]
    assert [n.pitch for n in transpose_piece(low_high, 5).tracks[0].notes] == [6, 119]
    drums = InstrumentTrack.from_notes(0, True, [Note(0, 36, 6, 9)])
    assert transpose_piece(Piece((Bar(),), (drums,)), 5).tracks == (drums,)


def test_an_action_without_its_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="no piece to compose"):
        prepare_source(MusicRequest())
