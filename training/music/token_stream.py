"""Arranged pieces as tokens, all at once, as `models.music.tokenizer` writes them; and what is planned for each bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.music.controls import CONTROL_KINDS, MAJOR_PROFILE, MINOR_PROFILE, NO_KEY, NO_REGISTER
from models.music.musical_context import BAR_FEATURES, FEATURE_COUNT, PHRASE_BARS, PLACE_STEP, UNKNOWN, bin_bars_to_go
from models.music.score import MAX_TRACKS
from models.music.vocabulary import (
    BAR,
    BOS,
    DENSITIES,
    DRUM,
    DRUMS,
    DURATION,
    DURATIONS,
    EOS,
    METER,
    PITCH,
    POSITION,
    POSITIONS_PER_QUARTER,
    PROGRAM,
    REGISTERS,
    TRACK,
    VELOCITY,
    VOCABULARY_SIZE,
)
from training.music.arranging import ROLES, Arrangement, NoteTensors

CONTROLS = len(CONTROL_KINDS)
LONGEST_COUNTED = 48  # a chord is told by what begins in its half bar, no note counting longer than two quarters
BASS_BELOW, BASS_WEIGHT = 52, 1.5
CHORD_FIT = 0.55
NO_PLACE = UNKNOWN[1] * PLACE_STEP
NO_TRACK = UNKNOWN[0]
_LENGTHS = tuple(float(duration) for duration in DURATIONS)


@dataclass(frozen=True)
class BarSums:
    """What bars hold, summed up from the first bar of all, so that any stretch is a difference of two rows.

    Attributes:
        classes: float64 (bars + 1, 12), how long each pitch class sounds.
        counts: float64 (bars + 1, 4): notes, melodic notes, their pitches together, grid positions.
    """

    classes: Tensor
    counts: Tensor


@dataclass(frozen=True)
class TokenStream:
    """The tokens of all pieces one after another, then one of each token of the vocabulary.

    Attributes:
        tokens: int64 (tokens + V,).
        place, track: int64, as `tokens`: the grid position in the bar and the track that hold after each token.
        token_bar: int64 (tokens,), the bar of each; of a front its first bar.
        header, header_length: of each piece, its first token and the length of its front.
        bar_token, bar_said: of each bar, its first token and how many tokens say its meter.
        bar_end: one past the last token of each bar.
        features: int64 (bars, F - 2), values of the features of BAR_FEATURES, the key unknown.
        sums: of all bars.
    """

    tokens: Tensor
    place: Tensor
    track: Tensor
    token_bar: Tensor
    header: Tensor
    header_length: Tensor
    bar_token: Tensor
    bar_said: Tensor
    bar_end: Tensor
    features: Tensor
    sums: BarSums


def make_profiles(device: torch.device) -> Tensor:
    """Make the profiles of the 24 keys as `controls.measure_key` has them, float64 (12, 24)."""
    rows = np.array([np.roll(profile, tonic) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)])
    rows = rows - rows.mean(axis=1, keepdims=True)
    return torch.from_numpy((rows / np.linalg.norm(rows, axis=1, keepdims=True)).T.copy()).to(device)


def measure_keys(classes: Tensor) -> Tensor:
    """Find the key of how long each pitch class sounds, float64 (n, 12): rows of KEYS, int64 (n,)."""
    centred = classes - classes.mean(dim=1, keepdim=True)
    best = (centred @ make_profiles(classes.device)).argmax(dim=1)
    return torch.where(centred.abs().amax(dim=1) > 1e-6, best, NO_KEY)


def measure_controls(sums: BarSums, first: Tensor, stop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Measure key, density and register of bars first to stop - 1, as rows of their kinds, each int64 (n,)."""
    keys = measure_keys(sums.classes[stop] - sums.classes[first])
    notes, melodic, pitches, positions = (sums.counts[stop] - sums.counts[first]).unbind(1)
    per_quarter = notes * POSITIONS_PER_QUARTER / positions.clamp(min=1)
    density = torch.round(2 * torch.log2(per_quarter.clamp(min=1e-9) / DENSITIES[0])).clamp(0, len(DENSITIES) - 1)
    register = torch.round((pitches / melodic.clamp(min=1) - REGISTERS[0]) / 4).clamp(0, len(REGISTERS) - 1)
    return keys, density.long(), torch.where(melodic > 0, register.long(), NO_REGISTER)


def name_chords(classes: Tensor) -> Tensor:
    """Find the triad nearest to how long each pitch class sounds, float64 (n, 12): as KEYS, NO_KEY where none fits."""
    triads = torch.zeros(12, 24, dtype=classes.dtype, device=classes.device)
    for root in range(12):
        for minor in (0, 1):
            triads[[root, (root + 4 - minor) % 12, (root + 7) % 12], root + 12 * minor] = 1 / 3**0.5
            triads[root, root + 12 * minor] += 0.05
    length = classes.norm(dim=1).clamp(min=1e-9)
    fit, best = (classes @ triads / length[:, None]).max(dim=1)
    return torch.where((classes.sum(dim=1) > 0) & (fit >= CHORD_FIT), best, NO_KEY)


