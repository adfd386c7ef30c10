"""Training in several processes, as `accelerate launch` and `torchrun` begin them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.team_training import SlopeTraining
from training.team import Team, require_one_process

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0


def read_norms(folder: Path) -> list[float]:
    """Read the norms of the gradients from a log."""
    return [json.loads(line)["norm"] for line in (folder / "slope.log").read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_gradients_of_two_processes_are_those_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    SlopeTraining(one, 2).run(log_every=1)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "tests.training.team_training", str(two), "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert read_norms(two) == pytest.approx(read_norms(one), rel=1e-3) and len(read_norms(two)) == 6  # written once
    states = [torch.load(each / "slope.pt", weights_only=True) for each in (one, two)]
    for part in ("model", "average"):
        for name, value in states[0][part].items():
            torch.testing.assert_close(states[1][part][name], value, rtol=1e-5, atol=1e-6)


def test_one_process_alone_is_the_first_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team, values = Team(), torch.tensor([1.0, 2.0])
    team.average([values])
    team.copy_first([values])
    assert (team.rank, team.count, values.tolist(), team.ask_first([0.5])) == (0, 1, [1.0, 2.0], (0.5,))
    require_one_process()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit, match="one GPU"):
        require_one_process()
