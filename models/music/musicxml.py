"""A piece as MusicXML 4.0, which MuseScore, Finale, Sibelius and Dorico open and print.

Written by hand, as the libraries that were looked at leave out instruments, tempi and drums (partitura) or weigh a
hundred megabytes (music21). `models.music.notation` says what is kept; pitches are those that sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from models.music.controls import NO_KEY, measure_key
from models.music.instrument_names import NAMES
from models.music.notation import LENGTHS, WrittenChord, find_clef, needs_two_staves, write_staves
from models.music.score import InstrumentTrack, Piece
from models.music.vocabulary import METERS, POSITIONS_PER_QUARTER, to_velocity

DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
LINE_OF_FIFTHS = "FCGDAEB"
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LOWEST_FIFTH = -3  # of the twelve names of pitches, counted from the key's own: E flat in C major, G sharp at the top
FORTE = 90  # the velocity that is 100 % for MusicXML
# Where a drum stands on the staff, and its head; others stand where the snare does.
DRUM_PLACES: dict[int, tuple[str, int, str]] = {
    35: ("F", 4, ""), 36: ("F", 4, ""), 37: ("C", 5, "x"), 38: ("C", 5, ""), 39: ("C", 5, "diamond"), 40: ("C", 5, ""),
    41: ("G", 4, ""), 43: ("A", 4, ""), 45: ("B", 4, ""), 47: ("D", 5, ""), 48: ("E", 5, ""), 50: ("F", 5, ""),
    42: ("G", 5, "x"), 44: ("D", 4, "x"), 46: ("G", 5, "circle-x"), 49: ("A", 5, "x"), 52: ("A", 5, "x"),
    55: ("B", 5, "x"), 57: ("B", 5, "x"), 51: ("F", 5, "x"), 53: ("F", 5, "diamond"), 59: ("F", 5, "x"),
    54: ("E", 5, "triangle"), 56: ("E", 5, "triangle"), 58: ("B", 4, "x"),
}  # fmt: skip
SNARE = ("C", 5, "")


def to_musicxml(piece: Piece, title: str, tempo_scale: float = 1.0) -> bytes:
    """Write a piece as MusicXML.

    Args:
        tempo_scale: how many times as fast as the piece says it is played.
    """
    root = ET.Element("score-partwise", version="4.0")
    _add(_add(root, "work"), "work-title", title)
    _add(_add(_add(root, "identification"), "encoding"), "software", "Auralume")
    parts = _add(root, "part-list")
    tracks = [track for track in piece.tracks if track.notes]
    for number, track in enumerate(tracks, 1):
        _list_part(parts, f"P{number}", track, number)
    fifths, is_minor = find_key_signature(piece)
    for number, track in enumerate(tracks, 1):
        part = _add(root, "part", id=f"P{number}")
        writer = _PartWriter(piece, track, f"P{number}", fifths, is_minor)
        for index in range(len(piece.bars)):
            part.append(writer.write_bar(index, tempo_scale if number == 1 else 0.0))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{DOCTYPE}\n'.encode() + ET.tostring(root, encoding="utf-8") + b"\n"


def find_key_signature(piece: Piece) -> tuple[int, bool]:
    """Find how many sharps (or, negative, flats) the measured key has, and whether it is minor."""
    key = measure_key(piece)
    if key == NO_KEY:
        return 0, False
    major = key if key < 12 else (key + 3) % 12
    return (major * 7 + 5) % 12 - 5, key >= 12


def spell_pitch(pitch: int, fifths: int) -> tuple[str, int, int]:
    """Spell a MIDI pitch in a key: its letter, how many semitones it is raised, its octave."""
    low = fifths + LOWEST_FIFTH
    place = low + (pitch * 7 - low) % 12  # on the line of fifths, C is 0
    letter, alter = LINE_OF_FIFTHS[(place + 1) % 7], (place + 1) // 7
    return letter, alter, (pitch - alter - NATURAL[letter]) // 12 - 1


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, {name.replace("_", "-"): value for name, value in attributes.items()})
    if text is not None:
        child.text = str(text)
    return child


def _name(track: InstrumentTrack) -> str:
    return "Drums" if track.is_drum else NAMES.get(track.program, f"Instrument {track.program + 1}")


def _list_part(parts: ET.Element, key: str, track: InstrumentTrack, number: int) -> None:
    part = _add(parts, "score-part", id=key)
    _add(part, "part-name", _name(track))
    drums = sorted({note.pitch for note in track.notes}) if track.is_drum else []
    instruments = [f"{key}-I{pitch}" for pitch in drums] or [f"{key}-I1"]
    for instrument, pitch in zip(instruments, drums or [0], strict=True):
        name = f"Drum {pitch}" if drums else _name(track)
        _add(_add(part, "score-instrument", id=instrument), "instrument-name", name)
    for instrument, pitch in zip(instruments, drums or [0], strict=True):
        midi = _add(part, "midi-instrument", id=instrument)
        _add(midi, "midi-channel", 10 if drums else [channel for channel in range(1, 17) if channel != 10][number % 15])
        _add(midi, "midi-program", track.program + 1)
        if drums:
            _add(midi, "midi-unpitched", pitch + 1)


class _PartWriter:
    """A writer of the bars of one track."""

    def __init__(self, piece: Piece, track: InstrumentTrack, key: str, fifths: int, is_minor: bool) -> None:
        self.piece, self.track, self.key, self.fifths, self.is_minor = piece, track, key, fifths, is_minor
        self.staves = write_staves(piece, track)
        self.starts, self.timing = piece.list_bar_starts(), piece.timing

    def write_bar(self, index: int, tempo_scale: float) -> ET.Element:
        """Write a bar; with its tempo where `tempo_scale` is not 0."""
        bar = ET.Element("measure", number=str(index + 1))
        self._add_attributes(bar, index)
        if tempo_scale:
            self._add_tempo(bar, index, tempo_scale)
        length = self.starts[index + 1] - self.starts[index]
        is_first = True
        for number, staff in enumerate(self.staves, 1):
            for voice, signs in enumerate(staff.bars[index] or ((),)):
                if not is_first:
                    _add(_add(bar, "backup"), "duration", length)
                is_first = False
                self._add_voice(bar, signs, length, number, (number - 1) * 4 + voice + 1)
        return bar

    def _add_attributes(self, bar: ET.Element, index: int) -> None:
        meter = self.piece.bars[index].meter
        if index and meter == self.piece.bars[index - 1].meter:
            return
        attributes = _add(bar, "attributes")
        if not index:
            _add(attributes, "divisions", POSITIONS_PER_QUARTER)
            if not self.track.is_drum:
                key = _add(attributes, "key")
                _add(key, "fifths", self.fifths)
                _add(key, "mode", "minor" if self.is_minor else "major")
        time = _add(attributes, "time")
        _add(time, "beats", METERS[meter][0])
        _add(time, "beat-type", METERS[meter][1])
        if not index:
            self._add_clefs(attributes)

    def _add_clefs(self, attributes: ET.Element) -> None:
        clefs = [("G", 2, 0), ("F", 4, 0)] if needs_two_staves(self.track) else [find_clef(self.track)]
        if len(clefs) > 1:
            _add(attributes, "staves", len(clefs))
        for number, (sign, line, octaves) in enumerate(clefs, 1):
            clef = _add(attributes, "clef", number=str(number))
            _add(clef, "sign", sign)
            _add(clef, "line", line)
            if octaves:
                _add(clef, "clef-octave-change", octaves)

    def _add_tempo(self, bar: ET.Element, index: int, tempo_scale: float) -> None:
        """Add the tempo at a bar's beginning, where it is another than at the one before."""
        tempi = [self.timing.find_tempo(start) * tempo_scale for start in self.starts[max(0, index - 1) : index + 1]]
        if index and abs(tempi[0] - tempi[1]) < 0.01:
            return
        direction = _add(bar, "direction", placement="above")
        metronome = _add(_add(direction, "direction-type"), "metronome")
        _add(metronome, "beat-unit", "quarter")
        _add(metronome, "per-minute", f"{tempi[-1]:.4g}")
        _add(direction, "sound", tempo=f"{tempi[-1]:.6g}")

    def _add_voice(self, bar: ET.Element, signs: Sequence[WrittenChord], length: int, staff: int, voice: int) -> None:
        if not signs:
            note = _add(bar, "note")
            _add(note, "rest", measure="yes")
            _add(note, "duration", length)
            self._place(note, staff, voice)
        for sign in signs:
            for place, (pitch, velocity) in enumerate(sign.notes or ((-1, 0),)):
                self._add_note(bar, sign, pitch, velocity, place > 0, staff, voice)

    def _place(
        self, note: ET.Element, staff: int, voice: int, sign: WrittenChord | None = None, head: str = ""
    ) -> None:
        """Add what stands behind a note's length: voice, kind, staff."""
        _add(note, "voice", voice)
        if sign is not None:
            kind, dots, is_third = LENGTHS[sign.length]
            _add(note, "type", kind)
            for _ in range(dots):
                _add(note, "dot")
            if is_third:
                modification = _add(note, "time-modification")
                _add(modification, "actual-notes", 3)
                _add(modification, "normal-notes", 2)
        if head:
            _add(note, "notehead", head)
        if len(self.staves) > 1:
            _add(note, "staff", staff)

    def _add_note(
        self, bar: ET.Element, sign: WrittenChord, pitch: int, velocity: int, in_chord: bool, staff: int, voice: int
    ) -> None:
        note = _add(bar, "note")
        if pitch >= 0:
            note.set("dynamics", f"{100 * to_velocity(velocity) / FORTE:.1f}")
        if in_chord:
            _add(note, "chord")
        head = self._add_pitch(note, pitch)
        _add(note, "duration", sign.length)
        ties = [kind for kind, is_on in (("stop", sign.is_tied_back), ("start", sign.is_tied_on)) if is_on]
        for kind in ties:
            _add(note, "tie", type=kind)
        if self.track.is_drum and pitch >= 0:
            _add(note, "instrument", id=f"{self.key}-I{pitch}")
        self._place(note, staff, voice, sign, head)
        tuplet = sign.tuplet if not in_chord else ""
        if ties or tuplet:
            notations = _add(note, "notations")
            for kind in ties:
                _add(notations, "tied", type=kind)
            if tuplet:
                _add(notations, "tuplet", type=tuplet)

    def _add_pitch(self, note: ET.Element, pitch: int) -> str:
        """Add a pitch, a drum or, for -1, a rest; return the head of a drum's note."""
        if pitch < 0:
            _add(note, "rest")
            return ""
        if self.track.is_drum:
            step, octave, head = DRUM_PLACES.get(pitch, SNARE)
            unpitched = _add(note, "unpitched")
            _add(unpitched, "display-step", step)
            _add(unpitched, "display-octave", octave)
            return head
        step, alter, octave = spell_pitch(pitch, self.fifths)
        named = _add(note, "pitch")
        _add(named, "step", step)
        if alter:
            _add(named, "alter", alter)
        _add(named, "octave", octave)
        return ""
