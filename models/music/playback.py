"""Take a composer's tokens apart into bars, and play a piece while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models.music.contracts import BarSpan, MusicChunk, TimedNote
from models.music.desk import MixingDesk
from models.music.piece_builder import PieceBuilder, WrittenNote, read_bar
from models.music.rendering import NoteEvent, StreamRenderer
from models.music.score import Bar, Piece
from models.music.tokenizer import decode_piece
from models.music.vocabulary import BAR, EOS, split_token

COMPOSED_ANEW = "A passage came too close to a piece that the model learned from, and was composed anew."

ParsedBar = tuple[Bar, list[WrittenNote]]


@dataclass
class BarParser:
    """The parser of one piece's tokens: first the front, then bars."""

    number: int
    bar: Bar
    in_front: bool
    tokens: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    front: list[int] = field(default_factory=list)
    tracks: list[tuple[int, bool]] = field(default_factory=list)  # as the front says
    is_open: bool = True  # whether the tokens belong to a bar

    def take(self, token: int | None, probability: float) -> ParsedBar | None:
        """Take a token; return the bar that it ends, if it ends one."""
        if self.in_front:
            if token != BAR.first:
                self.front.append(EOS.first if token is None else token)
                return None
            self.in_front = False
            self.bar = _read_opening_bar([split_token(each) for each in self.front], self.bar)
            self.tracks = [(track.program, track.is_drum) for track in decode_piece(self.front).tracks]
            return None
        if token is not None and token not in (BAR.first, EOS.first):
            self.tokens.append(token)
            self.probabilities.append(probability)
            return None
        finished = self.close() if self.is_open else None
        self.is_open = token == BAR.first
        return finished

    def close(self) -> ParsedBar:
        """Return what there is of the current bar."""
        self.bar, notes = read_bar(self.tokens, self.probabilities, self.bar)
        self.tokens, self.probabilities = [], []
        return self.bar, notes


def _read_opening_bar(front: Sequence[tuple[object, int]], default: Bar) -> Bar:
    named = {getattr(kind, "name", ""): value for kind, value in front}
    return Bar(named.get("Meter", default.meter), named.get("Tempo", default.tempo))


@dataclass
class PiecePlayer:
    """The player of one piece: its builder, its renderer, its mixing desk, and where the sound begins."""

    builder: PieceBuilder
    renderer: StreamRenderer
    idea: int = 0
    start_s: float = 0.0
    done: int = 0
    total: int = 1
    remarks: tuple[str, ...] = ()
    desk: MixingDesk = field(default_factory=MixingDesk)

    def take_back(self) -> None:
        """Remove the last bar, which nobody has heard, and say why."""
        self.builder.bars.pop()
        self.builder.notes.pop()
        self.add_remark(COMPOSED_ANEW)

    def add_remark(self, remark: str) -> None:
        """Say something once."""
        self.remarks = tuple(dict.fromkeys((*self.remarks, remark)))

    def mix_events(self, notes: Sequence[TimedNote], from_s: float) -> list[NoteEvent]:
        """Convert notes for the renderer, in time from `from_s`, as the desk lets them be heard."""
        heard = [note for note in notes if self.desk.is_heard(note.track)]
        events = zip(heard, self.builder.to_events(heard, from_s), strict=True)
        return [replace(event, gains=self.desk.find_gains(note.track)) for note, event in events]

    def make_chunk(
        self, index: int | None, sounding: bool = True, ends: bool = False, last: bool = False
    ) -> MusicChunk:
        """Make a chunk of bar `index` (None: no bar); with `ends`, of all that still sounds and the piece."""
        notes: tuple[TimedNote, ...] = ()
        samples = np.zeros((2, 0), np.float32)
        lines: tuple[BarSpan, ...] = ()
        part: Piece | None = None
        if index is not None:
            notes = self.builder.time_notes(index)
            line = self.builder.locate_bar(index)
            lines, part = (line,), self.builder.build_bar(index)
            if sounding:
                events = self.mix_events(notes, self.start_s)
                samples = self.renderer.push(events, line.end_s - self.start_s)
        if ends:
            samples = np.concatenate([samples, self.renderer.finish()], axis=1)
        return MusicChunk(
            samples=samples,
            sample_rate=self.renderer.sample_rate,
            notes=notes,
            bars=lines,
            tracks=tuple(self.builder.tracks),
            idea=self.idea,
            sound_start_s=self.start_s,
            piece=self.builder.build() if ends else None,
            part=part,
            tempo_scale=self.builder.tempo_scale,
            remarks=self.remarks,
            done=self.done,
            total=self.total,
            last=last,
        )
