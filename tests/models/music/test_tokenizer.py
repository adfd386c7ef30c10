"""Tokens: exact round trips on the grid, stated precision from MIDI objects, decoding that never fails."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.controls import measure_controls
from models.music.midi_io import quantise, to_mido
from models.music.midi_song import read_midi
from models.music.score import MAX_BARS, Bar, InstrumentTrack, Note, Piece
from models.music.tokenizer import decode_piece, encode_infill, encode_piece
from models.music.vocabulary import (
    BAR,
    DRUM,
    DRUM_DURATION,
    DURATION,
    EOS,
    KEYS,
    MASK,
    METER,
    PITCH,
    POSITION,
    POSITIONS_PER_QUARTER,
    SEPARATOR,
    TEMPI,
    TRACK,
    VELOCITY,
    VOCABULARY_SIZE,
    find_meter,
    name_token,
    split_token,
)
from tests.models.music.strategies import instrument, midi_objects, pieces, quantise_object, reread

# A folder of MIDI files to try; without it those tests are left out.
MIDI_FOLDER = os.environ.get("AURALUME_TEST_MIDI", "")
COMMON = find_meter(4, 4)


def melody(*notes: tuple[int, int, int], bars: int = 1, program: int = 0) -> Piece:
    """One track; notes are (start, pitch, duration)."""
    track = InstrumentTrack.from_notes(
        program, False, (Note(start, pitch, duration, 20) for start, pitch, duration in notes)
    )
    return Piece((Bar(),) * bars, (track,))


@given(pieces())
def test_a_piece_comes_back_exactly(piece: Piece) -> None:
    assert decode_piece(encode_piece(piece)) == piece


@pytest.mark.slow
@given(pieces(with_notes=True))
def test_a_piece_comes_back_from_midi(piece: Piece) -> None:
    """All but what MIDI cannot hold: bars after the last onset."""
    last = max(note.start for track in piece.tracks for note in track.notes)
    heard = sum(start <= last for start in piece.list_bar_starts()[:-1])
    again = reread(piece)
    assert again.bars == piece.bars[:heard]
    assert again.tracks == piece.tracks


@pytest.mark.slow
@given(midi_objects())
def test_a_midi_object_comes_back_to_the_stated_precision(midi: pretty_midi.PrettyMIDI) -> None:
    tokens = encode_piece(quantise_object(midi))
    decoded = decode_piece(tokens)
    piece = reread(decoded)
    assert encode_piece(piece) == tokens
    seconds_per_quarter = 60 / midi.get_tempo_changes()[1][0]
    programs = [i.program for i in midi.instruments if not i.is_drum]
    assert [track.program for track in piece.melodic] == programs
    tracks = [track for track in piece.tracks if track.is_drum] * (len(piece.tracks) > len(piece.melodic))
    melodic = iter(piece.melodic)
    tick = 0.5 / midi.resolution
    for played in midi.instruments:
        track = tracks[0] if played.is_drum else next(melodic)
        for note in played.notes:
            start = note.start / seconds_per_quarter * POSITIONS_PER_QUARTER
            slack = 0.5 + tick * POSITIONS_PER_QUARTER + 1e-6
            near = [n for n in track.notes if n.pitch == note.pitch and abs(n.start - start) <= slack]
            assert near
            assert any(n.velocity * 4 + 3 >= note.velocity for n in near)
    for bar in piece.bars:
        assert abs(TEMPI[bar.tempo] * seconds_per_quarter / 60 - 1) < 0.018


def test_durations_come_back_to_the_stated_precision() -> None:
    midi = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=60)
    lengths_s = np.linspace(0.05, 15.9, 60)
    starts_s = np.concatenate([[0.0], np.cumsum(lengths_s + 1.0)[:-1]])
    piano = instrument(
        *((60, start_s, start_s + length_s) for start_s, length_s in zip(starts_s, lengths_s, strict=True))
    )
    midi.instruments.append(piano)
    decoded = decode_piece(encode_piece(quantise_object(midi)))
    for before, after in zip(piano.notes, decoded.tracks[0].notes, strict=True):
        length = before.end - before.start
        step = next(s for end, s in ((1, 1), (2, 2), (4, 4), (8, 12), (16, 24)) if length <= end) / 24
        tempo_ratio = TEMPI[20] / 60  # the bin of the tempo is exact
        assert tempo_ratio == 1.0
        assert abs(after.duration / POSITIONS_PER_QUARTER - length) <= step / 2 + 1 / 48 + 1e-3


def test_tempo_and_meter_changes_and_short_bars_come_back() -> None:
    bars = (Bar(find_meter(1, 4), 20), Bar(COMMON, 20), Bar(COMMON, 35), Bar(find_meter(7, 8), 35), Bar(COMMON, 0))
    starts = list(itertools.accumulate((bar.positions for bar in bars), initial=0))
    track = InstrumentTrack.from_notes(40, False, (Note(start, 64, 6, 10) for start in starts[:-1]))
    piece = Piece(bars, (track,))
    written = [(m.numerator, m.denominator) for m in to_mido(piece).tracks[0] if m.type == "time_signature"]
    assert written == [(1, 4), (4, 4), (7, 8), (4, 4)]
    assert reread(piece) == piece


def test_a_bar_cut_short_by_a_change_of_meter_keeps_the_barlines_that_follow() -> None:
    midi = pretty_midi.PrettyMIDI(initial_tempo=60)
    midi.time_signature_changes = [pretty_midi.TimeSignature(4, 4, 0), pretty_midi.TimeSignature(3, 4, 1.5)]
    midi.instruments = [instrument((60, 5.0, 5.5))]
    piece = quantise_object(midi)
    assert [bar.meter for bar in piece.bars] == [find_meter(3, 8), find_meter(3, 4), find_meter(3, 4)]
    assert {bar.meter for bar in quantise_object(midi, (2, 4)).bars} == {find_meter(2, 4)}


def test_what_a_bar_says() -> None:
    piece = Piece(
        (Bar(COMMON, 40), Bar(COMMON, 40)),
        (
            InstrumentTrack.from_notes(0, False, (Note(0, 60, 24, 20), Note(0, 64, 24, 20), Note(24, 67, 12, 22))),
            InstrumentTrack.from_notes(0, True, (Note(0, 36, 6, 25), Note(96, 38, 6, 25))),
        ),
    )
    names = [name_token(token) for token in encode_piece(piece, "pop")]
    assert names == [
        "Bos", "Style_2", "Key_0", "Tempo_40", f"Meter_{COMMON}", "Density_3", "Register_7",
        "Track_0", "Program_0", "Drums",
        "Bar", "Position_0", "Track_0", "Velocity_20", "Pitch_60", "Duration_23", "Pitch_64", "Duration_23",
        "Drums", "Velocity_25", "Drum_36",
        "Position_24", "Track_0", "Velocity_22", "Pitch_67", "Duration_11",
        "Bar", "Position_0", "Drums", "Velocity_25", "Drum_38", "Eos",
    ]  # fmt: skip


def test_overlaps_and_doubles_of_a_pitch_are_cut() -> None:
    track = InstrumentTrack.from_notes(
        0, False, (Note(0, 60, 48, 5), Note(0, 60, 24, 9), Note(25, 60, 24, 5), Note(10, 61, 24, 5))
    )
    assert track.notes == (Note(0, 60, 24, 9), Note(10, 61, 24, 5), Note(25, 60, 24, 5))
    drums = InstrumentTrack.from_notes(7, True, (Note(0, 42, 99, 5), Note(2, 42, 99, 5)))
    assert drums.program == 0
    assert [note.duration for note in drums.notes] == [2, DRUM_DURATION]


@pytest.mark.parametrize(
    ("bars", "tracks", "message"),
    [
        ((Bar(),) * (MAX_BARS + 1), (), "2,001 bars"),
        ((Bar(),), (InstrumentTrack(0, True, ()), InstrumentTrack(0, False, ())), "drums must be one track"),
        ((Bar(),), (InstrumentTrack(0, False, ()),) * 17, "17 melodic tracks"),
        ((Bar(),), (InstrumentTrack(128, False, ()),), "program"),
        ((Bar(99, 0),), (), "METERS"),
        ((Bar(),), (InstrumentTrack(0, False, (Note(96, 60, 1, 1),)),), "does not fit"),
    ],
)
def test_an_impossible_piece_is_refused(
    bars: tuple[Bar, ...], tracks: tuple[InstrumentTrack, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Piece(bars, tracks)


# ---- any tokens at all


@given(st.lists(st.integers(-3, VOCABULARY_SIZE + 3), max_size=200))
def test_decoding_never_fails(tokens: list[int]) -> None:
    assert to_mido(decode_piece(tokens)).length >= 0


KINDS_THAT_MATTER = st.sampled_from((BAR, METER, TRACK, POSITION, VELOCITY, PITCH, DURATION, DRUM, MASK, SEPARATOR))


@given(st.lists(KINDS_THAT_MATTER.flatmap(lambda kind: st.integers(kind.first, kind.stop - 1)), max_size=300))
def test_decoding_nearly_sensible_tokens_never_fails_and_what_was_read_comes_back(tokens: list[int]) -> None:
    piece = decode_piece(tokens)
    assert decode_piece(encode_piece(piece)) == piece
    to_mido(piece)


@pytest.mark.slow
@given(pieces(with_notes=True), st.data())
def test_a_damaged_sequence_is_still_read(piece: Piece, data: st.DataObject) -> None:
    tokens = encode_piece(piece)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(tokens) - 1))
        tokens[at] = data.draw(st.integers(0, VOCABULARY_SIZE - 1))
    cut = data.draw(st.integers(0, len(tokens)))
    assert decode_piece(tokens[:cut]).note_count <= piece.note_count + 5


def test_endless_bars_and_masks_are_bounded() -> None:
    assert len(decode_piece([BAR.to_token()] * (MAX_BARS + 50)).bars) == MAX_BARS
    many = [BAR.to_token()] * MAX_BARS + [MASK.to_token()] * 50_000 + [SEPARATOR.to_token()]
    assert len(decode_piece(many).bars) == MAX_BARS


def test_a_shrunken_bar_never_leaves_a_note_outside() -> None:
    last = [POSITION.to_token(90), TRACK.to_token(0), VELOCITY.to_token(9), PITCH.to_token(60), DURATION.to_token(5)]
    tokens = [BAR.to_token(), *last, POSITION.to_token(180), METER.to_token(find_meter(1, 16))]
    assert decode_piece(tokens) == Piece((Bar(),), (InstrumentTrack(0, False, (Note(90, 60, 6, 9),)),))


# ---- infilling


@pytest.mark.slow
@given(pieces(with_notes=True), st.data())
def test_an_infilling_with_its_own_answer_is_the_piece(piece: Piece, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(piece.bars) - 1))
    stop = data.draw(st.integers(first + 1, len(piece.bars)))
    given_tokens, answer = encode_infill(piece, first, stop)
    assert decode_piece(given_tokens + answer) == piece
    assert sum(split_token(token)[0] is MASK for token in given_tokens) == stop - first


def test_an_infilling_changes_only_the_asked_bars() -> None:
    piece = melody((0, 60, 24), (96, 62, 24), (192, 64, 24), (288, 65, 24), bars=4)
    other = melody((0, 60, 24), (96, 50, 12), (240, 51, 12), (288, 65, 24), bars=4)
    given_tokens, _ = encode_infill(piece, 1, 3)
    _, answer = encode_infill(other, 1, 3)
    assert decode_piece(given_tokens + answer) == other
    one_bar_only = answer[: answer.index(BAR.to_token(), 1)]
    assert decode_piece([*given_tokens, *one_bar_only]).slice(3, 4) == piece.slice(3, 4)
    too_many = [*answer[:-1], BAR.to_token(), *answer]
    assert decode_piece(given_tokens + too_many).slice(3, 4) == piece.slice(3, 4)
    unanswered = decode_piece(given_tokens)
    assert [note.start for note in unanswered.tracks[0].notes] == [0, 288]


@pytest.mark.parametrize(("first", "stop"), [(0, 0), (-1, 1), (0, 5), (2, 1)])
def test_infilling_of_bars_that_are_not_there_is_refused(first: int, stop: int) -> None:
    with pytest.raises(ValueError, match="the piece has bars 0 to 4"):
        encode_infill(melody((0, 60, 24), bars=4), first, stop)


# ---- controls


def scale(steps: tuple[int, ...], tonic: int) -> Piece:
    """Return a scale up and down with a long tonic, in four bars."""
    pitches = [60 + tonic + step for step in (*steps, 12, *reversed(steps))]
    notes = [(24 * i, pitch, 24) for i, pitch in enumerate(pitches)]
    return melody(*notes, (24 * len(notes), 60 + tonic, 24), (24 * len(notes), 67 + tonic, 24), bars=4)


@pytest.mark.parametrize("tonic", range(12))
def test_key_and_mode_are_heard(tonic: int) -> None:
    major = measure_controls(scale((0, 2, 4, 5, 7, 9, 11), tonic))
    minor = measure_controls(scale((0, 2, 3, 5, 7, 8, 11), tonic))
    assert (major.key, minor.key) == (tonic, 12 + tonic)


def test_density_register_and_silence_are_measured() -> None:
    sparse, dense = melody((0, 40, 24)), melody(*((6 * i, 80, 6) for i in range(16)))
    assert measure_controls(sparse).density == 0  # a note in four quarters
    assert measure_controls(dense).density == 8  # four notes a quarter
    assert (measure_controls(sparse).register, measure_controls(dense).register) == (1, 11)
    drums = Piece((Bar(),), (InstrumentTrack.from_notes(0, True, (Note(0, 36, 6, 20),)),))
    assert KEYS[measure_controls(drums).key] == "none"
    assert measure_controls(Piece((), ())).density == 0


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="style is 'polka'"):
        encode_piece(melody((0, 60, 24)), "polka")


# ---- real files


@pytest.mark.skipif(not MIDI_FOLDER, reason="AURALUME_TEST_MIDI names no folder")
def test_real_files_come_back() -> None:
    files = sorted(path for path in Path(MIDI_FOLDER).rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    assert files
    chosen = [files[i] for i in np.random.default_rng(0).permutation(len(files))[:60]]
    for path in chosen:
        song = read_midi(path)
        piece = quantise(song)
        assert decode_piece(encode_piece(piece)) == piece, path
        assert reread(piece) == piece, path
        notes = sum(len(played.notes) for played in song.instruments)
        assert 0.85 * notes <= piece.note_count <= notes, path
        assert encode_piece(piece)[-1] == EOS.to_token()
