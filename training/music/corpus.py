"""The collections that the shipped model learns from, read into pieces on the grid and kept as one file of tokens.

Four collections, each a folder (or the archive of that name, which is unpacked first):

- POP909 (Wang et al. 2020, MIT): melody, bridge and piano of 909 pop songs; bars and beats are those of the set's own
  `beat_midi.txt`, onsets go to the nearest sixteenth;
- OpenScore Lieder (CC0): art songs, a voice and a piano of two staves, which become one track;
- Groove MIDI (Gillick et al. 2019, CC BY 4.0): drummers on an electronic kit, its pads as the General MIDI kit;
- JSB chorales (Boulanger-Lewandowski et al. 2012; CC BY 4.0): four voices, equal pitches one after another joined.

Held out by name: POP909 songs whose number is divisible by 25; lieder whose number (lc...) is divisible by 25; Groove
and the chorales as their authors say (validation and test). A piece has one tempo, the median of its own.
"""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.music.midi_io import quantise
from models.music.midi_song import read_midi
from models.music.score import COMMON_TIME, Bar, InstrumentTrack, Note, Piece
from models.music.tokenizer import decode_piece, encode_piece
from models.music.vocabulary import BAR, METER, POSITIONS_PER_QUARTER, TEMPO, VELOCITY_STEP, find_meter, find_tempo
from training.music.source import SIXTEENTH, Source, round_velocity

COLLECTIONS = ("pop", "lieder", "drums", "chorales")
HELD_OUT_EVERY = 25
_ARCHIVES = {
    "POP909": "pop909.tar.xz",
    "openscore_lieder_midi": "openscore_lieder_midi.tar.xz",
    "groove": "groove.tar.xz",
}
_MIN_BARS = 2
_CHORALE_TEMPO, _CHORALE_VELOCITY = 80.0, 76
# Pads of the Roland TD-11, as Groove has them, to General MIDI's kit.
GROOVE_PADS = {40: 38, 48: 50, 45: 47, 58: 43, 26: 46, 22: 42, 55: 49, 57: 49, 52: 49, 59: 51, 53: 51}


def set_tempo(piece: Piece, tempo: int) -> Piece:
    """Give all bars one tempo."""
    return Piece(tuple(replace(bar, tempo=tempo) for bar in piece.bars), piece.tracks)


def trim(piece: Piece) -> Piece:
    """Leave out empty bars before the first note."""
    starts = piece.list_bar_starts()
    first_onset = min(track.notes[0].start for track in piece.tracks if track.notes)
    first = int(np.searchsorted(starts, first_onset, side="right")) - 1
    return piece.slice(first, len(piece.bars)) if first else piece


def _unpack(folder: Path, name: str, scratch: Path) -> Path:
    """Find the folder of a collection; its archive is unpacked into `scratch` if there is only that."""
    for parent in (folder, scratch):
        if (parent / name).is_dir():
            return parent / name
    archive = folder / _ARCHIVES[name]
    if not archive.is_file():
        raise ValueError(f"{folder} has neither the folder {name} nor the archive {_ARCHIVES[name]}.")
    scratch.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as file:
        file.extractall(scratch, filter="data")
    return scratch / name


# ---- POP909


def lay_out_pop_bars(beats: np.ndarray) -> tuple[int, np.ndarray]:
    """Find a song's meter and when its beats are.

    Args:
        beats: float (beats, 3) of `beat_midi.txt`: seconds, whether a simple bar begins, whether a compound one.

    Returns:
        Row of METERS; seconds (beats,) of the beats from the first barline.
    """
    simple, compound = np.flatnonzero(beats[:, 1] > 0.5), np.flatnonzero(beats[:, 2] > 0.5)
    in_three = len(simple) > 2 and np.median(np.diff(simple)) == 3
    barlines = simple if in_three else compound
    first = int(barlines[0]) if len(barlines) else 0
    return find_meter(3, 4) if in_three else COMMON_TIME, beats[first:, 0]


def _place_beats(seconds: np.ndarray, beat_times: np.ndarray) -> np.ndarray:
    """Convert seconds to grid positions, a quarter a beat; before the first and after the last beat the pace goes
    on.
    """
    period = float(np.median(np.diff(beat_times)))
    before = beat_times[0] - period * np.arange(8, 0, -1)
    after = beat_times[-1] + period * np.arange(1, 65)
    grid = np.concatenate([before, beat_times, after])
    return np.interp(seconds, grid, np.arange(-8, len(grid) - 8)) * POSITIONS_PER_QUARTER


