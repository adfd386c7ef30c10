"""Every kind of MIDI file gives the notes that are there, and a remark where something was wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.music.midi_events import parse_midi
from models.music.midi_io import read_piece
from models.music.midi_song import MidiSong, build_song
from tests.models.music.midi_cases import (
    DAMAGED,
    END,
    SCALE,
    SOUND,
    TICKS,
    header,
    midi_file,
    note,
    notes,
    number,
    pedal,
    program,
    riff,
    tempo,
    track,
)

# A folder with the files of the public reports; without it their test is left out.
CASES = os.environ.get("AURALUME_TEST_MIDI_CASES", "")


def read(data: bytes) -> MidiSong:
    return build_song(parse_midi(data))


def pitches(song: MidiSong) -> list[int]:
    return [each.pitch for instrument in song.instruments for each in instrument.notes]


def programs(song: MidiSong) -> list[int]:
    return [instrument.program for instrument in song.instruments]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_read_without_a_remark(name: str) -> None:
    data, count = SOUND[name]
    song = read(data)
    assert len(pitches(song)) == count
    assert song.remarks == ()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gives_what_is_there_and_a_remark(name: str) -> None:
    data, count = DAMAGED[name]
    song = read(data)
    assert len(pitches(song)) == count
    assert song.remarks and all(each[0].isupper() or each[0].isdigit() for each in song.remarks)


# ---- damage anywhere


@given(st.integers(22 + 4, len(midi_file(notes())) - 1))
def test_a_file_cut_anywhere_gives_every_note_that_began(at: int) -> None:
    whole = midi_file(notes())
    begun = [pitch for index, pitch in enumerate(SCALE) if 22 + 9 * index + 4 <= at]
    song = read(whole[:at])
    assert pitches(song) == begun
    starts = [each.start for each in song.instruments[0].notes]
    assert starts == [TICKS * index for index in range(len(begun))]
    assert any("cut off" in remark or "wrong length" in remark for remark in song.remarks)


@given(st.integers(2, 30), st.integers(0, 127))
def test_a_data_byte_too_much_costs_at_most_one_event(index: int, extra: int) -> None:
    """It stands after a note-on; what follows comes at its time, but for the delta that the byte was taken for."""
    events = [note(40 + i, TICKS) for i in range(40)]
    events[index] = events[index][:4] + bytes((extra,)) + events[index][4:]
    song = read(midi_file(b"".join(events)))
    read_pitches = pitches(song)
    assert len(read_pitches) >= 39
    assert set(read_pitches) >= set(range(40, 80)) - {40 + index}
    last = song.instruments[0].notes[-1]
    assert abs(last.start - 39 * TICKS) <= TICKS
    assert song.remarks


@given(
    st.integers(0, 39), st.sampled_from((b"\xf1\x05", b"\xf2\x01\x02", b"\xf3\x04", b"\xf6", b"\xf8", b"\xfa", b"\xfe"))
)
def test_system_messages_between_events_change_nothing(index: int, message: bytes) -> None:
    events = [note(40 + i, TICKS) for i in range(40)]
    events.insert(index, b"\x00" + message)
    song = read(midi_file(b"".join(events)))
    assert [each.start for each in song.instruments[0].notes] == [TICKS * i for i in range(40)]
    assert ["do not belong" in remark for remark in song.remarks] == [True]


@example([244, 0, 0], 0)  # where the third track begins
@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 300), min_size=3, max_size=3), st.integers(0, 9))
def test_wrong_lengths_and_counts_lose_nothing(lengths: list[int], promised: int) -> None:
    contents = [notes(channel=channel) + END for channel in range(3)]
    tracks = b"".join(track(content, length) for content, length in zip(contents, lengths, strict=True))
    assert pitches(read(header(promised) + tracks)) == [*SCALE] * 3


def test_a_header_with_other_bytes_in_front_or_a_longer_one_is_read() -> None:
    data = midi_file(notes())
    longer = data[:4] + (8).to_bytes(4, "big") + data[8:14] + b"\x00\x00" + data[14:]
    for each in (
        b"\x00" * 128 + data,
        longer,
        data + b"\x00" * 50,
        riff(data)[:4] + b"\x00\x00\x00\x00" + riff(data)[8:],
    ):
        assert pitches(read(each)) == [*SCALE]


def test_much_damage_ends_the_track_and_is_told() -> None:
    broken = b"".join(b"\x00\x90\xff\xf4" + notes()[:72] for _ in range(300))
    song = read(midi_file(notes() + broken))
    assert len(pitches(song)) > 100
    assert "damaged in" in song.remarks[0]


# ---- channels


def test_programs_of_the_first_track_count() -> None:
    song = read(midi_file(tempo(120) + program(40, 0) + program(73, 1), notes(), notes(channel=1)))
    assert programs(song) == [40, 73]


def test_a_program_of_a_sister_track_counts_in_either_order() -> None:
    own = program(24, 3) + notes(channel=3)
    for tracks in ((own, notes(channel=3)), (notes(channel=3), own)):
        assert programs(read(midi_file(*tracks))) == [24, 24]


def test_a_program_counts_from_its_time_on_wherever_it_stands() -> None:
    song = read(midi_file(program(5) + program(9, after=4 * TICKS), notes(), notes((50,) * 8)))
    assert [(i.program, len(i.notes)) for i in song.instruments] == [(5, 4), (9, 4), (5, 4), (9, 4)]


def test_tracks_that_share_a_channel_and_begin_with_programs_keep_them() -> None:
    song = read(midi_file(program(5) + notes(), program(9) + notes()))
    assert [(i.program, len(i.notes)) for i in song.instruments] == [(5, 8), (9, 8)]


def test_a_program_after_a_note_of_the_same_time_is_for_the_next_one() -> None:
    song = read(midi_file(program(5) + b"\x00\x90\x3c\x50" + program(9) + number(TICKS) + b"\x80\x3c\x00" + note(62)))
    assert [(i.program, [n.pitch for n in i.notes]) for i in song.instruments] == [(5, [60]), (9, [62])]


def test_drums_have_no_program() -> None:
    song = read(midi_file(program(40, 9) + notes(channel=9)))
    assert [(i.program, i.is_drum) for i in song.instruments] == [(0, True)]


# ---- lengths of notes


def test_the_pedal_holds_notes_until_it_is_released() -> None:
    content = pedal(True) + note(60, 60) + note(64, 60, after=60) + pedal(False, after=600) + note(67, 60)
    assert [each[:3] for each in read(midi_file(content)).instruments[0].notes] == [
        (0, 780, 60), (120, 780, 64), (780, 840, 67),
    ]  # fmt: skip


def test_the_pedal_may_stand_in_another_track_and_be_held_to_the_end() -> None:
    for ends, expected in ((pedal(False, after=900), 900), (b"", 480)):
        song = read(midi_file(pedal(True) + ends, note(60, 60) + number(420) + b"\xb0\x07\x40"))
        assert song.instruments[0].notes[0].end == expected
        assert song.remarks == ()


def test_a_held_note_ends_where_its_key_is_struck_again() -> None:
    song = read(midi_file(pedal(True) + note(60, 60) + note(60, 60, after=100) + pedal(False, after=40)))
    assert [each[:2] for each in song.instruments[0].notes] == [(0, 160), (160, 260)]


def test_the_pedal_leaves_other_channels_and_drums_alone() -> None:
    song = read(midi_file(pedal(True, 0) + pedal(True, 9) + note(60, 60, 1) + note(36, 60, 9)))
    assert [each.notes[0].end - each.notes[0].start for each in song.instruments] == [60, 60]


@pytest.mark.parametrize(("control", "end"), [(120, 100), (123, 100), (121, 300), (7, 300)])
def test_all_notes_off_ends_what_sounds(control: int, end: int) -> None:
    content = b"\x00\x90\x3c\x50" + number(100) + bytes((0xB0, control, 0)) + number(200) + b"\x80\x3c\x00"
    assert read(midi_file(content)).instruments[0].notes[0].end == end


@pytest.mark.parametrize("control", [120, 121, 123])
def test_controls_that_lift_the_pedal_end_held_notes(control: int) -> None:
    content = pedal(True) + note(60, 60) + number(40) + bytes((0xB0, control, 0)) + number(200) + b"\xb0\x07\x40"
    assert read(midi_file(content)).instruments[0].notes[0].end == 100


def test_open_notes_end_with_their_track() -> None:
    song = read(midi_file(notes() + b"\x00\x90\x48\x50" + number(960) + b"\xb0\x07\x40", note(40, 5000, 1)))
    assert song.instruments[0].notes[-1][:3] == (3840, 4800, 72)
    assert song.remarks == ("1 note of the MIDI file has no end; it sounds to the end of the track.",)


def test_an_end_just_before_its_onset_makes_a_note_without_length() -> None:
    """MuseScore writes grace notes so; sounding on to the end of the track they would be drones."""
    release, press = b"\x80\x3c\x00", b"\x90\x3c\x50"
    early = b"\x00" + release + b"\x00" + release + b"\x00" + press + b"\x00" + press
    song = read(midi_file(note(62) + early + note(64, after=TICKS)))
    ends = [each[1] - each[0] for each in song.instruments[0].notes if each.pitch == 60]
    assert ends == [0, 0] and song.remarks == ()
    once = read(midi_file(note(62) + b"\x00" + release + b"\x00" + press + b"\x00" + press + note(64, after=TICKS)))
    assert sorted(each[1] - each[0] for each in once.instruments[0].notes if each.pitch == 60) == [0, 2 * TICKS]
    late = read(midi_file(note(62) + b"\x00" + release + b"\x01" + press + note(64, after=TICKS)))
    assert [each[1] - each[0] for each in late.instruments[0].notes if each.pitch == 60] == [2 * TICKS]
    again = read(midi_file(note(60) + b"\x00" + press + number(TICKS) + release))
    assert [each[:2] for each in again.instruments[0].notes] == [(0, TICKS), (TICKS, 2 * TICKS)]


def test_a_note_ends_with_the_key_of_its_own_track_else_with_any() -> None:
    pressed = b"\x00\x90\x3c\x50"
    both = midi_file(pressed + number(300) + b"\x80\x3c\x00", pressed + number(100) + b"\x80\x3c\x00")
    assert [each.notes[0].end for each in read(both).instruments] == [300, 100]
    other = midi_file(pressed + number(900) + b"\xb0\x07\x40", number(100) + b"\x80\x3c\x00")
    assert read(other).instruments[0].notes[0].end == 100


def test_a_key_struck_twice_is_released_once() -> None:
    content = (
        b"\x00\x90\x3c\x50"
        + number(100)
        + b"\x90\x3c\x50"
        + number(100)
        + b"\x80\x3c\x00"
        + number(100)
        + b"\x80\x3c\x00"
    )
    assert [each[:2] for each in read(midi_file(content)).instruments[0].notes] == [(0, 200), (100, 200)]


# ---- time


@pytest.mark.parametrize(
    ("rate", "frames_a_second", "ticks"), [(0xE8, 24, 10), (0xE7, 25, 40), (0xE3, 30_000 / 1001, 80), (0xE2, 30, 4)]
)
def test_film_frames_are_seconds(rate: int, frames_a_second: float, ticks: int) -> None:
    song = read(midi_file(notes(ticks=ticks), division=rate << 8 | ticks))
    assert song.to_seconds([each.start for each in song.instruments[0].notes]) == pytest.approx(
        [i / frames_a_second for i in range(8)]
    )
    assert "film frames" in song.remarks[0] and "120 beats" in song.remarks[0]
    slower = read(midi_file(tempo(90) + notes(ticks=ticks), division=rate << 8 | ticks))
    assert slower.tempi == ((0, pytest.approx(90)),)
    assert slower.to_seconds([7 * ticks]) == pytest.approx([7 / frames_a_second])


def test_the_last_of_several_tempi_at_one_time_counts_and_late_ones_do_not() -> None:
    song = read(midi_file(tempo(90) + tempo(100) + tempo(50, after=TICKS) + tempo(70, after=100 * TICKS), notes()))
    assert song.tempi == ((0, pytest.approx(100)), (TICKS, pytest.approx(50)))
    assert song.to_seconds([0, 240, 480, 960]) == pytest.approx([0, 0.3, 0.6, 1.8])


# ---- the files of the public reports


@pytest.mark.skipif(not CASES, reason="AURALUME_TEST_MIDI_CASES names no folder")
@pytest.mark.parametrize(
    ("name", "count", "is_told"),
    [
        ("programs_in_first_track.mid", 16, False),
        ("program_in_sister_track.mid", 16, False),
        ("drums_zero_length.mid", 52, False),
        ("truncated_tail.mid", 7, True),
        ("header_more_tracks.mid", 8, True),
        ("track_len_ffffffff.mid", 8, True),
        ("track_len_short.mid", 8, True),
        ("g_major_140.mid", 16, False),
        ("tempo320.mid", 32, True),
        ("hanging_note.mid", 5, True),
        ("realtime_fe.mid", 3, True),
        ("smpte_25_40.mid", 8, True),
        ("bad_data_byte.mid", 2, True),
        ("key_sig_18_flats.mid", 2, False),
        ("running_after_meta.mid", 2, False),
        ("tempo_change.mid", 8, False),
        ("sustain.mid", 5, False),
        ("rmi_plain.rmi", 8, False),
    ],
)
def test_the_files_of_the_public_reports_are_read(name: str, count: int, is_told: bool) -> None:
    piece = read_piece(Path(CASES) / name)
    assert piece.note_count == count
    assert bool(piece.remarks) == is_told
    by_name = {"programs_in_first_track.mid": [40, 73], "program_in_sister_track.mid": [24, 24]}
    assert [each.program for each in piece.melodic] == by_name.get(name, [each.program for each in piece.melodic])
