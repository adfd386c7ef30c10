"""The recipe of the network that reads the bars of a song.

    python -m training.beats.bars prepare --pop909 POP909 --lieder FOLDER --groove FOLDER --soundfont FILE
    python -m training.beats.bars train
    python -m training.beats.bars export

`prepare` renders excerpts as `training.beats.train` does, with more songs and metronomes, and describes their beats as
`models.beats.bars` hears them, at times that are a little wrong. `train` fits the network to the beats that begin a bar
of three or four. `export` writes the running average.
"""

from __future__ import annotations

import argparse
import itertools
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.beats.bars import BarNetwork, BarNetworkConfig, describe_beats
from models.beats.decoding import BAR_LENGTHS
from models.beats.network import FRAME_RATE
from training.beats import corpus
from training.beats.corpus import Excerpt
from training.beats.train import describe_commands, export_average
from training.loop import PlannedTraining

FILE = "beats_bars.safetensors"
LOOSENESS_S, LATENESS_S = 0.008, 0.02  # how far each beat, and all of them together, are told wrong
LEAST_BEATS = 20
SHARES = {"pop909": 0.28, "lieder": 0.08, "groove": 0.18, "made_up": 0.33, "clicks": 0.13}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DescribedBeats:
    """The beats of an excerpt.

    Attributes:
        told: float16 (N, F), of `describe_beats`.
        downbeats: bool (N,); known: bool (N,), false in bars of neither three nor four beats.
    """

    told: NDArray[np.float16]
    downbeats: NDArray[np.bool_]
    known: NDArray[np.bool_]


def count_places(beats: Floats, downbeats: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the place (N,) of each beat and the beats (N,) in its bar; 0 in what is no whole bar."""
    downs = np.searchsorted(beats, downbeats - 1e-3)
    places, bars = np.zeros((2, len(beats)), np.int64)
    for first, stop in itertools.pairwise(downs):
        places[first:stop], bars[first:stop] = np.arange(stop - first) + 1, stop - first
    if len(downs) > 1:  # the cut bars at both ends are as long as their neighbours
        head, tail = int(bars[downs[0]]), int(bars[downs[-2]])
        places[: downs[0]], bars[: downs[0]] = (np.arange(-downs[0], 0) % head) + 1, head
        rest = len(beats) - downs[-1]
        places[downs[-1] :], bars[downs[-1] :] = np.arange(rest) % tail + 1, tail
    return places, bars


def describe_excerpt(excerpt: Excerpt, rng: np.random.Generator) -> DescribedBeats | None:
    """Describe an excerpt's beats at times that are a little wrong; None where they are too few."""
    count = len(excerpt.beats)
    if count < LEAST_BEATS:
        return None
    mel = excerpt.mel.astype(np.float32)
    places, bars = count_places(excerpt.beats, excerpt.downbeats)
    moved = excerpt.beats + rng.uniform(-LATENESS_S, LATENESS_S) + rng.normal(0.0, LOOSENESS_S, count)
    moved = np.maximum.accumulate(np.clip(moved, 0.0, (len(mel) - 1) / FRAME_RATE))
    return DescribedBeats(describe_beats(mel, moved).astype(np.float16), places == 1, np.isin(bars, BAR_LENGTHS))


def describe_all(excerpts: list[Excerpt], seed: int) -> list[DescribedBeats]:
    """Describe all excerpts that have enough beats."""
    rng = np.random.default_rng(seed)
    return [row for excerpt in excerpts if (row := describe_excerpt(excerpt, rng)) is not None]


@dataclass(frozen=True)
class BarPlan:
    """Sizes of the training; `crop` is in beats."""

    steps: int = 1500
    batch: int = 48
    crop: int = 64
    learning_rate: float = 2e-3
    last_learning_rate: float = 2e-5
    warm_up: int = 50
    average: float = 0.99
    seed: int = 1


def draw_batch(rows: list[DescribedBeats], plan: BarPlan, rng: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    """Draw descriptions (B, N, F), what is a downbeat (B, N), and what is known (B, N), 0 in padding too."""
    chosen = rng.choices(rows, k=plan.batch)
    count = max(min(len(row.told), plan.crop) for row in chosen)
    told = torch.zeros(plan.batch, count, chosen[0].told.shape[1])
    downbeats, known = torch.zeros(2, plan.batch, count)
    for i, row in enumerate(chosen):
        length = min(len(row.told), count)
        at = rng.randint(0, len(row.told) - length)
        told[i, :length] = torch.from_numpy(row.told[at : at + length].astype(np.float32))
        downbeats[i, :length] = torch.from_numpy(row.downbeats[at : at + length])
        known[i, :length] = torch.from_numpy(row.known[at : at + length])
    return told, downbeats, known


class BarTrainer(PlannedTraining[BarNetwork]):
    """The training of the network that reads bars; resumes by itself."""

    def __init__(self, rows: list[DescribedBeats], config: BarNetworkConfig, plan: BarPlan, run: Path) -> None:
        torch.manual_seed(plan.seed)
        self.rows, self.plan = rows, plan
        model = BarNetwork(config)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, weight_decay=1e-2)
        super().__init__(model, config, optimizer, run / "bars.pt")
        self.rng = random.Random(self.seed_draws(plan.seed))

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        told, downbeats, known = draw_batch(self.rows, self.plan, self.rng)
        losses = F.binary_cross_entropy_with_logits(self.model(told), downbeats, reduction="none")
        loss = (losses * known).sum() / known.sum().clamp_min(1.0)
        self.descend(loss, 1.0)
        return {"loss": float(loss.detach())}


def prepare(arguments: argparse.Namespace) -> None:
    """Render the excerpts and describe their beats."""
    excerpts = corpus.build(
        corpus.read_source_options(arguments), arguments.count, arguments.seed, arguments.workers, SHARES
    )
    rows = describe_all(excerpts, arguments.seed)
    corpus.save(arguments.run / "bars_corpus.pt", rows)
    print(f"{len(excerpts)} excerpts of {corpus.EXCERPT_S:.0f} s, {len(rows)} rows of beats")


def train(arguments: argparse.Namespace) -> None:
    """Train the network."""
    rows = corpus.load(arguments.run / "bars_corpus.pt", DescribedBeats)
    plan = BarPlan(steps=arguments.steps, batch=arguments.batch)
    BarTrainer(rows, BarNetworkConfig(), plan, arguments.run).run(log_every=50, save_every=200)


def export(arguments: argparse.Namespace) -> None:
    """Write the weight file."""
    export_average(arguments.run / "bars.pt", arguments.out / FILE)


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    defaults = {"count": 1800, "seed": 8, "steps": BarPlan.steps, "batch": BarPlan.batch}
    return describe_commands(__doc__, (prepare, train, export), defaults)[0]


if __name__ == "__main__":
    parsed = make_parser().parse_args()
    parsed.function(parsed)
