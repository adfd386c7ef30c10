"""Training rows: excerpts of the arranged pieces, in any key and tempo, with what is planned for each bar.

An example is a stretch of whole bars with its controls measured anew, so that a control always tells what follows. Some
are preceded by a few much earlier bars of their piece, as in the prompts of long pieces; some are infillings. What is
planned may be hidden, each kind by chance, so that the network also knows what music is like without it; a style, key,
density or register that is hidden is Pad in front, which guidance needs. Examples are laid end to end in rows of one
length. Which tokens a row has is decided on the CPU, the rest is done where the tokens are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.music.musical_context import (
    BAR_FEATURES,
    FEATURE_COUNT,
    FIRST_ROWS,
    PLACE_STEP,
    SIXTEENTH,
    UNKNOWN,
    MusicalContext,
)
from models.music.vocabulary import (
    AFTER,
    BEFORE,
    DENSITY,
    EOS,
    KEY,
    MASK,
    METER,
    PAD,
    PITCH,
    REGISTER,
    REGISTERS,
    SEPARATOR,
    STYLE,
    STYLES,
    TEMPI,
    TEMPO,
    VELOCITY,
    VOCABULARY_SIZE,
)
from training.music.arranging import NoteTensors
from training.music.token_stream import CONTROLS, TokenStream, measure_controls

MIX = {"pop": 0.56, "lieder": 0.24, "drums": 0.08, "chorales": 0.12}
FROM_START_SHARE, REMEMBERING_SHARE, INFILLING_SHARE, SHORT_SHARE = 0.35, 0.15, 0.12, 0.25
HIDDEN_CONTROL_SHARE = 0.1
# What a plan leaves out: phrase, bars to go, likeness with its reference, chords, which tracks sound.
HIDDEN_SHARES = (0.1, 0.15, 0.15, 0.55, 0.12)
MOST_INFILLED, MOST_REMEMBERED = 8, 8
EXAMPLE_SIXTEENTHS = 8192.0  # apart lie the times of two examples of a row
_MELODIC_ROWS = 24
Whole = NDArray[np.int64]


@dataclass
class _Drafts:
    """Rows while they are laid out: what stands where, and what is said of each example."""

    index: Whole
    bar: Whole
    example: Whole
    places: list[tuple[int, int]] = field(default_factory=list)  # row and column of each example's first token
    bars: list[tuple[int, int]] = field(default_factory=list)  # first bar measured and one past the last
    order: list[int] = field(default_factory=list)  # which of its row's examples it is
    visible: list[tuple[int, int, int, int]] = field(default_factory=list)  # two stretches of bars to return to


@dataclass(frozen=True)
class Rows:
    """Rows of training.

    Attributes:
        tokens: int64 (B, L + 1), Pad after the last.
        context: of the first L tokens.
    """

    tokens: Tensor
    context: MusicalContext


class RowDrawer:
    """A drawer of rows from one stream.

    Args:
        length: tokens of a row.
        varies: whether examples are transposed, hidden and infilled by chance; else whole stretches from where they
            are asked, everything known.
    """

    def __init__(self, notes: NoteTensors, stream: TokenStream, length: int, seed: int, varies: bool = True) -> None:
        self.notes, self.stream, self.length, self.varies = notes, stream, length, varies
        self.random = np.random.default_rng(seed)
        self.header, self.header_length = stream.header.cpu().numpy(), stream.header_length.cpu().numpy()
        self.bar_token, self.bar_said = stream.bar_token.cpu().numpy(), stream.bar_said.cpu().numpy()
        self.bar_end, self.token_bar = stream.bar_end.cpu().numpy(), stream.token_bar.cpu().numpy()
        self.first_bar, self.bars = notes.first_bar.cpu().numpy(), notes.bars.cpu().numpy()
        self.meter, self.tempo = notes.meter.cpu().numpy(), notes.tempo.cpu().numpy()
        self.literals = len(stream.tokens) - VOCABULARY_SIZE
        collection = notes.collection.cpu().numpy()
        shares = np.array([MIX.get(style, 0.0) for style in STYLES])
        present = np.bincount(collection, weights=self.bars, minlength=len(STYLES))
        shares = np.where(present > 0, shares, 0.0)
        chances = self.bars * (shares / np.maximum(present, 1))[collection]
        self.edges = np.cumsum(chances / chances.sum())

    # ---- which tokens

    def draw(self, rows: int) -> Rows:
        """Draw rows."""
        drafts = self._make_drafts(rows)
        for row in range(rows):
            column, order = 0, 0
            while column <= self.length - CONTROLS:
                piece = min(int(np.searchsorted(self.edges, self.random.random())), len(self.bars) - 1)
                column = self._lay_example(drafts, row, column, order, piece)
                order += 1
        return self._finish(drafts)

    def list_excerpts(self, pieces: Whole, firsts: Whole) -> Rows:
        """Return one row for each piece, from bar `firsts` of it on, filled up with Pad."""
        drafts = self._make_drafts(len(pieces))
        for row, (piece, first) in enumerate(zip(pieces, firsts, strict=True)):
            begin = int(self.first_bar[piece])
            self._lay_stretch(drafts, row, 0, 0, int(piece), begin + int(first), begin + int(self.bars[piece]))
        return self._finish(drafts)

    def _make_drafts(self, rows: int) -> _Drafts:
        shape = (rows, self.length + 1)
        return _Drafts(np.full(shape, self.literals + PAD.first), np.zeros(shape, np.int64), np.zeros(shape, np.int64))

    def _lay_example(self, drafts: _Drafts, row: int, column: int, order: int, piece: int) -> int:
        """Lay an example out from `column` on; return where it ends."""
        random = self.random
        begin, count = int(self.first_bar[piece]), int(self.bars[piece])
        end = begin + count
        first = begin if random.random() < FROM_START_SHARE else begin + int(random.integers(max(1, count - 3)))
        kind = random.random()
        if kind < INFILLING_SHARE and self.length - column > 200:
            return self._lay_infilling(drafts, row, column, order, piece, first, end)
        stop = end if random.random() >= SHORT_SHARE else min(end, first + int(random.integers(4, 17)))
        if kind > 1 - REMEMBERING_SHARE and first - begin > MOST_REMEMBERED:
            length = int(random.integers(1, MOST_REMEMBERED + 1))
            low = begin + int(random.integers(first - begin - length + 1))
            return self._lay_stretch(drafts, row, column, order, piece, first, stop, (low, low + length))
        return self._lay_stretch(drafts, row, column, order, piece, first, stop)

    def _lay_stretch(
        self,
        drafts: _Drafts,
        row: int,
        column: int,
        order: int,
        piece: int,
        first: int,
        stop: int,
        remembered: tuple[int, int] = (0, 0),
    ) -> int:
        """Lay out bars first to stop - 1, with some much earlier ones before them, and Eos if the piece ends there."""
        low, high = remembered
        parts = [self._find_front(piece)]
        parts += [self._find_bars(low, high)] if high > low else []
        ends = stop == self.first_bar[piece] + self.bars[piece]
        parts.append(np.arange(self.bar_token[first], self.bar_end[stop - 1] + ends))
        opening = low if high > low else first
        bars = [np.full(len(parts[0]), opening), *(self.token_bar[part] for part in parts[1:])]
        return self._lay(drafts, row, column, order, parts, bars, (first, stop), (low, high, first, stop))

    def _lay_infilling(
        self, drafts: _Drafts, row: int, column: int, order: int, piece: int, first: int, end: int
    ) -> int:
        """Lay out an infilling: what comes before and after some bars, then these."""
        room = self.bar_token[first] + self.length - column - 3 * CONTROLS - MOST_INFILLED - self.header_length[piece]
        last = min(end, int(np.searchsorted(self.bar_end[first:end], room, side="right")) + first)
        if last - first < 2:
            return self._lay_stretch(drafts, row, column, order, piece, first, end)
        count = int(self.random.integers(1, min(MOST_INFILLED, (last - first + 1) // 2) + 1))
        begin = first + int(self.random.integers(last - first - count + 1))
        stop = begin + count
        before = self._find_bars(first, begin)
        after = self._find_bars(stop, last)
        if len(after):
            said = [METER.first + int(self.meter[stop]), TEMPO.first + int(self.tempo[piece])]
            after = np.concatenate([after[:1], self._find(*said), after[1 + self.bar_said[stop] :]])
        opening = first if begin > first else stop if last > stop else begin
        before_end, given_end = max(opening, begin - 1), last - 1 if last > stop else max(opening, begin - 1)
        parts = [
            self._find_front(piece),
            self._find(BEFORE.first),
            before,
            self._find(*[MASK.first] * count, AFTER.first),
        ]
        parts += [after, self._find(SEPARATOR.first), self._find_bars(begin, stop), self._find(EOS.first)]
        after_bars = np.full(len(after), stop)
        after_bars[3:] = self.token_bar[after[3:]]
        bars = [
            np.full(len(parts[0]) + 1, opening),
            self.token_bar[before],
            np.full(count + 1, before_end),
            after_bars,
            np.full(1, given_end),
            self.token_bar[parts[6]],
            np.full(1, stop - 1),
        ]
        return self._lay(drafts, row, column, order, parts, bars, (first, last), (first, last, 0, 0))

    def _find(self, *tokens: int) -> Whole:
        """Find tokens of the vocabulary behind the stream."""
        return self.literals + np.array(tokens, dtype=np.int64)

    def _find_front(self, piece: int) -> Whole:
        return np.arange(self.header[piece], self.header[piece] + self.header_length[piece])

    def _find_bars(self, first: int, stop: int) -> Whole:
        if first >= stop:
            return np.zeros(0, dtype=np.int64)
        return np.arange(self.bar_token[first], self.bar_end[stop - 1])

    def _lay(
        self,
        drafts: _Drafts,
        row: int,
        column: int,
        order: int,
        parts: list[Whole],
        bars: list[Whole],
        measured: tuple[int, int],
        visible: tuple[int, int, int, int],
    ) -> int:
        """Write an example's tokens into a row, cut where the row ends; return where the next begins."""
        index, bar = np.concatenate(parts), np.concatenate(bars)
        count = min(len(index), self.length + 1 - column)
        part = slice(column, column + count)
        drafts.index[row, part], drafts.bar[row, part] = index[:count], bar[:count]
        drafts.example[row, part] = len(drafts.places)
        first, stop = measured
        if count < len(index):  # what does not fit is not measured
            stop = max(first + 1, min(stop, int(bar[:count].max())))
        drafts.places.append((row, column))
        drafts.bars.append((first, stop))
        drafts.order.append(order)
        drafts.visible.append(visible)
        return column + count

    # ---- what stands there

    def _finish(self, drafts: _Drafts) -> Rows:
        """Gather the tokens and their context, and vary the examples."""
        device, count = self.notes.device, len(drafts.places)
        index, bar, example = (torch.from_numpy(each).to(device) for each in (drafts.index, drafts.bar, drafts.example))
        places = torch.tensor(drafts.places, device=device)
        first, stop = torch.tensor(drafts.bars, device=device).unbind(1)
        shift, faster, louder = self._draw_changes(count)
        tokens = self.stream.tokens[index]
        opening = bar[places[:, 0], places[:, 1]]  # the bar that stands first
        tokens, key = self._set_front(tokens, places, first, stop, opening, shift)
        tokens = _move_pitches(tokens, shift[example])
        tokens = _move(tokens, TEMPO.first, len(TEMPI), faster[example])
        tokens = _move(tokens, VELOCITY.first, VELOCITY.count, louder[example], low=1)
        features, reference = self._plan(drafts, bar, example, shift, key)
        place, track = self.stream.place[index], self.stream.track[index]
        at = torch.where(place < UNKNOWN[1] * PLACE_STEP, place, 0)
        base = self.notes.bar_start[first][example]
        apart = EXAMPLE_SIXTEENTHS * torch.tensor(drafts.order, device=device)[example]
        times, returns = (
            (self.notes.bar_start[each] + at - base).float() / SIXTEENTH + apart for each in (bar, reference)
        )
        near = torch.stack([track + FIRST_ROWS[0], place // PLACE_STEP + FIRST_ROWS[1]], dim=-1)
        features = torch.cat([near, features + torch.tensor(FIRST_ROWS[BAR_FEATURES], device=device)], dim=-1)
        return Rows(tokens, MusicalContext(features, times, returns).cut(slice(0, self.length)))

    def _draw_changes(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw semitones, rows of TEMPI and velocity bins for each example."""
        changes = np.zeros((3, count), dtype=np.int64)
        if self.varies:
            changes[0] = self.random.integers(-6, 6, count)
            changes[1] = self.random.integers(-4, 5, count)
            changes[2] = 3 * self.random.integers(-1, 2, count)
        shift, faster, louder = torch.from_numpy(changes).to(self.notes.device)
        return shift, faster, louder

    def _draw_flags(self, share: float, count: int) -> Tensor:
        flags = self.random.random(count) < share if self.varies else np.zeros(count, dtype=bool)
        return torch.from_numpy(flags).to(self.notes.device)

    def _set_front(
        self, tokens: Tensor, places: Tensor, first: Tensor, stop: Tensor, opening: Tensor, shift: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Say in front of each example what it is like; return the tokens and the keys, 25 where that is hidden."""
        sums = self.stream.sums
        key, density, _ = measure_controls(sums, first, stop)
        key = _move_keys(key, shift)
        _, melodic, pitches, _ = (sums.counts[stop] - sums.counts[first]).unbind(1)
        register = torch.round((pitches / melodic.clamp(min=1) + shift - REGISTERS[0]) / 4).clamp(0, len(REGISTERS) - 1)
        register = torch.where(melodic > 0, register.long(), len(REGISTERS))
        row, column = places.unbind(1)
        for at, kind, value in (
            (1, STYLE, self.notes.collection[self.notes.bar_piece[first]]),
            (2, KEY, key),
            (4, METER, self.notes.meter[opening]),
            (5, DENSITY, density),
            (6, REGISTER, register),
        ):
            said = kind.first + value
            if kind is not METER:
                hidden = self._draw_flags(HIDDEN_CONTROL_SHARE, len(places))
                said = torch.where(hidden, PAD.first, said)
                if kind is KEY:
                    key = torch.where(hidden, UNKNOWN[7], key)
            inside = column + at <= self.length
            tokens[row[inside], column[inside] + at] = said[inside]
        return tokens, key

    def _plan(self, drafts: _Drafts, bar: Tensor, example: Tensor, shift: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """Tell what is planned for each token's bar, values int64 (B, L + 1, F - 2), and which bar it returns to."""
        count, device = len(drafts.places), bar.device
        features = self.stream.features[bar]
        unknown = torch.tensor(UNKNOWN[BAR_FEATURES], device=device)
        groups = (slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 5), slice(6, FEATURE_COUNT - 2))
        hidden = [self._draw_flags(share, count)[example] for share in HIDDEN_SHARES]
        low, high, begin, end = torch.tensor(drafts.visible, device=device)[example].unbind(-1)
        reference = bar - self.notes.distance[bar]
        seen = ((reference >= low) & (reference < high)) | ((reference >= begin) & (reference < end))
        hidden[2] = hidden[2] | ~seen
        chords = features[..., 3:5]
        features[..., 3:5] = torch.where(chords < _MELODIC_ROWS, _move_keys(chords, shift[example][..., None]), chords)
        features[..., 5] = key[example]
        for group, hides in zip(groups, hidden, strict=True):
            features[..., group] = torch.where(hides[..., None], unknown[group], features[..., group])
        return features, torch.where(hidden[2], bar, reference)


def _move_keys(keys: Tensor, semitones: Tensor) -> Tensor:
    """Move rows of KEYS (also chords) by semitones; what is none or unknown stays."""
    moved = keys // 12 * 12 + (keys % 12 + semitones) % 12
    return torch.where(keys < _MELODIC_ROWS, moved, keys)


def _move_pitches(tokens: Tensor, semitones: Tensor) -> Tensor:
    """Move pitches that stay in MIDI's range."""
    moved = tokens + semitones
    inside = (tokens >= PITCH.first) & (tokens < PITCH.stop) & (moved >= PITCH.first) & (moved < PITCH.stop)
    return torch.where(inside, moved, tokens)


def _move(tokens: Tensor, first: int, count: int, by: Tensor, low: int = 0) -> Tensor:
    """Move the tokens of a kind, held to its ends."""
    inside = (tokens >= first) & (tokens < first + count)
    return torch.where(inside, (tokens + by).clamp(first + low, first + count - 1), tokens)
