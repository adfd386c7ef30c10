"""A small training for tests of several processes: `python -m tests.training.team_training FOLDER PARTS`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

from tests.training.test_loop import ZeroConfig, ZeroPlan
from training.loop import PlannedTraining
from training.team import SEED_STRIDE

ROWS = 4


class SlopeTraining(PlannedTraining[nn.Linear]):
    """Learns a slope from rows that every process draws for itself.

    Args:
        parts: batches of a step in this process; of two processes with one each the rows are those of one with two.
    """

    def __init__(self, folder: Path, parts: int) -> None:
        torch.manual_seed(0)
        self.plan = ZeroPlan()
        model = nn.Linear(3, 1)
        super().__init__(model, ZeroConfig(), torch.optim.AdamW(model.parameters()), folder / "slope.pt")
        seeds = [self.seed_draws(5) + part * SEED_STRIDE for part in range(parts)]
        self.random = [torch.Generator().manual_seed(seed) for seed in seeds]

    def train_step(self) -> dict[str, float]:
        rows = torch.cat([torch.randn(ROWS, 3, generator=each) for each in self.random])
        loss = (self.model(rows) - rows.sum(1, keepdim=True)).square().mean()
        norm = self.descend(loss, 100.0)
        return {"norm": float(norm)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    SlopeTraining(Path(sys.argv[1]), int(sys.argv[2])).run(log_every=1)
