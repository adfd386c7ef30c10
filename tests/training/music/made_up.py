"""Made-up pieces of every collection."""

from __future__ import annotations

from models.music.score import Bar, InstrumentTrack, Note, Piece
from training.music.corpus import COLLECTIONS, Corpus, read_chorale
from training.music.note_table import NoteTable
from training.music.source import Source


def song(bars: int = 12, step: int = 12) -> Piece:
    """Return melody, bridge and piano."""
    times = range(0, bars * 96, step)
    melody = InstrumentTrack.from_notes(0, False, (Note(t, 72 + t // step % 5, step, 20) for t in times))
    bridge = InstrumentTrack.from_notes(0, False, (Note(t, 67, step, 20) for t in list(times)[::4]))
    piano = InstrumentTrack.from_notes(0, False, (Note(t, pitch, step, 15) for t in times for pitch in (40, 52, 59)))
    return Piece((Bar(),) * bars, (melody, bridge, piano))


def drummer(bars: int = 4, late: int = 0) -> Piece:
    """Return a hat on every eighth, `late` positions behind."""
    hits = (Note(t + late, 42, 6, 20) for t in range(0, bars * 96, 12))
    return Piece((Bar(),) * bars, (InstrumentTrack.from_notes(0, True, hits),))


def list_sources() -> list[Source]:
    """List a piece to learn from and one held out of each collection."""
    chorale = read_chorale([[72 + i // 4 % 5, 64, 55, 48] for i in range(200)])
    lied = Piece(song().bars, song().tracks[1:])
    by_name = {"pop": song(), "lieder": lied, "drums": drummer(17), "chorales": chorale}
    return [Source(name, name, held, by_name[name]) for name in COLLECTIONS for held in (False, True)]


def make_corpus() -> Corpus:
    """Return them as tokens."""
    return Corpus.from_sources(iter(list_sources()))


def make_table() -> NoteTable:
    """Return them as a table of notes."""
    return NoteTable.from_sources(list_sources())
