"""Pieces to tokens and back; `models.music.vocabulary` has the grammar and the table.

The round trip is exact: `decode_piece(encode_piece(piece)) == piece`. Decoding never fails: a token that makes no sense
where it stands is passed over, half a note is dropped, and what remains is a piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.music.controls import MusicControls, measure_controls
from models.music.score import COMMON_TIME, DEFAULT_TEMPO, MAX_BARS, Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import (
    AFTER,
    BAR,
    BEFORE,
    BOS,
    DRUM,
    DRUM_DURATION,
    DRUMS,
    DURATION,
    DURATIONS,
    EOS,
    MASK,
    METER,
    PITCH,
    POSITION,
    PROGRAM,
    SEPARATOR,
    TEMPO,
    TRACK,
    VELOCITY,
    VOCABULARY_SIZE,
    TokenKind,
    find_duration,
    split_token,
)


@dataclass
class _Timeline:
    """The meter and tempo that hold; None means that the next bar must say its own."""

    meter: int | None
    tempo: int | None

    def encode_bar(self, bar: Bar) -> list[int]:
        """Encode Bar, and Meter and Tempo where they change."""
        tokens = [BAR.to_token()]
        if bar.meter != self.meter:
            tokens.append(METER.to_token(bar.meter))
        if bar.tempo != self.tempo:
            tokens.append(TEMPO.to_token(bar.tempo))
        self.meter, self.tempo = bar.meter, bar.tempo
        return tokens


def encode_tracks(piece: Piece) -> list[int]:
    """Encode the tracks' list in front: Track and Program for each melodic track, then Drums."""
    tokens = []
    for index, track in enumerate(piece.melodic):
        tokens += [TRACK.to_token(index), PROGRAM.to_token(track.program)]
    return tokens + [DRUMS.to_token()] * (len(piece.tracks) > len(piece.melodic))


def _group_notes(piece: Piece) -> list[list[tuple[int, int, Note]]]:
    """Group the notes by bars, each as (position, track, note), in the order of the sequence."""
    starts = piece.list_bar_starts()
    by_bar: list[list[tuple[int, int, Note]]] = [[] for _ in piece.bars]
    for index, track in enumerate(piece.tracks):
        bar = 0
        for note in track.notes:
            while note.start >= starts[bar + 1]:
                bar += 1
            by_bar[bar].append((note.start - starts[bar], index, note))
    for notes in by_bar:
        notes.sort(key=lambda entry: (entry[0], entry[1], entry[2].pitch))
    return by_bar


def _encode_notes(notes: Sequence[tuple[int, int, Note]], tracks: Sequence[InstrumentTrack]) -> list[int]:
    """Encode one bar's notes; track and velocities are said afresh."""
    tokens: list[int] = []
    position, track = -1, -1
    velocities: dict[int, int] = {}
    for at, index, note in notes:
        is_drum = tracks[index].is_drum
        if at != position:
            tokens.append(POSITION.to_token(at))
        if index != track:
            tokens.append(DRUMS.to_token() if is_drum else TRACK.to_token(index))
        if velocities.get(index) != note.velocity:
            tokens.append(VELOCITY.to_token(note.velocity))
        tokens += (
            [DRUM.to_token(note.pitch)]
            if is_drum
            else [PITCH.to_token(note.pitch), DURATION.to_token(find_duration(note.duration))]
        )
        position, track, velocities[index] = at, index, note.velocity
    return tokens


def encode_bars(piece: Piece, timeline: tuple[int | None, int | None] = (None, None)) -> list[list[int]]:
    """Encode each bar as a list, given the meter and tempo that hold before (None: the first bar says them)."""
    running = _Timeline(*timeline)
    return [
        running.encode_bar(bar) + _encode_notes(notes, piece.tracks)
        for bar, notes in zip(piece.bars, _group_notes(piece), strict=True)
    ]


def encode_header(piece: Piece, style: str = "other", controls: MusicControls | None = None) -> list[int]:
    """Encode BOS, the controls (measured unless given) and the tracks' list."""
    return [BOS.to_token(), *(controls or measure_controls(piece, style)).to_tokens(), *encode_tracks(piece)]