def read_song(path: Path) -> Piece:
    """Read a POP909 song: three piano tracks, the melody first."""
    song = read_midi(path)
    meter, beat_times = lay_out_pop_bars(np.loadtxt(path.with_name("beat_midi.txt")))
    bar_positions = Bar(meter).positions
    tracks = []
    for instrument in song.instruments:
        times = song.to_seconds(np.array([(note.start, note.end) for note in instrument.notes]).reshape(-1, 2))
        onsets, ends = _place_beats(times, beat_times).T
        starts = np.rint(onsets / SIXTEENTH).astype(int) * SIXTEENTH + bar_positions  # a bar for what comes before
        lengths = np.maximum(np.rint((ends - onsets) / 3).astype(int) * 3, 3)
        loudness: dict[int, int] = {}
        for start, note in zip(starts, instrument.notes, strict=True):
            loudness[start] = max(loudness.get(start, 0), note.velocity)
        tracks.append(
            InstrumentTrack.from_notes(
                0,
                False,
                (
                    Note(int(start), note.pitch, int(length), round_velocity(loudness[start] // VELOCITY_STEP))
                    for start, length, note in zip(starts, lengths, instrument.notes, strict=True)
                    if start >= 0
                ),
            )
        )
    tempo = find_tempo(60.0 / float(np.median(np.diff(beat_times))))
    last = max(track.notes[-1].start for track in tracks)
    return trim(Piece((Bar(meter, tempo),) * (last // bar_positions + 1), tuple(tracks)))


def _read_pop(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("[0-9][0-9][0-9]/[0-9][0-9][0-9].mid")):
        yield Source("pop", path.stem, int(path.stem) % HELD_OUT_EVERY == 0, read_song(path))


# ---- OpenScore Lieder


def read_lied(path: Path) -> Piece:
    """Read an art song: the voice, and all that follows it as one piano track."""
    piece = quantise(read_midi(path))
    tracks = [
        [replace(note, velocity=round_velocity(note.velocity)) for note in track.notes] for track in piece.melodic
    ]
    parts = [tracks[0], [note for track in tracks[1:] for note in track]] if len(tracks) > 1 else tracks
    tempo = int(np.median([bar.tempo for bar in piece.bars]))
    programs = (piece.melodic[0].program, 0)
    song = tuple(
        InstrumentTrack.from_notes(program, False, notes) for program, notes in zip(programs, parts, strict=False)
    )
    return trim(set_tempo(Piece(piece.bars, song), tempo))


def _read_lieder(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*.mid")):
        number = re.search(r"lc(\d+)", path.stem)
        try:
            piece = read_lied(path)
        except ValueError as error:
            print(f"passed over {path.name}: {error}")
            continue
        yield Source("lieder", path.stem, number is not None and int(number[1]) % HELD_OUT_EVERY == 0, piece)


# ---- Groove MIDI


def _read_drums(folder: Path) -> Iterator[Source]:
    with (folder / "info.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in sorted(rows, key=lambda row: row["midi_filename"]):
        if row["beat_type"] != "beat":
            continue  # fills of a bar
        numerator, denominator = (int(part) for part in row["time_signature"].split("-"))
        piece = quantise(read_midi(folder / row["midi_filename"]), (numerator, denominator))
        notes = [
            replace(note, pitch=GROOVE_PADS.get(note.pitch, note.pitch), velocity=round_velocity(note.velocity))
            for note in piece.tracks[-1].notes
        ]
        tempo = find_tempo(float(row["bpm"]))
        drums = trim(set_tempo(Piece(piece.bars, (InstrumentTrack.from_notes(0, True, notes),)), tempo))
        yield Source("drums", row["midi_filename"], row["split"] != "train", drums)


# ---- JSB chorales


def read_chorale(steps: list[list[int]]) -> Piece:
    """Read a chorale of sixteenths, each with its pitches from soprano to bass (fewer where voices rest): four
    tracks.
    """
    voices: list[list[Note]] = [[], [], [], []]
    for at, step in enumerate(steps):
        for voice, pitch in enumerate(map(int, step[:4])):
            start = at * SIXTEENTH
            last = voices[voice][-1] if voices[voice] else None
            bar_positions = 4 * POSITIONS_PER_QUARTER
            if last and last.pitch == pitch and last.start + last.duration == start and start % bar_positions:
                voices[voice][-1] = replace(last, duration=last.duration + SIXTEENTH)
            else:
                voices[voice].append(Note(start, pitch, SIXTEENTH, _CHORALE_VELOCITY // VELOCITY_STEP))
    bars = (Bar(COMMON_TIME, find_tempo(_CHORALE_TEMPO)),) * (-(-len(steps) // 16))
    return trim(Piece(bars, tuple(InstrumentTrack.from_notes(52, False, notes) for notes in voices)))


def _read_chorales(path: Path) -> Iterator[Source]:
    for split, chorales in sorted(json.loads(path.read_text(encoding="utf-8")).items()):
        for index, steps in enumerate(chorales):
            yield Source("chorales", f"{split}-{index:03d}", split != "train", read_chorale(steps))


def read_collections(folder: Path, scratch: Path) -> Iterator[Source]:
    """Read all pieces of all collections in a fixed order.

    Args:
        folder: holds POP909, openscore_lieder_midi and groove as folders or archives, and jsb/jsb-chorales-16th.json.
        scratch: where archives are unpacked.

    Raises:
        ValueError: a collection is missing.
    """
    chorales = folder / "jsb" / "jsb-chorales-16th.json"
    if not chorales.is_file():
        raise ValueError(f"{folder} lacks jsb/jsb-chorales-16th.json.")
    yield from _read_pop(_unpack(folder, "POP909", scratch))
    yield from _read_lieder(_unpack(folder, "openscore_lieder_midi", scratch))
    yield from _read_drums(_unpack(folder, "groove", scratch))
    yield from _read_chorales(chorales)


# ---- the file


@dataclass(frozen=True)
class Corpus:
    """Token sequences one after another, and where each piece and each bar begins.

    Attributes:
        tokens: uint16 (all tokens,).
        pieces: dicts with collection, name, held_out, start (of its tokens), and bars: rows of
            (first token, meter, tempo), then one row for the end.
    """

    tokens: np.ndarray
    pieces: tuple[dict, ...]

    @classmethod
    def from_sources(cls, sources: Iterator[Source]) -> Corpus:
        """Tokenise."""
        tokens: list[int] = []
        pieces = []
        for source in sources:
            if len(source.piece.bars) < _MIN_BARS:
                continue
            start = len(tokens)
            tokens += encode_piece(source.piece, source.collection)
            bars = [start + at for at, token in enumerate(tokens[start:]) if token == BAR.first]
            rows = [(at, bar.meter, bar.tempo) for at, bar in zip(bars, source.piece.bars, strict=True)]
            rows.append((len(tokens) - 1, -1, -1))
            pieces.append(
                {
                    "collection": source.collection,
                    "name": source.name,
                    "held_out": source.held_out,
                    "start": start,
                    "bars": rows,
                }
            )
        return cls(np.array(tokens, dtype=np.uint16), tuple(pieces))

    def save(self, path: Path) -> None:
        """Write one compressed file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, tokens=self.tokens, pieces=np.array(json.dumps(self.pieces)))

    @classmethod
    def load(cls, path: Path) -> Corpus:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(file["tokens"], tuple(json.loads(str(file["pieces"]))))

    def cut_window(self, index: int, first: int, stop: int) -> list[int]:
        """Cut the tokens of bars first to stop - 1 of a piece, with its front; they decode to those bars alone."""
        piece = self.pieces[index]
        bars = piece["bars"]
        front = self.tokens[piece["start"] : bars[0][0]]
        _, meter, tempo = bars[first]
        body = self.tokens[bars[first][0] + 1 : bars[stop][0]]
        said = [BAR.first, METER.to_token(meter), TEMPO.to_token(tempo)]
        return [*front.tolist(), *said, *body.tolist()]

    def read_piece(self, index: int) -> Piece:
        """Read a piece with all its bars."""
        return decode_piece(self.cut_window(index, 0, len(self.pieces[index]["bars"]) - 1))