def sum_bars(notes: NoteTensors, arranged: Arrangement, bar: Tensor) -> BarSums:
    """Sum up what bars hold; `bar` is each note's."""
    bars, device = len(notes.bar_start), notes.device
    melodic = (arranged.track != MAX_TRACKS).double()
    long = torch.tensor(_LENGTHS, device=device, dtype=torch.float64)[arranged.duration]
    classes = torch.zeros(bars * 12, dtype=torch.float64, device=device)
    classes.index_add_(0, bar * 12 + arranged.pitch % 12, melodic * long)
    counts = torch.zeros((bars, 4), dtype=torch.float64, device=device)
    counts[:, 3] = notes.bar_length.double()
    for column, values in enumerate((torch.ones_like(melodic), melodic, melodic * arranged.pitch)):
        counts[:, column].index_add_(0, bar, values)
    front = torch.zeros((1, 12), dtype=torch.float64, device=device)
    return BarSums(
        torch.cat([front, classes.view(bars, 12).cumsum(0)]),
        torch.cat([front[:, :4], counts.cumsum(0)]),
    )


def plan_bars(notes: NoteTensors, arranged: Arrangement, bar: Tensor) -> Tensor:
    """Tell of each bar what a plan says of it, int64 (bars, F - 2), the key unknown."""
    bars, device = len(notes.bar_start), notes.device
    features = torch.tensor(UNKNOWN[BAR_FEATURES], device=device).repeat(bars, 1)
    number = torch.arange(bars, device=device) - notes.first_bar[notes.bar_piece]
    bins = torch.tensor([bin_bars_to_go(left) for left in range(64)], device=device)
    features[:, 0] = number % PHRASE_BARS
    features[:, 1] = bins[(notes.bars[notes.bar_piece] - 1 - number).clamp(max=63)]
    features[:, 2] = notes.likeness
    place = arranged.start - notes.bar_start[bar]
    half = (place * 2 >= notes.bar_length[bar]).long()
    long = torch.tensor(_LENGTHS, device=device, dtype=torch.float64)[arranged.duration].clamp(max=LONGEST_COUNTED)
    weight = torch.where(arranged.pitch < BASS_BELOW, BASS_WEIGHT, 1.0) * long * (arranged.track != MAX_TRACKS)
    classes = torch.zeros(bars * 2 * 12, dtype=torch.float64, device=device)
    classes.index_add_(0, (bar * 2 + half) * 12 + arranged.pitch % 12, weight)
    features[:, 3:5] = name_chords(classes.view(-1, 12)).view(bars, 2)
    sounds = torch.zeros((bars, MAX_TRACKS + 1), dtype=torch.int64, device=device)
    sounds[bar, arranged.track] = 1
    features[:, FEATURE_COUNT - 2 - (MAX_TRACKS + 1) :] = sounds
    return features


@dataclass(frozen=True)
class _Layout:
    """Where the tokens of everything begin, and which tokens a note needs.

    Attributes:
        bar, place: of each note.
        new_bar, new_place, new_track, new_velocity: whether a note begins a bar, says its place, track, velocity.
        said: of each bar, how many tokens say its meter.
        header, header_length, piece_length, bar_token, bar_length: in tokens.
        note_token: each note's first token.
    """

    bar: Tensor
    place: Tensor
    new_bar: Tensor
    new_place: Tensor
    new_track: Tensor
    new_velocity: Tensor
    said: Tensor
    header: Tensor
    header_length: Tensor
    piece_length: Tensor
    bar_token: Tensor
    bar_length: Tensor
    note_token: Tensor


def _lay_out(notes: NoteTensors, arranged: Arrangement) -> _Layout:
    """Find where the tokens of all notes, bars and pieces begin."""
    start, track = arranged.start, arranged.track
    bar = torch.searchsorted(notes.bar_start, start, right=True) - 1
    true = torch.ones(1, dtype=torch.bool, device=notes.device)
    new_bar = torch.cat([true, bar[1:] != bar[:-1]])
    new_place = torch.cat([true, start[1:] != start[:-1]])
    new_track = new_bar | torch.cat([true, track[1:] != track[:-1]])
    by_track = torch.argsort(bar * (MAX_TRACKS + 1) + track, stable=True)
    b, t, v = bar[by_track], track[by_track], arranged.velocity[by_track]
    new_velocity = torch.zeros_like(new_bar)
    new_velocity[by_track] = torch.cat([true, (b[1:] != b[:-1]) | (t[1:] != t[:-1]) | (v[1:] != v[:-1])])
    needed = new_place.long() + new_track.long() + new_velocity.long() + torch.where(track == MAX_TRACKS, 1, 2)
    said = torch.cat([~true, notes.meter[1:] != notes.meter[:-1]]).long()
    said[notes.first_bar] = 0
    bar_length = 1 + said + torch.zeros_like(said).index_add_(0, bar, needed)
    header_length = 1 + CONTROLS + 2 * (arranged.programs >= 0).sum(dim=1) + arranged.has_drums.long()
    piece_length = header_length + torch.zeros_like(header_length).index_add_(0, notes.bar_piece, bar_length) + 1
    header = torch.cumsum(piece_length, 0) - piece_length
    before = torch.cumsum(bar_length, 0) - bar_length
    bar_token = (header + header_length - before[notes.first_bar])[notes.bar_piece] + before
    before_note = torch.cumsum(needed, 0) - needed
    first_note = torch.searchsorted(start, notes.bar_start).clamp(max=len(start) - 1)
    note_token = bar_token[bar] + 1 + said[bar] + before_note - before_note[first_note[bar]]
    place = start - notes.bar_start[bar]
    return _Layout(
        bar, place, new_bar, new_place, new_track, new_velocity, said, header, header_length, piece_length, bar_token,
        bar_length, note_token,
    )  # fmt: skip


