"""Form and band of composed pieces beside held-out ones: what returns, who plays to the end, how pieces end.

A part's likeness of two bars is the F1 measure of their notes (onset in the bar and pitch, `models.music.form`); the
lead is the first track. Composed are sixteen bars of each mood that is asked for, as a person presses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.music.composer import MusicComposer
from models.music.contracts import MusicRequest
from models.music.controls import NO_KEY, measure_key
from models.music.form import group_by_bar, measure_track_likeness
from models.music.obedience import SOUNDING_SHARE, measure_presence
from models.music.score import Piece
from models.music.vocabulary import KEYS
from training.music.corpus import Corpus
from training.music.examples import coarsen

BARS, SEEDS = 16, 8
NEAR_PHRASE, ODD = (4, 8), (3, 5, 7)
MOODS: dict[str, MusicRequest] = {
    "default": MusicRequest(key="C major", meter="4/4", bars=BARS, programs=(0, 33), drums=True),
    "bright": MusicRequest(
        style="pop", key="C major", tempo=112, meter="4/4", bars=BARS, programs=(73, 25, 33), drums=True
    ),
    "night": MusicRequest(
        style="pop", key="A minor", tempo=100, meter="4/4", bars=BARS, programs=(81, 4, 38), drums=True
    ),
    "song": MusicRequest(style="lieder", key="G major", tempo=84, bars=BARS, programs=(68, 0), drums=False),
    "chorale": MusicRequest(
        style="chorales", key="G major", tempo=80, meter="4/4", bars=BARS, programs=(52,) * 4, drums=False
    ),
}
COLLECTION = {"default": "pop", "bright": "pop", "night": "pop", "song": "lieder", "chorale": "chorales"}
Figures = Iterator[tuple[str, float]]


@dataclass(frozen=True)
class FormFigures:
    """Figures of one piece.

    Attributes:
        likeness: mean likeness of the lead's bars, from the fifth on, to the likeliest earlier one.
        near, odd: mean likeness of the lead's bars four and eight, and three, five and seven bars apart.
        repeats: share of the lead's sounding bars that were there before, note for note.
        ends: whether the last bar's lowest note is the tonic.
        last: notes of the last bar over the mean of all.
    """

    likeness: float
    near: float
    odd: float
    repeats: float
    ends: float
    last: float


def measure_form(piece: Piece, key: int | None = None) -> FormFigures:
    """Measure one piece; `key` is a row of KEYS, measured where it is None."""
    groups = group_by_bar(piece, piece.melodic[:1])
    sounding = np.array([bool(group) for group in groups])
    table = measure_track_likeness(groups)
    table = np.where(sounding[:, None] & sounding[None, :], table, np.nan)
    bars = len(groups)
    best = [np.nanmax(table[at, :at]) for at in range(4, bars) if sounding[at] and sounding[:at].any()]
    repeats = [(table[at, :at] > 0.999).any() for at in range(1, bars) if sounding[at]]
    near, odd = (
        _average([table[at, at - distance] for distance in distances for at in range(distance, bars)])
        for distances in (NEAR_PHRASE, ODD)
    )
    last = piece.slice(bars - 1, bars)
    pitches = [note.pitch for track in last.melodic for note in track.notes]
    key = measure_key(piece) if key is None else key
    ends = bool(pitches) and key != NO_KEY and min(pitches) % 12 == key % 12
    return FormFigures(
        float(np.mean(best)) if best else 0.0,
        near,
        odd,
        float(np.mean(repeats)) if repeats else 0.0,
        float(ends),
        last.note_count * bars / max(1, piece.note_count),
    )


def _average(likenesses: Sequence[float]) -> float:
    """Return the mean of those that are known, as both bars sound; 0 without any."""
    known = [value for value in likenesses if not np.isnan(value)]
    return float(np.mean(known)) if known else 0.0


def summarise(pieces: Sequence[Piece], keys: Sequence[int | None], suffix: str = "") -> Figures:
    """Yield the means over pieces."""
    figures = [measure_form(piece, key) for piece, key in zip(pieces, keys, strict=True)]
    yield f"bar_likeness{suffix}", float(np.mean([each.likeness for each in figures]))
    near, odd = (float(np.mean([getattr(each, name) for each in figures])) for name in ("near", "odd"))
    yield f"form_ratio{suffix}", near / max(odd, 1e-6)
    yield f"exact_repeats{suffix}", float(np.mean([each.repeats for each in figures]))
    yield f"ends{suffix}", float(np.mean([each.ends for each in figures]))
    yield f"last_bar_notes{suffix}", float(np.mean([each.last for each in figures]))


def compose_moods(
    maker: MusicComposer, seeds: int = SEEDS, moods: Sequence[str] = tuple(MOODS)
) -> dict[str, list[Piece]]:
    """Compose `seeds` pieces of each mood."""
    pieces: dict[str, list[Piece]] = {}
    for name in moods:
        for seed in range(seeds):
            piece = list(maker.stream(replace(MOODS[name], seed=seed)))[-1].piece
            assert piece is not None
            pieces.setdefault(name, []).append(piece)
    return pieces


def list_real_pieces(corpus: Corpus, name: str) -> list[Piece]:
    """List the last sixteen bars of held-out pieces, so that their endings are among them."""
    collection = COLLECTION[name]
    indices = [
        index
        for index, piece in enumerate(corpus.pieces)
        if piece["collection"] == collection and piece["held_out"] and len(piece["bars"]) > BARS
    ]
    whole = [coarsen(corpus.read_piece(index)) for index in indices[:40]]
    return [piece.slice(len(piece.bars) - BARS, len(piece.bars)) for piece in whole]


def measure_forms(maker: MusicComposer, corpus: Corpus | None, seeds: int = SEEDS) -> Figures:
    """Yield form figures of composed pieces, all and by mood, and of real ones; then what a band keeps."""
    written = compose_moods(maker, seeds)
    keys = {name: KEYS.index(MOODS[name].key) for name in MOODS}
    together = [(piece, keys[name]) for name, pieces in written.items() for piece in pieces]
    yield from summarise(*zip(*together, strict=True))  # type: ignore[arg-type]
    for name, pieces in written.items():
        yield from summarise(pieces, [keys[name]] * len(pieces), f".{name}")
    kept, drums = [], []
    for pieces in written.values():
        for piece in pieces:
            presence = measure_presence(piece)
            kept.append(min(presence) >= SOUNDING_SHARE)
            drums += [presence[-1] == 1.0] if piece.tracks[-1].is_drum else []
    yield "band_kept", float(np.mean(kept))
    yield "drums_kept", float(np.mean(drums))
    if corpus is not None:
        real = {name: list_real_pieces(corpus, name) for name in ("default", "song", "chorale")}
        everything = [piece for pieces in real.values() for piece in pieces]
        yield from summarise(everything, [None] * len(everything), "_real")
        for name, pieces in real.items():
            yield from summarise(pieces, [None] * len(pieces), f"_real.{name}")
