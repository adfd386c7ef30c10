"""The recipe of the beat detector's weights.

    python -m training.beats.train prepare --pop909 POP909 --lieder FOLDER --groove FOLDER --soundfont FILE
    python -m training.beats.train train
    python -m training.beats.train train --causal
    python -m training.beats.train export

`prepare` renders excerpts with known beats (`beat_corpus`), `train` fits one of the two networks, resuming from its
checkpoint in `--run`, `export` writes the running averages. The loss is the binary cross entropy of both outputs; a
frame beside a beat counts half, because a beat rarely falls on the grid of frames.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.beats.network import FRAME_RATE, BeatNetwork, BeatNetworkConfig
from models.weights_io import save_safetensors
from training.beats import corpus
from training.beats.corpus import Excerpt
from training.loop import TrainingLoop

Command = Callable[[argparse.Namespace], None]

RUN = Path(".runs/beats")
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
CAUSAL_DELAY_FRAMES = 4
FILES = {False: "beats.safetensors", True: "beats_causal.safetensors"}
WARM_UP_STEPS = 50
CROP_FRAMES = 1000  # of an excerpt in a step: shorter means more steps in the same time
LEARNING_RATE = 2e-3


def make_targets(excerpt: Excerpt, frames: int, delay_frames: int) -> np.ndarray:
    """Make targets of beats and downbeats, float32 (frames, 2): 1 in the nearest frame, a half beside it."""
    wanted = np.zeros((frames, 2), dtype=np.float32)
    for column, times in enumerate((excerpt.beats, excerpt.downbeats)):
        for time_s in times:
            centre = round(float(time_s) * FRAME_RATE) + delay_frames
            for frame, value in ((centre - 1, 0.5), (centre, 1.0), (centre + 1, 0.5)):
                if 0 <= frame < frames:
                    wanted[frame, column] = max(wanted[frame, column], value)
    return wanted


def draw_batch(
    excerpts: list[Excerpt], size: int, delay_frames: int, rng: random.Random, frames: int = CROP_FRAMES
) -> tuple[Tensor, Tensor]:
    """Draw a batch: mel (B, T, M) with random level, tilt and missing bands; targets (B, T, 2).

    T is `frames`, or the excerpts' own length if that is shorter; the crop lies anywhere.
    """
    chosen = [rng.choice(excerpts) for _ in range(size)]
    total = len(chosen[0].mel)
    frames = min(frames, total)
    begins = [rng.randint(0, total - frames) for _ in chosen]
    crops = [e.mel[at : at + frames].astype(np.float32) for e, at in zip(chosen, begins, strict=True)]
    mel = torch.stack([torch.from_numpy(crop) for crop in crops])
    bands = torch.linspace(-1, 1, mel.shape[2])
    mel = mel + (torch.randn(size, 1, 1) * 0.7 + torch.randn(size, 1, 1) * 0.6 * bands)
    for row in range(size):
        if rng.random() < 0.3:
            first = rng.randrange(mel.shape[2] - 8)
            mel[row, :, first : first + rng.randint(2, 16)] = mel[row].min()
    whole = [make_targets(e, total, delay_frames) for e in chosen]
    wanted = np.stack([row[at : at + frames] for row, at in zip(whole, begins, strict=True)])
    return mel.clamp_min(math.log(1e-5)), torch.from_numpy(wanted)


class BeatTrainer(TrainingLoop[BeatNetwork]):
    """One network's training: weights, running average, optimiser, step; resumes by itself."""

    def __init__(self, excerpts: list[Excerpt], config: BeatNetworkConfig, steps: int, batch: int, run: Path) -> None:
        torch.manual_seed(1)
        self.excerpts, self.steps, self.batch = excerpts, steps, batch
        model = BeatNetwork(config)
        optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=1e-3)
        super().__init__(model, config, optimizer, run / f"{'causal' if config.causal else 'offline'}.pt")
        self.rng = random.Random(self.seed_draws(1))

    def measure_progress(self) -> float:
        """Return the share of the steps that is done."""
        return self.step / self.steps

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a cosine to a fiftieth, after a warm-up."""
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / self.steps)))
        return (LEARNING_RATE * warm * (0.02 + 0.98 * cosine),)

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        mel, wanted = draw_batch(self.excerpts, self.batch, self.config.delay_frames, self.rng)
        logits = self.model(mel)
        weight = 1.0 + wanted * torch.tensor([4.0, 8.0])
        loss = F.binary_cross_entropy_with_logits(logits, wanted, weight=weight)
        self.descend(loss, 1.0)
        return {"loss": float(loss.detach())}


def prepare(arguments: argparse.Namespace) -> None:
    """Render the excerpts."""
    excerpts = corpus.build(corpus.read_source_options(arguments), arguments.count, arguments.seed, arguments.workers)
    corpus.save(arguments.run / "corpus.pt", excerpts)
    print(f"{len(excerpts)} excerpts of {corpus.EXCERPT_S:.0f} s, {sum(len(e.beats) for e in excerpts):,} beats")


def train(arguments: argparse.Namespace) -> None:
    """Train one network."""
    torch.set_flush_denormal(True)
    delay = CAUSAL_DELAY_FRAMES if arguments.causal else 0
    config = BeatNetworkConfig(causal=arguments.causal, delay_frames=delay)
    excerpts = corpus.load(arguments.run / "corpus.pt", Excerpt)
    BeatTrainer(excerpts, config, arguments.steps, arguments.batch, arguments.run).run(log_every=20, save_every=100)


def export(arguments: argparse.Namespace) -> None:
    """Write the weight files of the networks that have a checkpoint."""
    for causal, name in FILES.items():
        checkpoint = arguments.run / f"{'causal' if causal else 'offline'}.pt"
        if checkpoint.exists():
            export_average(checkpoint, arguments.out / name)


def export_average(checkpoint: Path, target: Path) -> None:
    """Write the running average of a checkpoint as a weight file, and print where it is."""
    state = torch.load(checkpoint, weights_only=True)
    about = {"config": json.dumps(state["config"]), "steps": str(state["step"])}
    save_safetensors(target, state["average"], about)
    print(target)


def describe_commands(
    about: str | None, commands: Iterable[Command], defaults: Mapping[str, int]
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Describe the command line of a recipe over the corpus; return it, and the part of its `train`.

    Args:
        about: the recipe, in words.
        commands: prepare, train and export.
        defaults: of `count` and `seed` of the corpus, of `steps` and `batch` of the training.
    """
    top = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = top.add_subparsers(required=True)
    subs: dict[str, argparse.ArgumentParser] = {}
    for command in commands:
        sub = parts.add_parser(command.__name__, help=(command.__doc__ or "").splitlines()[0])
        sub.add_argument("--run", type=Path, default=RUN, help="folder of checkpoints")
        sub.set_defaults(function=command)
        subs[command.__name__] = sub
    corpus.add_source_options(subs["prepare"])
    subs["prepare"].add_argument("--count", type=int, default=defaults["count"], help="excerpts")
    subs["prepare"].add_argument("--seed", type=int, default=defaults["seed"])
    subs["prepare"].add_argument("--workers", type=int, default=os.cpu_count() or 1)
    subs["train"].add_argument("--steps", type=int, default=defaults["steps"])
    subs["train"].add_argument("--batch", type=int, default=defaults["batch"])
    subs["export"].add_argument("--out", type=Path, default=WEIGHTS)
    return top, subs["train"]


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    defaults = {"count": 1600, "seed": 1, "steps": 2500, "batch": 8}
    top, training = describe_commands(__doc__, (prepare, train, export), defaults)
    training.add_argument("--causal", action="store_true", help="the network for sound that arrives now")
    return top


if __name__ == "__main__":
    parsed = make_parser().parse_args()
    parsed.function(parsed)
