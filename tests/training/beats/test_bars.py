"""The recipe of the bars: which beats begin one, descriptions that are kept, resuming, the exported file."""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from models.beats.bars import FEATURES, BarNetworkConfig, load_bar_reader
from models.beats.network import BEAT_MEL, FRAME_RATE
from training.beats import bars as recipe
from training.beats import corpus
from training.beats.bars import BarPlan, BarTrainer, DescribedBeats, count_places, describe_all, draw_batch
from training.beats.corpus import Excerpt


def make_excerpts() -> list[Excerpt]:
    """Return noise whose spectrum changes with each bar of four."""
    rng, excerpts = np.random.default_rng(0), []
    for gap in (0.4, 0.5):
        beats = np.arange(0.2, 20.0, gap)
        mel = rng.normal(-6, 0.3, (20 * FRAME_RATE, BEAT_MEL.n_mels))
        for at in beats[1::4]:
            mel[round(at * FRAME_RATE) :] += rng.normal(0, 2, BEAT_MEL.n_mels)
        excerpts.append(Excerpt(mel.astype(np.float16), beats, beats[1::4]))
    return excerpts


def test_places_count_from_the_downbeats_and_cut_bars_like_their_neighbours() -> None:
    beats = np.arange(12, dtype=np.float64) * 0.5
    places, lengths = count_places(beats, beats[[2, 5, 9]])
    assert places.tolist() == [2, 3, 1, 2, 3, 1, 2, 3, 4, 1, 2, 3]
    assert lengths.tolist() == [3] * 5 + [4] * 7


@pytest.mark.parametrize("downbeats", [[], [1.0]])
def test_without_a_whole_bar_nothing_is_known(downbeats: list[float]) -> None:
    assert not count_places(np.arange(6, dtype=np.float64) * 0.5, np.array(downbeats, dtype=np.float64))[1].any()


def test_a_batch_marks_padding_and_strange_bars_as_unknown() -> None:
    long, short = make_excerpts()
    fives = Excerpt(long.mel, long.beats, long.beats[::5])
    few = Excerpt(short.mel, short.beats[:10], short.beats[:10:4])
    rows = describe_all([long, fives, few], seed=1)
    assert [bool(row.known.all()) for row in rows] == [True, False]
    told, downbeats, known = draw_batch(rows, BarPlan(batch=6, crop=32), random.Random(0))
    assert told.shape == (6, 32, FEATURES) and downbeats.shape == known.shape == (6, 32)
    assert downbeats[known.bool()].mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.slow
def test_the_recipe_learns_resumes_and_exports(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    corpus.save(tmp_path / "bars_corpus.pt", describe_all(make_excerpts(), seed=1))
    rows = corpus.load(tmp_path / "bars_corpus.pt", DescribedBeats)
    first = BarTrainer(rows, BarNetworkConfig(), BarPlan(steps=2, batch=4, warm_up=1), tmp_path)
    first.run(log_every=1)
    second = BarTrainer(rows, BarNetworkConfig(), BarPlan(steps=60, batch=4, warm_up=1), tmp_path)
    assert second.step == 2
    second.run(log_every=2)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "bars.log").read_text().splitlines()]
    assert losses[-1] < 0.7 * losses[0]
    recipe.export(argparse.Namespace(run=tmp_path, out=tmp_path / "weights"))
    told = torch.from_numpy(rows[0].told.astype(np.float32))[None]
    with torch.inference_mode():
        shipped = load_bar_reader(tmp_path / "weights" / recipe.FILE).network(told)
        torch.testing.assert_close(shipped, second.build_average()(told), atol=2e-2, rtol=2e-2)
