"""The recipe: resumes, keeps captions and attributes true to the clip, exports what it trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3DConfig
from models.weights_io import load_metadata, load_safetensors
from tests.training.video.debug_plan import CONFIG, PLAN
from training import loop
from training.team import Team
from training.video import train as recipe
from training.video.clip_pool import VideoPlan
from training.video.train import compute_rate, draw_contact_sheet, load_average, sample_prompts

pytestmark = pytest.mark.slow


def test_training_resumes_where_it_stopped_and_exports(tmp_path: Path, table: TextTable) -> None:
    assert recipe.train(tmp_path, PLAN, CONFIG, 2, table) == 2
    assert recipe.train(tmp_path, PLAN, CONFIG, 4, table) == 4
    model, step = load_average(tmp_path / "checkpoint.pt")
    assert step == 4
    path = recipe.export(tmp_path / "checkpoint.pt", tmp_path / "weights")
    assert UNet3DConfig.from_dict(json.loads(load_metadata(path)["config"])) == CONFIG
    for name, value in load_safetensors(path).items():
        assert torch.allclose(value, model.state_dict()[name], atol=1e-3), name
    clips = list(sample_prompts(model, table, ["a red fire", "a blue ocean"], PLAN, steps=2))
    assert clips[-1].shape == (2, 3, 4, 16, 16)
    assert draw_contact_sheet(clips[-1], columns=3).shape == (32, 48, 3)


def test_every_process_renders_clips_of_its_own(
    tmp_path: Path, table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(rank: int) -> list[bytes]:
        """Return the first clips of a process, which waits for no other here."""
        team = Team()
        team.rank = rank
        monkeypatch.setattr(loop, "Team", lambda: team)
        training = recipe.VideoTraining(tmp_path, PLAN, CONFIG, 1, table, None)
        return [clip.frames.tobytes() for clip in training.pool.clips]

    assert render(0) == render(0)
    assert set(render(0)).isdisjoint(render(1))


def test_the_learning_rate_warms_up_and_falls_at_the_end() -> None:
    plan = VideoPlan(learning_rate=1.0, warm_up=10, calm_share=0.25, last_rate=0.1)
    rates = [compute_rate(step, 100, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[10:75]) == {1.0}
    assert rates[75:] == sorted(rates[75:], reverse=True)
    assert rates[-1] == pytest.approx(0.1)
