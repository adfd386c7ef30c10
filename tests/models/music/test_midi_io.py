"""MIDI files good and bad: every failure is a ValueError with a sentence, and nothing grows out of bounds."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.midi_events import MAX_FILE_BYTES, MidiError, parse_midi
from models.music.midi_io import quantise, read_piece, to_mido
from models.music.midi_song import build_song, read_midi
from models.music.score import Bar, InstrumentTrack, Note, Piece, TempoMap
from models.music.tokenizer import encode_piece
from models.music.vocabulary import MAX_TRACKS, TEMPI
from tests.models.music.midi_cases import meter, midi_file, notes, tempo
from tests.models.music.strategies import instrument, quantise_object, reread


def midi_bytes(*tracks: bytes, midi_type: int = 1, division: int = 480) -> bytes:
    """Return a file of raw track contents."""
    chunks = b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    return b"MThd" + struct.pack(">IHHH", 6, midi_type, len(tracks), division) + chunks


NOTE = bytes([0x00, 0x90, 60, 100, 0x83, 0x60, 0x80, 60, 0])  # a quarter of middle C
END = bytes([0x00, 0xFF, 0x2F, 0x00])


def write(folder: Path, data: bytes) -> Path:
    path = folder / "song.mid"
    path.write_bytes(data)
    return path


def refused(folder: Path, data: bytes) -> str:
    """Return the sentence that a file is refused with."""
    with pytest.raises(ValueError, match=r"^[A-Z].*[.?]$") as caught:
        read_piece(write(folder, data))
    return str(caught.value)


def long_piece() -> Piece:
    """Two instruments and drums."""
    notes = [Note(12 * i, 50 + i % 20, 12, i % 32) for i in range(100)]
    tracks = (
        InstrumentTrack.from_notes(0, False, notes),
        InstrumentTrack.from_notes(68, False, notes[::2]),
        InstrumentTrack.from_notes(0, True, notes[::3]),
    )
    return Piece((Bar(),) * 13, tracks)


def saved(piece: Piece) -> bytes:
    buffer = io.BytesIO()
    to_mido(piece).save(file=buffer)
    return buffer.getvalue()


# ---- good files


def test_a_written_file_is_read_back_and_opens_in_mido_and_pretty_midi(tmp_path: Path) -> None:
    piece = long_piece()
    path = write(tmp_path, saved(piece))
    assert read_piece(path) == piece
    heard = [(i.program, i.is_drum, len(i.notes)) for i in pretty_midi.PrettyMIDI(str(path)).instruments]
    assert heard == [(track.program, track.is_drum, len(track.notes)) for track in piece.tracks]
    tempi = [m.tempo for track in mido.MidiFile(path).tracks for m in track if m.type == "set_tempo"]
    assert tempi == pytest.approx([6e7 / TEMPI[40]], rel=1e-4)


def test_type_0_splits_by_channel(tmp_path: Path) -> None:
    track = (
        bytes([0, 0xC0, 5, 0, 0xC1, 40]) + NOTE + bytes([0, 0x91, 64, 90, 0x60, 64, 0, 0, 0x99, 36, 80, 0x60, 36, 0])
    )
    piece = read_piece(write(tmp_path, midi_bytes(track + END, midi_type=0)))
    assert [(t.program, t.is_drum) for t in piece.tracks] == [(5, False), (40, False), (0, True)]


def test_tempo_and_meter_count_wherever_they_stand(tmp_path: Path) -> None:
    tempo = bytes([0, 0xFF, 0x51, 3]) + (1_000_000).to_bytes(3, "big")
    meter = bytes([0, 0xFF, 0x58, 4, 3, 2, 24, 8])
    piece = read_piece(write(tmp_path, midi_bytes(NOTE + END, tempo + meter + NOTE + END)))
    assert piece.bars == (Bar(meter=Bar().meter - 1, tempo=20),)


def test_a_type_2_file_of_one_sequence_and_a_riff_file_are_read(tmp_path: Path) -> None:
    alone = midi_bytes(NOTE + END, midi_type=2)
    riff = b"RIFF" + struct.pack("<I", len(alone) + 12) + b"RMIDdata" + struct.pack("<I", len(alone)) + alone
    for data in (alone, riff):
        assert read_piece(write(tmp_path, data)).note_count == 1


def test_a_very_fine_division_is_read(tmp_path: Path) -> None:
    fine = bytes([0, 0x90, 60, 100, 0x81, 0xFF, 0x7F, 0x80, 60, 0])  # 32,767 ticks
    piece = read_piece(write(tmp_path, midi_bytes(fine + END, division=32_767)))
    assert piece.tracks[0].notes == (Note(0, 60, 24, 25),)


def test_other_chunks_and_events_are_passed_over(tmp_path: Path) -> None:
    noise = (
        bytes([0, 0xFF, 0x01, 3])
        + b"\xff\xff\xff"
        + bytes([0, 0xF0, 2, 1, 0xF7, 0, 0xB0, 64, 127, 0, 0xE0, 0, 64, 0, 0xD0, 9])
    )
    data = midi_bytes(noise + NOTE + END)
    data = data[:14] + b"XFIH" + struct.pack(">I", 3) + b"abc" + data[14:]
    assert read_piece(write(tmp_path, data)).note_count == 1


# ---- bad files


@pytest.mark.parametrize("size", [0, 3, 100, 5000])
def test_another_file_named_mid_is_refused(tmp_path: Path, size: int) -> None:
    assert "not a MIDI file" in refused(tmp_path, np.random.default_rng(0).bytes(size))


def test_a_50_mb_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.mid"
    with path.open("wb") as file:
        file.write(midi_bytes(NOTE))
        file.truncate(50_000_000)
    tracemalloc.start()
    with pytest.raises(MidiError, match="larger than 1 MB"):
        read_midi(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * MAX_FILE_BYTES


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MidiError, match="cannot be read: No such file"):
        read_midi(tmp_path / "none.mid")


@pytest.mark.slow
def test_a_file_cut_off_anywhere_gives_what_is_there(tmp_path: Path) -> None:
    piece = long_piece()
    data = saved(piece)
    first_note = data.index(bytes((0x90, 50)))
    counts = []
    for at in range(14, len(data) - 1, 7):
        try:
            read = read_piece(write(tmp_path, data[:at]))
        except ValueError as error:
            assert at < first_note + 3 and "no note" in str(error)
            continue
        counts.append(read.note_count)
        assert any("cut off" in remark or "promises" in remark for remark in read.remarks)
    assert counts == sorted(counts) and counts[0] < 5 and counts[-1] == piece.note_count


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (midi_bytes(NOTE, NOTE, midi_type=2), "2 separate sequences"),
        (midi_bytes(END), "no notes"),
        (midi_bytes(), "no notes"),
        (midi_bytes(b"\xff" * 200_000), "no note that can be read"),
        (midi_bytes(bytes([0, 60, 100])), "no note that can be read"),
        (midi_bytes(b"\x00\xf8"), "no note that can be read"),
    ],
)
def test_files_without_a_note_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    assert message in refused(tmp_path, data)


@given(st.binary(max_size=300), st.integers(0, 0xFFFF))
def test_any_track_content_is_parsed(content: bytes, division: int) -> None:
    song = build_song(parse_midi(midi_bytes(content, division=division)))
    assert song.ticks_per_quarter > 0
    assert all(remark.endswith(".") for remark in song.remarks)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for data in (content, b"MThd" + content, b"RIFF" + content):
        try:
            build_song(parse_midi(data))
        except MidiError as error:
            assert str(error).endswith(".")


@pytest.mark.slow
@given(st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    damaged = bytearray(saved(long_piece()))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = write(tmp_path_factory.mktemp("damaged"), bytes(damaged))
    try:
        assert read_piece(path).note_count > 0
    except ValueError as error:
        assert str(error).endswith((".", "?"))


# ---- too much of it


@pytest.mark.slow
def test_20000_notes_in_a_second_become_what_the_grid_holds(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    events = b"".join(bytes([0 if i % 20 else 1, 0x90, int(random.integers(128)), 90]) for i in range(20_000))
    ends = b"".join(bytes([1, 0x80, pitch, 0]) for pitch in range(128))
    song = read_midi(write(tmp_path, midi_bytes(events + ends + END)))
    assert sum(len(played.notes) for played in song.instruments) > 15_000
    piece = quantise(song)
    assert 1000 < piece.note_count <= 128 * 60
    assert len(encode_piece(piece)) < 4 * piece.note_count + 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "events",
    [
        bytes((0x90, 60, 90)) + bytes((0, 60, 90)) * 100_000,  # one key struck again and again
        b"".join(bytes((0xB0, 64, 127 * (i % 2), 0)) for i in range(50_000)),  # a pedal that never rests
        b"".join(bytes((0x90 | i % 16, i % 128, 90, 0, 0xC0 | i % 16, i % 128, 0)) for i in range(50_000)),
        b"\x90\x3c" + b"\x5a\x81\xf4" * 100_000,  # damage everywhere
    ],
)
def test_a_hostile_file_is_read_in_bounded_work(events: bytes) -> None:
    """What grows with the square of the file would take hours here."""
    build_song(parse_midi(midi_bytes(b"\x00" + events)))


@pytest.mark.slow
def test_thousands_of_tracks_are_read() -> None:
    song = build_song(parse_midi(midi_bytes(*[bytes((0, 0xC0, 7)) + NOTE + END] * 10_000)))
    assert len(song.instruments) == 10_000
    assert {instrument.program for instrument in song.instruments} == {7}


def test_600_minutes_are_refused(tmp_path: Path) -> None:
    silence = bytes([0x90 | 0x80, 0x80 | 0x55, 0x80 | 0x40, 0x00])  # 34.5 million ticks
    assert "too long" in refused(tmp_path, midi_bytes(silence + NOTE[1:] + END))


def test_a_late_end_of_track_costs_nothing(tmp_path: Path) -> None:
    late = bytes([0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0x2F, 0x00])
    assert len(read_piece(write(tmp_path, midi_bytes(NOTE + late))).bars) == 1


def test_more_bars_than_a_piece_may_have_are_refused(tmp_path: Path) -> None:
    meter = bytes([0, 0xFF, 0x58, 4, 1, 4, 24, 8])  # 1/16
    far = bytes([0x80 | 0x2B, 0x80 | 0x40, 0x00])  # 704,512 ticks: 5,870 sixteenths
    assert "more than 2,000 bars" in refused(tmp_path, midi_bytes(meter + far + NOTE[1:] + END))


@pytest.mark.parametrize(("programs", "expected"), [(range(16), 16), ([0] * 40 + [9], 2), (range(128), 16)])
def test_many_tracks_are_merged_by_program_then_by_family(programs: range | list[int], expected: int) -> None:
    midi = pretty_midi.PrettyMIDI()
    for i, program in enumerate(programs):
        midi.instruments.append(instrument((60, i / 2, i / 2 + 0.4), program=program))
    piece = quantise_object(midi)
    assert len(piece.tracks) == expected <= MAX_TRACKS
    assert any("joined" in remark for remark in piece.remarks) == (len(programs) > MAX_TRACKS)
    assert piece.note_count == len(midi.instruments)


# ---- what the grid changes, and what it keeps


def test_the_tempo_map_is_kept_exactly_and_written_again(tmp_path: Path) -> None:
    data = midi_file(tempo(320) + tempo(33.3, 700) + tempo(61.7, 77), notes())
    piece = read_piece(write(tmp_path, data))
    again = reread(piece)
    for each in (piece, again):
        assert each.timing.tempi == pytest.approx((320, 33.3, 61.7), rel=1e-6)
    assert piece.timing.starts == (0.0, 35.0, 38.85)
    assert again.timing.starts == pytest.approx(piece.timing.starts, abs=0.03)  # a tick of the written file
    assert again == piece
    assert piece.timing.to_seconds(38.85) == pytest.approx(700 / 480 * 60 / 320 + 77 / 480 * 60 / 33.3)
    assert any("320 beats a minute is kept" in remark for remark in piece.remarks)


def test_a_time_signature_that_the_vocabulary_lacks_is_told(tmp_path: Path) -> None:
    for data, said in ((meter(4, 5), "4/32 was written as 1/8"), (meter(17, 2), "17/4 was written as 4/4")):
        assert said in " ".join(read_piece(write(tmp_path, midi_file(data + notes()))).remarks)
    assert read_piece(write(tmp_path, midi_file(meter(6, 3) + notes()))).remarks == ()


def test_a_tempo_map_is_checked_and_cut() -> None:
    with pytest.raises(ValueError, match="rise from 0"):
        TempoMap((0.0, 0.0), (100.0, 90.0))
    with pytest.raises(ValueError, match="rise from 0"):
        TempoMap((1.0,), (100.0,))
    with pytest.raises(ValueError, match="positive"):
        TempoMap((0.0,), (0.0,))
    whole = TempoMap((0.0, 48.0, 96.0), (60.0, 120.0, 30.0))
    for first in (0, 10, 48, 60, 96, 200):
        rest = whole.cut(first)
        for position in (0, 5, 47, 100):
            expected = whole.to_seconds(first + position) - whole.to_seconds(first)
            assert rest.to_seconds(position) == pytest.approx(expected)