def _write_fronts(tokens: Tensor, notes: NoteTensors, arranged: Arrangement, layout: _Layout, sums: BarSums) -> None:
    """Write controls and tracks in front of all pieces, and Eos behind them."""
    header = layout.header
    key, density, register = measure_controls(sums, notes.first_bar, notes.first_bar + notes.bars)
    tokens[header] = BOS.first
    values = (notes.collection, key, notes.tempo, notes.meter[notes.first_bar], density, register)
    for index, (kind, value) in enumerate(zip(CONTROL_KINDS, values, strict=True)):
        tokens[header + 1 + index] = kind.first + value
    for index in range(ROLES):
        has = arranged.programs[:, index] >= 0
        tokens[header[has] + 1 + CONTROLS + 2 * index] = TRACK.first + index
        tokens[header[has] + 2 + CONTROLS + 2 * index] = PROGRAM.first + arranged.programs[has, index]
    tokens[(header + layout.header_length - 1)[arranged.has_drums]] = DRUMS.first
    tokens[header + layout.piece_length - 1] = EOS.first


def _write_bars(
    tokens: Tensor, places: Tensor, tracks: Tensor, notes: NoteTensors, arranged: Arrangement, layout: _Layout
) -> None:
    """Write all bars and notes, and what holds after each token."""
    is_drum, place = arranged.track == MAX_TRACKS, layout.place
    tokens[layout.bar_token] = BAR.first
    changes = layout.said > 0
    tokens[layout.bar_token[changes] + 1] = METER.first + notes.meter[changes]
    played = torch.where(layout.new_bar, NO_TRACK, torch.cat([arranged.track[:1], arranged.track[:-1]]))
    last = torch.where(is_drum, DRUM.first + arranged.pitch, DURATION.first + arranged.duration)
    at = layout.note_token
    for where, token, holds in (
        (layout.new_place, POSITION.first + place, played),
        (layout.new_track, torch.where(is_drum, DRUMS.first, TRACK.first + arranged.track), arranged.track),
        (layout.new_velocity, VELOCITY.first + arranged.velocity, arranged.track),
        (~is_drum, PITCH.first + arranged.pitch, arranged.track),
        (torch.ones_like(is_drum), last, arranged.track),
    ):
        tokens[at[where]], places[at[where]], tracks[at[where]] = token[where], place[where], holds[where]
        at = at + where.long()


def encode_stream(notes: NoteTensors, arranged: Arrangement) -> TokenStream:
    """Tokenise all arranged pieces."""
    layout = _lay_out(notes, arranged)
    sums = sum_bars(notes, arranged, layout.bar)
    total = int(layout.piece_length.sum())
    tokens = torch.zeros(total + VOCABULARY_SIZE, dtype=torch.int64, device=notes.device)
    places, tracks = torch.full_like(tokens, NO_PLACE), torch.full_like(tokens, NO_TRACK)
    tokens[total:] = torch.arange(VOCABULARY_SIZE, device=notes.device)
    _write_fronts(tokens, notes, arranged, layout, sums)
    _write_bars(tokens, places, tracks, notes, arranged, layout)
    token_bar = torch.searchsorted(layout.bar_token, torch.arange(total, device=notes.device), right=True) - 1
    for index in range(1 + CONTROLS + 2 * ROLES + 1):  # fronts stand before their first bar
        inside = layout.header_length > index
        token_bar[layout.header[inside] + index] = notes.first_bar[inside]
    return TokenStream(
        tokens=tokens,
        place=places,
        track=tracks,
        token_bar=token_bar,
        header=layout.header,
        header_length=layout.header_length,
        bar_token=layout.bar_token,
        bar_said=layout.said,
        bar_end=layout.bar_token + layout.bar_length,
        features=plan_bars(notes, arranged, layout.bar),
        sums=sums,
    )
