"""The recipe of the picture style network: parts of the loss, a training that ends in time, and the file it writes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch

from models.style.painter_network import PainterConfig, PainterNetwork
from models.style.vgg import Vgg
from models.weights_io import load_metadata, load_network
from training.style_picture import train as recipe
from training.style_picture.pictures import SquareShelf
from training.style_picture.train import PicturePlan, PictureStyleTraining

PLAN = PicturePlan(batch=8, side=32, warm_up=2, log_every=1, save_every_s=1e9)
PARTS = {"style", "moments", "content", "roughness", "identity", "distillation", "steadiness"}


@pytest.fixture
def judge() -> Vgg:
    torch.set_num_threads(1)
    torch.manual_seed(2)
    return Vgg("vgg16", (4, 4, 4, 4)).eval().requires_grad_(False)


def make_training(judge: Vgg, out: Path, seconds: float, start: Path | None = None) -> PictureStyleTraining:
    torch.manual_seed(0)
    kinds = ("paintings", "photos", "scenes", "gallery", "patterns")
    shelf = SquareShelf({name: torch.randint(0, 255, (2, 3, 48, 48)).to(torch.uint8) for name in kinds})
    return PictureStyleTraining(shelf, judge, out, time.monotonic() + seconds, PLAN, PainterConfig.debug(), start=start)


@pytest.mark.slow
def test_steps_bring_the_loss_down_and_the_file_is_the_average(judge: Vgg, tmp_path: Path) -> None:
    training = make_training(judge, tmp_path, 1000.0)
    first = training.train_step()
    assert set(first) == PARTS and all(bool(torch.isfinite(value)) for value in first.values())
    for _ in range(30):
        last = training.train_step()
    assert float(last["style"] + last["content"]) < float(first["style"] + first["content"])
    training.save()
    path = tmp_path / recipe.FILE
    assert load_metadata(path)["steps"] == "31"
    network = load_network(path, lambda values: PainterNetwork(PainterConfig.from_dict(values)), "the network")
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, training.average[f"network.{name}"], atol=1e-2, rtol=1e-2)
    again = make_training(judge, tmp_path, 1000.0, start=path)
    torch.testing.assert_close(again.model.network.state_dict(), network.state_dict())


@pytest.mark.slow
def test_a_run_ends_by_the_clock_with_weights_and_log(judge: Vgg, tmp_path: Path) -> None:
    training = make_training(judge, tmp_path, 0.5)
    training.run(log_every=1)
    assert training.step >= 1 and (tmp_path / recipe.FILE).is_file()
    line = json.loads((tmp_path / recipe.LOG).read_text().splitlines()[0])
    assert set(line) >= PARTS | {"step", "progress"}


def test_rates_warm_up_stay_and_fall_with_the_clock(judge: Vgg, tmp_path: Path) -> None:
    training = make_training(judge, tmp_path, 1000.0)
    assert training.schedule_rates()[0] == pytest.approx(PLAN.learning_rate / 2, rel=0.01)
    training.step = 5
    assert training.schedule_rates()[0] == pytest.approx(PLAN.learning_rate, rel=0.01)
    training.until = time.monotonic()
    assert training.schedule_rates()[0] == pytest.approx(0.01 * PLAN.learning_rate, rel=0.05)


def test_what_is_not_finite_is_left_out_of_a_step(judge: Vgg, tmp_path: Path) -> None:
    training = make_training(judge, tmp_path, 1000.0)
    weight = next(training.model.parameters())
    weight.grad = torch.full_like(weight, float("nan"))
    training.reduce_gradients()
    assert weight.grad is not None and not weight.grad.any()


def test_some_colours_are_exchanged_and_the_rest_stays() -> None:
    styles = torch.rand(64, 3, 4, 4)
    varied = recipe.vary_colours(styles, torch.Generator().manual_seed(0))
    same = (varied == styles).flatten(1).all(dim=1)
    assert 32 < int(same.sum()) < 64
    torch.testing.assert_close(varied.sum(dim=1), styles.sum(dim=1))
