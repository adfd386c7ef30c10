"""Checkpoints, running averages and resuming, which every recipe uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from training.loop import PlannedTraining, follow, save_checkpoint


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
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        loss = self.model(torch.ones(2, 3)).square().mean()
        self.descend(loss, 1.0, self.plan.average)
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
        model.num_batches_tracked.fill_(7)
    follow(average, model, step=1, limit=0.5)  # a young average keeps 2 / 11
    assert float(average["weight"]) == pytest.approx(1 + (1 - 2 / 11) * 2)
    assert int(average["num_batches_tracked"]) == 7
    follow(average, model, step=10_000, limit=0.5)
    before = 1 + (1 - 2 / 11) * 2
    assert float(average["weight"]) == pytest.approx((before + 3) / 2)


def test_training_stopped_and_resumed_equals_training_in_one_go(tmp_path: Path) -> None:
    whole = ZeroTraining(tmp_path / "whole")
    whole.run_steps(log_every=2, save_every=10)
    first = ZeroTraining(tmp_path / "parts", ZeroPlan())
    for _ in range(3):  # as run_steps does, and then the machine stops
        first.optimizer.param_groups[0]["lr"] = whole.rates[first.step]
        first.train_step()
    first.save()
    second = ZeroTraining(tmp_path / "parts")
    assert second.step == 3
    second.run_steps(log_every=2, save_every=10)
    assert second.rates == whole.rates[3:]
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], value)
        torch.testing.assert_close(second.average[name], whole.average[name])
    assert (tmp_path / "whole" / "zero.log").read_text().count('"loss"') == 3
    assert torch.load(tmp_path / "whole" / "zero.pt", weights_only=True)["config"] == {"width": 3}
