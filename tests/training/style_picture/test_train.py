"""The recipe of the picture style network: pictures by their folders, a training that is resumed, the exported file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.style.picture_network import PictureStyleConfig
from models.weights_io import load_metadata, load_safetensors
from training.style_picture import train as recipe
from training.style_picture.train import PictureStyleTraining, TrainConfig, load_pictures

pytestmark = pytest.mark.slow

PLAN = TrainConfig(batch=2, crop=32, late_crop=48)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of small pictures, two of each kind but for paintings."""
    torch.set_num_threads(1)
    monkeypatch.setattr(recipe, "PATTERN_PICTURES", 2)
    rng = np.random.default_rng(0)
    for name, count in (("art_museum", 5), ("flowers_a", 2), ("wallpapers", 2)):
        (tmp_path / name).mkdir()
        for index in range(count):
            pixels = rng.integers(0, 255, (70, 90, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    return tmp_path


def test_pictures_are_told_apart_by_their_folders_and_some_paintings_are_held_out(folder: Path) -> None:
    pictures = load_pictures(folder)
    counts = [len(group) for group in (pictures.paintings, pictures.photos, pictures.scenes, pictures.patterns)]
    assert counts == [4, 2, 2, 2]
    with pytest.raises(ValueError, match="holds no pictures"):
        load_pictures(folder / "empty")


def make_training(folder: Path, out: Path, minutes: float) -> PictureStyleTraining:
    return PictureStyleTraining(load_pictures(folder), out, minutes, PLAN, PictureStyleConfig.debug(), seed=6)


def test_the_recipe_trains_for_its_time_resumes_and_exports(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    checkpoint = recipe.train(folder, out, 0.01, PLAN, PictureStyleConfig.debug())
    state = torch.load(checkpoint, weights_only=True)
    assert state["step"] >= 1 and state["elapsed_s"] >= 0.6
    resumed = make_training(folder, out, minutes=0.01)
    assert (resumed.step, resumed.elapsed_s) == (state["step"], state["elapsed_s"])
    assert resumed.measure_progress() >= 1  # the time is spent
    longer = make_training(folder, out, minutes=1.0)
    before = {name: value.clone() for name, value in longer.model.state_dict().items()}
    assert set(longer.train_step()) >= {"style", "structure", "identity", "range"}
    assert longer.step == state["step"] + 1
    assert any((value != before[name]).any() for name, value in longer.model.state_dict().items())
    path = recipe.export(checkpoint, tmp_path)
    metadata = load_metadata(path)
    assert PictureStyleConfig.from_dict(json.loads(metadata["config"])) == PictureStyleConfig.debug()
    assert metadata["steps"] == str(state["step"])
    for name, value in load_safetensors(path).items():
        torch.testing.assert_close(value.float(), state["average"][name], atol=1e-2, rtol=1e-2)


def test_the_learning_rate_warms_up_and_falls_to_a_twentieth(folder: Path, tmp_path: Path) -> None:
    training = make_training(folder, tmp_path / "run", minutes=1.0)
    assert training.schedule_rates()[0] == pytest.approx(PLAN.learning_rate / 50)
    training.step, training.elapsed_s = 100, 60.0
    assert training.schedule_rates()[0] == pytest.approx(0.05 * PLAN.learning_rate)