def encode_piece(piece: Piece, style: str = "other", controls: MusicControls | None = None) -> list[int]:
    """Encode a whole piece as tokens, BOS to EOS.

    Args:
        controls: written in front instead of the measured ones; their meter and tempo hold for the first bar unless it
            has others, which it then says.

    Raises:
        ValueError: `style` is none of STYLES.
    """
    controls = controls or measure_controls(piece, style)
    bars = encode_bars(piece, (controls.meter, controls.tempo))
    return [*encode_header(piece, style, controls), *(token for bar in bars for token in bar), EOS.to_token()]


def encode_infill(
    piece: Piece, first: int, stop: int, style: str = "other", controls: MusicControls | None = None
) -> tuple[list[int], list[int]]:
    """Encode a piece whose bars first to stop - 1 are to be written anew.

    Returns:
        What is given, up to Separator, and the answer that is there now, up to EOS.

    Raises:
        ValueError: the bars are not in the piece, or none.
    """
    if not 0 <= first < stop <= len(piece.bars):
        raise ValueError(f"bars {first} to {stop} are asked; the piece has bars 0 to {len(piece.bars)}.")
    controls = controls or measure_controls(piece, style)
    bars = encode_bars(piece, (controls.meter, controls.tempo))
    after = encode_bars(piece.slice(stop, len(piece.bars)))
    given = [*encode_header(piece, style, controls), BEFORE.to_token()]
    given += [token for bar in bars[:first] for token in bar]
    given += [MASK.to_token()] * (stop - first)
    given += [AFTER.to_token(), *(token for bar in after for token in bar), SEPARATOR.to_token()]
    return given, [*(token for bar in bars[first:stop] for token in bar), EOS.to_token()]


@dataclass
class _TokenSection:
    """Bars read so far, and their notes as (track or None for drums, note) from the section's start."""

    bars: list[Bar] = field(default_factory=list)
    notes: list[tuple[int | None, Note]] = field(default_factory=list)
    positions: int = 0

    def extend(self, other: _TokenSection) -> None:
        """Append another section's bars and notes."""
        self.bars += other.bars
        self.notes += [
            (track, Note(note.start + self.positions, note.pitch, note.duration, note.velocity))
            for track, note in other.notes
        ]
        self.positions += other.positions

    def resize(self, bars: int, filler: Bar) -> None:
        """Add empty bars like the last (like `filler` where there is none), or drop the last ones, to have `bars`."""
        last = self.bars[-1] if self.bars else filler
        self.bars = self.bars[:bars] + [last] * (bars - len(self.bars))
        self.positions = sum(bar.positions for bar in self.bars)
        self.notes = [(track, note) for track, note in self.notes if note.start < self.positions]


