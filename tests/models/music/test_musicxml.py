"""A piece as sheet music: what is written is what is played, to the nearest sixteenth or third, and bars are full."""

from __future__ import annotations

from collections import defaultdict
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from models.music.controls import measure_key
from models.music.musicxml import NATURAL, find_key_signature, spell_pitch, to_musicxml
from models.music.notation import LENGTHS, SIXTEENTH, THIRD, write_staves
from models.music.score import Bar, InstrumentTrack, Note, Piece, count_positions
from models.music.vocabulary import KEYS, TEMPI, find_meter, find_tempo
from tests.models.music.strategies import pieces

C_MAJOR_SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def a_piece(*notes: Note, program: int = 73, is_drum: bool = False, bars: tuple[Bar, ...] = (Bar(),) * 2) -> Piece:
    return Piece(bars, (InstrumentTrack.from_notes(program, is_drum, notes),))


def read(piece: Piece) -> ET.Element:
    return ET.fromstring(to_musicxml(piece, "A <tune> & more"))


def sound(root: ET.Element, part: int = 0) -> dict[int, list[tuple[float, float]]]:
    """Return by MIDI pitch where notes begin and end, ties joined; checks that every voice fills its bar."""
    heard: dict[int, list[tuple[float, float]]] = defaultdict(list)
    at = 0
    length = 0
    for bar in root.findall("part")[part].findall("measure"):
        if (time := bar.find("attributes/time")) is not None:
            beats, unit = int(time.findtext("beats") or 0), int(time.findtext("beat-type") or 0)
            length = count_positions(find_meter(beats, unit))
        here = at
        for element in bar:
            if element.tag == "backup":
                assert here == at + length
                here -= int(element.findtext("duration") or 0)
            if element.tag != "note":
                continue
            duration = int(element.findtext("duration") or 0)
            start: float = here - duration if element.find("chord") is not None else here
            here += 0 if element.find("chord") is not None else duration
            if (named := element.find("pitch")) is not None:
                step, octave = named.findtext("step") or "", int(named.findtext("octave") or 0)
                pitch = 12 * (octave + 1) + NATURAL[step] + int(named.findtext("alter") or 0)
                ties = {tie.get("type") for tie in element.findall("tie")}
                if "stop" in ties:
                    index = next(i for i, (_, end) in enumerate(heard[pitch]) if end == start)
                    start = heard[pitch].pop(index)[0]
                heard[pitch].append((start, here))
        assert here == at + length
        at += length
    return heard


def test_a_scale_is_written_as_quarters_with_its_key_tempo_and_instrument() -> None:
    notes = [Note(24 * beat, pitch, 24, 20) for beat, pitch in enumerate(C_MAJOR_SCALE)]
    root = read(a_piece(*notes, bars=(Bar(tempo=find_tempo(96)),) * 2))
    assert root.findtext("work/work-title") == "A <tune> & more"
    assert root.findtext("part-list/score-part/part-name") == "Flute"
    assert root.findtext("part-list/score-part/midi-instrument/midi-program") == "74"
    assert root.findtext(".//key/fifths") == "0" and root.findtext(".//clef/sign") == "G"
    assert float(root.findtext(".//per-minute") or 0) == pytest.approx(TEMPI[find_tempo(96)], abs=0.1)
    written = root.findall(".//note")
    assert [note.findtext("type") for note in written] == ["quarter"] * 8
    assert sound(root) == {pitch: [(24 * beat, 24 * beat + 24)] for beat, pitch in enumerate(C_MAJOR_SCALE)}


def test_notes_are_tied_over_barlines_and_thirds_are_bracketed() -> None:
    root = read(a_piece(Note(84, 60, 36, 20), *(Note(120 + 8 * step, 64, 8, 20) for step in range(3))))
    assert sound(root) == {60: [(84, 120)], 64: [(120, 128), (128, 136), (136, 144)]}
    assert [tuplet.get("type") for tuplet in root.iter("tuplet")] == ["start", "stop"]
    assert len(root.findall(".//time-modification")) == 3
    assert len(root.findall(".//tied")) == 2  # an eighth before the barline, a quarter behind it


def test_two_lengths_together_are_two_voices_and_a_piano_has_two_staves() -> None:
    held = [Note(0, 72, 96, 20), *(Note(24 * beat, 64, 24, 20) for beat in range(4)), Note(0, 40, 96, 20)]
    root = read(a_piece(*held, program=0))
    assert root.findtext(".//staves") == "2"
    assert {note.findtext("voice") for note in root.findall(".//note") if note.find("rest") is None} == {"1", "2", "5"}
    assert sound(root)[72] == [(0, 96)] and sound(root)[40] == [(0, 96)] and len(sound(root)[64]) == 4


def test_drums_stand_on_a_staff_of_their_own_with_an_instrument_each() -> None:
    root = read(a_piece(Note(0, 36, 1, 20), Note(24, 38, 1, 20), Note(48, 42, 1, 20), is_drum=True))
    assert root.findtext(".//clef/sign") == "percussion"
    assert [each.text for each in root.iter("midi-unpitched")] == ["37", "39", "43"]
    places = [(each.findtext("display-step"), each.findtext("display-octave")) for each in root.iter("unpitched")]
    assert places == [("F", "4"), ("C", "5"), ("G", "5")]
    assert [head.text for head in root.iter("notehead")] == ["x"]


@pytest.mark.parametrize(
    ("pitch", "fifths", "spelled"),
    [(61, 0, ("C", 1, 4)), (63, 0, ("E", -1, 4)), (61, -5, ("D", -1, 4)), (60, 6, ("B", 1, 3)), (71, -6, ("C", -1, 5))],
)
def test_pitches_are_spelled_as_the_key_has_them(pitch: int, fifths: int, spelled: tuple[str, int, int]) -> None:
    assert spell_pitch(pitch, fifths) == spelled


@pytest.mark.parametrize("name", ["G major", "E minor", "Eb major", "F# minor", "C minor"])
def test_the_key_signature_is_that_of_the_measured_key(name: str) -> None:
    tonic = KEYS.index(name) if name in KEYS else KEYS.index("Gb minor")
    steps = (0, 2, 4, 5, 7, 9, 11) if tonic < 12 else (0, 2, 3, 5, 7, 8, 10)
    notes = [Note(12 * at, 60 + tonic % 12 + step, 12, 20) for at, step in enumerate((0, *steps, 0, 7, 0))]
    piece = a_piece(*notes)
    assert measure_key(piece) == tonic
    wanted = {"G major": 1, "E minor": 1, "Eb major": -3, "F# minor": 3, "C minor": -3}
    assert find_key_signature(piece) == (wanted[name], tonic >= 12)


@given(pieces())
@settings(max_examples=25, deadline=None)
def test_every_piece_is_written_with_full_bars_and_all_its_onsets(piece: Piece) -> None:
    root = read(piece)
    sounding = [track for track in piece.tracks if track.notes]
    assert len(root.findall("part")) == len(sounding)
    for number, track in enumerate(sounding):
        heard = sound(root, number)
        if not track.is_drum:
            assert {note.pitch for note in track.notes} == set(heard)
        for staff in write_staves(piece, track):
            assert all(sign.length in LENGTHS for bar in staff.bars for voice in bar for sign in voice)
        for note in () if track.is_drum else track.notes:
            slack = THIRD // 2 if note.start < piece.positions - SIXTEENTH else THIRD
            assert min(abs(start - note.start) for start, _ in heard[note.pitch]) <= slack
