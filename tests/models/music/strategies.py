"""Pieces and PrettyMIDI objects for the music tests."""

from __future__ import annotations

import io

import pretty_midi
from hypothesis import strategies as st

from models.music.midi_events import parse_midi
from models.music.midi_io import quantise, to_mido
from models.music.midi_song import MidiSong, build_song
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import DURATIONS, MAX_TRACKS, METERS, TEMPI, VELOCITY

bars = st.builds(Bar, meter=st.integers(0, len(METERS) - 1), tempo=st.integers(0, len(TEMPI) - 1))


@st.composite
def pieces(draw: st.DrawFn, max_bars: int = 6, with_notes: bool = False) -> Piece:
    """Any piece: bars of any meter and tempo, tracks of any program, dense and sparse."""
    smallest = 1 if with_notes else 0
    drawn = tuple(draw(st.lists(bars, min_size=smallest, max_size=max_bars)))
    end = sum(bar.positions for bar in drawn)
    note = st.builds(
        Note,
        start=st.integers(0, max(0, end - 1)),
        pitch=st.integers(0, 127) | st.integers(60, 62),
        duration=st.sampled_from(DURATIONS),
        velocity=st.integers(0, VELOCITY.count - 1),
    )
    notes = st.lists(note, min_size=smallest, max_size=12 if drawn else 0)
    programs = draw(st.lists(st.integers(0, 127), min_size=smallest, max_size=MAX_TRACKS))
    tracks = [InstrumentTrack.from_notes(program, False, draw(notes)) for program in programs]
    if draw(st.booleans()):
        tracks.append(InstrumentTrack.from_notes(0, True, draw(notes)))
    return Piece(drawn, tuple(tracks))


def instrument(*notes: tuple[int, float, float], program: int = 0, is_drum: bool = False) -> pretty_midi.Instrument:
    """Return an instrument of notes (pitch, start in seconds, end in seconds)."""
    made = pretty_midi.Instrument(program, is_drum)
    made.notes = [pretty_midi.Note(90, pitch, start_s, end_s) for pitch, start_s, end_s in notes]
    return made


@st.composite
def midi_objects(draw: st.DrawFn) -> pretty_midi.PrettyMIDI:
    """PrettyMIDI objects as other programs make them: seconds off the grid, any resolution, tempo, signature."""
    midi = pretty_midi.PrettyMIDI(
        resolution=draw(st.sampled_from((24, 96, 220, 480, 960))), initial_tempo=draw(st.floats(31, 260))
    )
    time_s = st.floats(0, 20, allow_nan=False)
    for _ in range(draw(st.integers(1, 3))):
        played = instrument(program=draw(st.integers(0, 127)), is_drum=draw(st.booleans()))
        for _ in range(draw(st.integers(1, 8))):
            start_s = draw(time_s)
            end_s = start_s + draw(st.floats(0, 6))
            played.notes.append(pretty_midi.Note(draw(st.integers(1, 127)), draw(st.integers(0, 127)), start_s, end_s))
        midi.instruments.append(played)
    for _ in range(draw(st.integers(0, 3))):
        signature = (draw(st.integers(1, 16)), draw(st.sampled_from((1, 2, 4, 8, 16, 32))))
        midi.time_signature_changes.append(pretty_midi.TimeSignature(*signature, draw(time_s)))
    return midi


def read_object(midi: pretty_midi.PrettyMIDI) -> MidiSong:
    """Return what is read of the file that pretty_midi writes of an object."""
    buffer = io.BytesIO()
    midi.write(buffer)
    return build_song(parse_midi(buffer.getvalue()))


def quantise_object(midi: pretty_midi.PrettyMIDI, meter: tuple[int, int] | None = None) -> Piece:
    """Return the same as a piece."""
    return quantise(read_object(midi), meter)


def reread(piece: Piece) -> Piece:
    """Return a piece as it comes back from the file that is written of it."""
    buffer = io.BytesIO()
    to_mido(piece).save(file=buffer)
    return quantise(build_song(parse_midi(buffer.getvalue())))
