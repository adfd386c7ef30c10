"""Training rows: controls tell what follows, infillings decode to the music, plans are what the tracer says."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.music.controls import CONTROL_KINDS, measure_controls
from models.music.musical_context import BAR_FEATURES, FIRST_ROWS, UNKNOWN, ContextTracer, PlannedBar, trace_context
from models.music.tokenizer import decode_piece
from models.music.vocabulary import BAR, BOS, EOS, PAD, SEPARATOR, STYLES
from tests.training.music.made_up import make_table, song
from training.music.arranging import NoteTensors, arrange, cut_loops
from training.music.rows import RowDrawer, Rows
from training.music.token_stream import encode_stream

CPU = torch.device("cpu")


def make_drawer(length: int = 512, seed: int = 0, varies: bool = True) -> RowDrawer:
    table = make_table()
    notes = NoteTensors(table, CPU)
    random = torch.Generator().manual_seed(seed) if varies else None
    return RowDrawer(notes, encode_stream(notes, arrange(notes, cut_loops(table, CPU), random)), length, seed, varies)


def split_examples(rows: Rows) -> list[tuple[int, int, list[int]]]:
    """List row, first column and tokens of each example, those cut at the end of a row too."""
    found = []
    for number, row in enumerate(rows.tokens.tolist()):
        starts = [column for column, token in enumerate(row) if token == BOS.first]
        found += [(number, a, row[a:b]) for a, b in zip(starts, [*starts[1:], len(row)], strict=True)]
    return found


def test_the_controls_tell_what_follows() -> None:
    drawer, seen = make_drawer(1024), 0
    for number, column, tokens in split_examples(drawer.draw(30)):
        if column + len(tokens) > drawer.length or EOS.first not in tokens or tokens.count(BAR.first) < 4:
            continue
        measured = measure_controls(decode_piece(tokens), STYLES[0]).to_tokens()[1:]
        said = tokens[2 : 1 + len(CONTROL_KINDS)]
        assert all(token in (PAD.first, want) for token, want in zip(said, measured, strict=True)), number
        seen += 1
    assert seen > 10


def test_rows_are_full_and_examples_of_all_kinds_come() -> None:
    rows = make_drawer().draw(40)
    assert rows.tokens.shape == (40, 513) and rows.context.features.shape[:2] == (40, 512)
    examples = [tokens for _, _, tokens in split_examples(rows)]
    assert 2 <= sum(SEPARATOR.first in tokens for tokens in examples) <= len(examples) // 3
    assert any(PAD.first in tokens[1:7] for tokens in examples)
    assert not (rows.tokens[:, 7:] == PAD.first).all(dim=1).any()


def test_an_infilling_decodes_to_bars_without_a_gap() -> None:
    found = 0
    for _, column, tokens in split_examples(make_drawer().draw(60)):
        if SEPARATOR.first in tokens and EOS.first in tokens and column + len(tokens) < 512:
            whole = decode_piece(tokens)
            assert len(whole.bars) == tokens.count(BAR.first)
            starts = whole.list_bar_starts()
            onsets = [note.start for track in whole.tracks for note in track.notes]
            assert all(any(a <= at < b for at in onsets) for a, b in itertools.pairwise(starts))
            found += 1
    assert found > 2


def test_what_does_not_vary_is_the_piece_itself() -> None:
    drawer = make_drawer(2048, varies=False)
    tokens = drawer.list_excerpts(np.array([0]), np.array([0])).tokens[0].tolist()
    assert decode_piece(tokens).note_count == song().note_count
    later = drawer.list_excerpts(np.array([0]), np.array([4])).tokens[0].tolist()
    assert len(decode_piece(later).bars) == 8


class _ReadBar(PlannedBar):
    """A planned bar that says what stands in a row."""

    values: list[int]

    def list_features(self) -> list[int]:
        return self.values


def read_plan(tokens: list[int], features: Tensor, times: Tensor, returns: Tensor) -> list[PlannedBar]:
    """Read the plan of each bar off its Bar token."""
    bars: list[PlannedBar] = []
    for at, token in enumerate(tokens):
        if token == BAR.first:
            start, reference = (round(float(each[at] - times[0]) * 6) for each in (times, returns))
            bar: Any = _ReadBar(start=start, reference_start=reference)
            object.__setattr__(bar, "values", (features[at, 2:] - torch.tensor(FIRST_ROWS[BAR_FEATURES])).tolist())
            bars.append(bar)
    return bars


@pytest.mark.parametrize("seed", range(6))
def test_rows_have_the_context_that_sampling_gives_the_same_tokens(seed: int) -> None:
    rows, seen = make_drawer(seed=seed).draw(8), 0
    for row, first, whole in split_examples(rows):
        part = slice(first, min(first + len(whole), 512))
        features, times, returns = (
            each[row, part] for each in (rows.context.features, rows.context.times, rows.context.reference_times)
        )
        tokens = whole[: len(features)]
        bars = read_plan(tokens, features, times, returns)
        if not bars:
            continue
        told = trace_context([ContextTracer(bars)], [tokens])
        kept = torch.tensor([token != EOS.first for token in tokens])
        assert torch.equal(told.features[0][kept], features[kept])
        torch.testing.assert_close(told.times[0][kept], (times - times[0])[kept], atol=0.01, rtol=0)
        torch.testing.assert_close(told.reference_times[0][kept], (returns - times[0])[kept], atol=0.01, rtol=0)
        seen += 1
    assert seen >= 8


def test_plans_are_hidden_by_chance_and_returns_stay_in_sight() -> None:
    rows = make_drawer().draw(40)
    likeness = rows.context.features[..., 4] - FIRST_ROWS[4]
    assert 0.05 < (likeness == UNKNOWN[4]).float().mean() < 0.6
    assert (rows.context.reference_times <= rows.context.times).all()
    returns = rows.context.reference_times < rows.context.times
    assert returns.any() and not (returns & (likeness == UNKNOWN[4])).any()
