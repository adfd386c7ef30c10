"""Checkpoints, running averages and resuming, which every recipe uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.loop import PlannedTraining, TrainingLoop, save_checkpoint, update_average, weigh_update


@dataclass(frozen=True)
class ZeroPlan:
    steps: int = 6
    learning_rate: float = 0.1
    last_learning_rate: float = 0.01
    warm_up: int = 2
    average: float = 0.9


class ZeroConfig:
    def to_dict(self) -> dict[str, int]:
        return {"width": 3}


class ZeroTraining(PlannedTraining[nn.Linear]):
    """Learns that the answer is zero."""

    def __init__(self, run: Path, plan: ZeroPlan = ZeroPlan()) -> None:
        torch.manual_seed(0)
        self.plan = plan
        self.rates: list[float] = []
        model = nn.Linear(3, 1)
        super().__init__(model, ZeroConfig(), torch.optim.SGD(model.parameters(), 0.1), run / "zero.pt")

    def train_step(self) -> dict[str, float]:
        self.rates.append(self.optimizers[0].param_groups[0]["lr"])
        loss = self.model(torch.ones(2, 3)).square().mean()
        self.descend(loss, 1.0)
        return {"loss": float(loss.detach())}


def test_a_failed_write_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "a.pt"
    save_checkpoint(path, {"step": 1})

    def broken(state: object, part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, {"step": 2})
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_the_average_follows_and_copies_whole_numbers() -> None:
    model = nn.BatchNorm1d(1)
    average = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        model.weight.fill_(3.0)
        assert model.num_batches_tracked is not None
        model.num_batches_tracked.fill_(7)
    update_average(average, model, weigh_update(1, limit=0.5))  # a young average keeps 2 / 11
    assert float(average["weight"]) == pytest.approx(1 + (1 - 2 / 11) * 2)
    assert int(average["num_batches_tracked"]) == 7
    update_average(average, model, weigh_update(10_000, limit=0.5))
    before = 1 + (1 - 2 / 11) * 2
    assert float(average["weight"]) == pytest.approx((before + 3) / 2)


def test_training_stopped_and_resumed_equals_training_in_one_go(tmp_path: Path) -> None:
    whole = ZeroTraining(tmp_path / "whole")
    whole.run(log_every=2, save_every=10)
    first = ZeroTraining(tmp_path / "parts", ZeroPlan())
    for _ in range(3):  # as run does, and then the machine stops
        first.optimizers[0].param_groups[0]["lr"] = whole.rates[first.step]
        first.train_step()
    first.save()
    second = ZeroTraining(tmp_path / "parts")
    assert second.step == 3
    second.run(log_every=2, save_every=10)
    assert second.rates == whole.rates[3:]
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], value)
        torch.testing.assert_close(second.average[name], whole.average[name])
    assert (tmp_path / "whole" / "zero.log").read_text().count('"loss"') == 3
    assert torch.load(tmp_path / "whole" / "zero.pt", weights_only=True)["config"] == {"width": 3}


def test_a_checkpoint_of_another_version_is_named_and_kept(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "zero.pt", {"model": {}, "optimizer": {}, "average": {}, "step": 3})
    with pytest.raises(ValueError, match=r"zero\.pt lacks elapsed_s, optimizers"):
        ZeroTraining(tmp_path)
    assert torch.load(tmp_path / "zero.pt", weights_only=True)["step"] == 3


class ClockTraining(TrainingLoop[nn.Linear]):
    """Two optimizers, a second for the bias, for a given time; measures what is left after each step."""

    def __init__(self, seconds: float, checkpoint: Path | None = None) -> None:
        torch.manual_seed(0)
        self.seconds, self.measured, self.saved = seconds, [0.0], 0
        model = nn.Linear(3, 1)
        optimizers = [torch.optim.SGD([weight], 9.0) for weight in (model.weight, model.bias)]
        super().__init__(model, ZeroConfig(), optimizers, checkpoint)

    def measure_progress(self) -> float:
        return self.elapsed_s / self.seconds

    def schedule_rates(self) -> tuple[float, ...]:
        return (0.1, 0.0)

    def train_step(self) -> dict[str, Tensor]:
        loss = self.model(torch.ones(2, 3)).square().mean()
        self.descend(loss, 1.0)
        return {"loss": loss.detach()}

    def finish_step(self) -> None:
        self.measured.append(self.elapsed_s)

    def save(self) -> None:
        self.saved += 1
        super().save()


def test_time_may_end_a_training_and_each_optimizer_has_its_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    training = ClockTraining(20.0, tmp_path / "clock.pt")
    bias = training.model.bias.detach().clone()
    training.run(log_every=2, save_every_s=6.0)
    assert training.measured == sorted(training.measured) and training.measured[-1] >= 20.0 > training.measured[-2]
    assert training.step == len(training.measured) - 1
    assert torch.equal(training.model.bias, bias) and training.saved > 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines] == list(range(2, training.step + 1, 2))
    assert all(set(line) == {"step", "minutes", "loss", "s_per_step"} for line in lines)
    again = ClockTraining(20.0, tmp_path / "clock.pt")
    assert again.elapsed_s == training.elapsed_s and again.step == training.step
    again.run(log_every=2)
    assert again.step == training.step  # the time is spent


def test_a_loss_that_is_not_finite_stops_the_training_before_it_is_saved(tmp_path: Path) -> None:
    training = ZeroTraining(tmp_path)
    training.save()
    with torch.no_grad():
        training.model.bias.fill_(torch.nan)
    with pytest.raises(RuntimeError, match="loss is nan at step 1"):
        training.run(log_every=1, save_every=1)
    assert torch.isfinite(torch.load(tmp_path / "zero.pt", weights_only=True)["model"]["bias"]).all()


def test_without_a_checkpoint_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    training = ClockTraining(0.001)
    training.run(log_every=1, save_every=1)
    assert training.saved >= 1 and not list(tmp_path.iterdir())
    average = training.build_average()
    assert not average.training and torch.equal(average.weight, training.average["weight"])
