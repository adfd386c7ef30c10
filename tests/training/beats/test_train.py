"""The recipe of the beat detectors: what is wanted of each frame, resuming, the exported file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.beats.network import BEAT_MEL, FRAME_RATE, BeatNetworkConfig
from models.weights_io import load_metadata, load_safetensors
from training.beats import train as recipe
from training.beats.corpus import Excerpt
from training.beats.train import BeatTrainer

pytestmark = pytest.mark.slow


def make_excerpts() -> list[Excerpt]:
    """Return noise with a louder frame at each beat."""
    rng, excerpts = np.random.default_rng(0), []
    for gap in (0.4, 0.5, 0.6):
        beats = np.arange(0.2, 6.0, gap)
        mel = rng.normal(-6, 0.3, (6 * FRAME_RATE, BEAT_MEL.n_mels))
        mel[np.round(beats * FRAME_RATE).astype(int)] += 4
        excerpts.append(Excerpt(mel.astype(np.float16), beats, beats[::4]))
    return excerpts


def test_the_recipe_learns_resumes_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(recipe, "WARM_UP_STEPS", 2)
    config = BeatNetworkConfig()
    first = BeatTrainer(make_excerpts(), config, steps=2, batch=2, run=tmp_path)
    first.run(log_every=1)
    second = BeatTrainer(make_excerpts(), config, steps=14, batch=2, run=tmp_path)
    assert second.step == 2
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
    second.run(log_every=2, save_every=5)
    lines = [json.loads(line) for line in (tmp_path / "offline.log").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, *range(4, 15, 2)]
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]
    recipe.export(argparse.Namespace(run=tmp_path, out=tmp_path / "weights"))
    path = tmp_path / "weights" / recipe.FILES[False]
    assert load_metadata(path)["steps"] == "14" and not (tmp_path / "weights" / recipe.FILES[True]).exists()
    for name, value in load_safetensors(path).items():
        torch.testing.assert_close(value.float(), second.average[name].float(), atol=1e-2, rtol=1e-2)


def test_the_learning_rate_warms_up_and_ends_at_a_fiftieth(tmp_path: Path) -> None:
    trainer = BeatTrainer(make_excerpts(), BeatNetworkConfig(), steps=1000, batch=2, run=tmp_path)
    rates = []
    for step in (0, recipe.WARM_UP_STEPS, 500, 999):
        trainer.step = step
        rates.append(trainer.schedule_rates()[0] / recipe.LEARNING_RATE)
    assert rates[0] == pytest.approx(1 / recipe.WARM_UP_STEPS, rel=0.01)
    assert rates[1:] == pytest.approx([0.994, 0.51, 0.02], abs=0.002)