class _TokenReader:
    """A reader of tokens into sections that knows what holds and forgives what makes no sense."""

    def __init__(self) -> None:
        self.programs: dict[int, int] = {}
        self.has_drums = False
        self.sections = {kind: _TokenSection() for kind in (BEFORE, AFTER, SEPARATOR)}
        self.section = self.sections[BEFORE]
        self.masks = 0
        self.asked = False
        self.meter, self.tempo = COMMON_TIME, DEFAULT_TEMPO
        self.timeline_before = (self.meter, self.tempo)
        self.bar_is_open = True  # until its first position, a bar's meter and tempo may be said
        self.track: int | None = None
        self.track_known = False
        self.velocities: dict[int | None, int] = {}
        self.position: int | None = None
        self.pitch: int | None = None

    def read(self, token: int) -> bool:
        """Take one token; False at the end of the sequence."""
        kind, value = split_token(token)
        pitch, self.pitch = self.pitch, None  # a Duration counts only right after its Pitch
        if kind is EOS:
            return False
        if kind is BAR:
            return self._begin_bar()
        if kind in (MASK, AFTER, SEPARATOR):
            self._mark(kind)
        elif kind in (METER, TEMPO):
            self._set_timeline(kind is METER, value)
        elif kind in (TRACK, DRUMS, PROGRAM):
            self._set_track(kind, value)
        elif kind is POSITION:
            self.bar_is_open = False
            self.position = value if self.section.bars and value < self.section.bars[-1].positions else None
        elif kind is VELOCITY:
            self.velocities[self.track] = value
        elif kind is PITCH:
            self.pitch = value
        elif kind is DURATION and pitch is not None and self.track is not None:
            self._add_note(pitch, DURATIONS[value])
        elif kind is DRUM and self.track is None:
            self._add_note(value, DRUM_DURATION)
        return True

    def _set_track(self, kind: TokenKind, value: int) -> None:
        """Track or Drums: whose notes follow; in front, with Program, also that there is such a track."""
        in_front = not self.sections[BEFORE].bars
        if kind is PROGRAM:
            if in_front and self.track is not None:
                self.programs[self.track] = value
            return
        self.track, self.track_known = (value if kind is TRACK else None), True
        if in_front and self.track is None:
            self.has_drums = True
        elif in_front and self.track is not None:
            self.programs.setdefault(self.track, 0)

    def _mark(self, kind: TokenKind) -> None:
        """Go on to the next section at Mask, After or Separator."""
        self.position = None
        if kind is MASK:
            self.masks += self.section is self.sections[BEFORE]
        elif kind is AFTER and self.section is self.sections[BEFORE]:
            self.timeline_before = (self.meter, self.tempo)
            self.section = self.sections[AFTER]
        elif kind is SEPARATOR and not self.asked:
            if self.section is self.sections[AFTER]:
                self.meter, self.tempo = self.timeline_before
            self.asked, self.section = True, self.sections[SEPARATOR]

    def _begin_bar(self) -> bool:
        """Begin a bar with the meter and tempo that hold; return False where there would be too many."""
        if sum(len(section.bars) for section in self.sections.values()) >= MAX_BARS - self.masks:
            return False
        self.section.bars.append(Bar(self.meter, self.tempo))
        self.section.positions += self.section.bars[-1].positions
        self.track_known, self.velocities, self.position, self.bar_is_open = False, {}, None, True
        return True

    def _set_timeline(self, is_meter: bool, value: int) -> None:
        """Set meter or tempo: in front for the first bar, in a bar for it and those that follow, before its first
        note.
        """
        if not self.bar_is_open:
            return
        self.meter, self.tempo = (value, self.tempo) if is_meter else (self.meter, value)
        if self.section.bars:
            self.section.positions -= self.section.bars[-1].positions
            self.section.bars[-1] = Bar(self.meter, self.tempo)
            self.section.positions += self.section.bars[-1].positions

    def _add_note(self, pitch: int, duration: int) -> None:
        """Add a note of the current track at the current position, if all of that is known."""
        velocity = self.velocities.get(self.track)
        if self.position is not None and self.track_known and velocity is not None:
            start = self.section.positions - self.section.bars[-1].positions + self.position
            self.section.notes.append((self.track, Note(start, pitch, duration, velocity)))

    def build(self) -> Piece:
        """Put together what was read: before, the answer in place of the masked bars, after."""
        whole, answer = self.sections[BEFORE], self.sections[SEPARATOR]
        filler = Bar(*self.timeline_before)
        if self.masks:
            answer.resize(min(self.masks, MAX_BARS), filler)
        whole.extend(answer)
        whole.extend(self.sections[AFTER])
        whole.resize(min(len(whole.bars), MAX_BARS), filler)
        self.has_drums |= any(track is None for track, _ in whole.notes)
        notes: dict[int | None, list[Note]] = {}
        for track, note in whole.notes:
            notes.setdefault(track, []).append(note)
            if track is not None:
                self.programs.setdefault(track, 0)
        tracks = [
            InstrumentTrack.from_notes(self.programs[index], False, notes.get(index, ()))
            for index in sorted(self.programs)
        ]
        if self.has_drums:
            tracks.append(InstrumentTrack.from_notes(0, True, notes.get(None, ())))
        return Piece(tuple(whole.bars), tuple(tracks))


def decode_piece(tokens: Iterable[int]) -> Piece:
    """Decode any tokens as a piece, up to the first EOS; never fails. Numbers outside the vocabulary are passed over.

    An infilling sequence gives the whole piece: the answer stands where the masked bars were, cut or filled up with
    empty bars to their number.
    """
    reader = _TokenReader()
    for token in tokens:
        if 0 <= token < VOCABULARY_SIZE and not reader.read(int(token)):
            break
    return reader.build()
