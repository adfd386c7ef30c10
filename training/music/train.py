"""The recipe of the shipped music model.

    python -m training.music.train prepare --data FOLDER     read and tokenise the collections (see `corpus`)
    python -m training.music.train run --minutes 65          train; stop and start again as you like
    python -m training.music.train export                    write the weight file that the studio ships
    python -m training.music.train guard                     write the index that finds copies of training pieces

The learning rate warms up and then falls to nothing at the end of `--minutes`, counted over all starts, so that a slow
machine makes fewer steps and not a half-cooled model. One thread; everything is kept under `.runs/music`.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.music.copy_detector import COPY_INDEX_FILE, CopyDetector
from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import PAD
from models.music.weights import CONTEXT_TOKENS, MUSIC_FILE, save_model
from training.loop import save_checkpoint
from training.music.corpus import COLLECTIONS, Corpus, read_collections
from training.music.examples import MIX, Examples
from training.music.muon import make_optimizers

RUNS = Path(".runs") / "music"
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
CONFIG = MusicTransformerConfig(
    width=224, layers=4, heads=4, feedforward=896, dropout=0.0, position="rotary", rotary_base=10_000.0
)
ROWS = 5
MUON_RATE, ADAM_RATE = 0.02, 0.003
WARMUP_STEPS = 60
AVERAGE_OVER_STEPS = 60
SAVE_EVERY_S, TEST_EVERY_S = 120.0, 420.0
HELD_OUT_ROWS = 6
MIX_NOTE = ", ".join(f"{name} {share:.0%}" for name, share in MIX.items())


def compute_loss(model: MusicTransformer, rows: Tensor) -> Tensor:
    """Mean negative log-likelihood a token of rows int64 (B, L + 1), Pad left out, in nats."""
    logits = model(rows[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=PAD.first)


def compute_learning_rate(step: int, progress: float) -> float:
    """As a share of the full rate: a linear warm-up, then a straight line to 0 at progress 1."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * max(0.0, 1.0 - progress)


@torch.no_grad()
def measure_held_out_losses(model: MusicTransformer, examples: Examples, rows: int = HELD_OUT_ROWS) -> dict[str, float]:
    """Negative log-likelihood a token of each collection's held-out excerpts."""
    model.eval()
    losses = {}
    for name in COLLECTIONS:
        if examples.by_collection[name]:
            losses[name] = float(compute_loss(model, torch.from_numpy(examples.list_held_out_rows(name, rows))))
    model.train()
    return losses


@dataclass
class MusicTraining:
    """A training that can be stopped and started: the network, its running average, optimizers, clock and log."""

    folder: Path
    minutes: float

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = MusicTransformer(CONFIG)
        self.average = MusicTransformer(CONFIG)
        self.average.load_state_dict(self.model.state_dict())
        self.optimizers = make_optimizers(self.model, MUON_RATE, ADAM_RATE)
        self.rates = [optimizer.param_groups[0]["lr"] for optimizer in self.optimizers]
        self.step, self.elapsed_s = 0, 0.0
        self.checkpoint = self.folder / "checkpoint.pt"
        if self.checkpoint.is_file():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimisers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]

    def save(self) -> None:
        """Write the checkpoint, complete or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "elapsed_s": self.elapsed_s,
        }
        save_checkpoint(self.checkpoint, state)

    def learn(self, rows: Tensor) -> float:
        """One step; returns the loss."""
        rate = compute_learning_rate(self.step, self.elapsed_s / (60 * self.minutes))
        for optimizer, full in zip(self.optimizers, self.rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * full
        loss = compute_loss(self.model, rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        weight = max(1 / self.step, 1 / AVERAGE_OVER_STEPS)
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(new, weight)
        return float(loss.detach())

    def log(self, loss: float, held_out: dict[str, float]) -> None:
        """Append to log.csv and say it."""
        path = self.folder / "log.csv"
        row = {"step": self.step, "minutes": f"{self.elapsed_s / 60:.1f}", "train": f"{loss:.4f}"}
        row |= {name: f"{value:.4f}" for name, value in held_out.items()}
        is_new = not path.is_file()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row.keys())
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        print(row, flush=True)


def run(corpus_path: Path, folder: Path, minutes: float) -> None:
    """Train until `minutes` have been spent in all."""
    corpus = Corpus.load(corpus_path)
    training = Examples(corpus, CONTEXT_TOKENS)
    testing = Examples(corpus, CONTEXT_TOKENS, held_out=True, augment=False)
    state = MusicTraining(folder, minutes)
    state.model.train()
    rows = training.draw_rows(np.random.default_rng([1, state.step]))
    saved_at = tested_at = state.elapsed_s
    losses: list[float] = []
    while state.elapsed_s < 60 * minutes:
        started = time.monotonic()
        losses.append(state.learn(torch.from_numpy(np.stack([next(rows) for _ in range(ROWS)]))))
        state.elapsed_s += time.monotonic() - started
        if state.step % 20 == 0:
            print(f"step {state.step}, {state.elapsed_s / 60:.1f} min, loss {np.mean(losses[-20:]):.4f}", flush=True)
        if state.elapsed_s - tested_at > TEST_EVERY_S or state.elapsed_s >= 60 * minutes:
            state.log(float(np.mean(losses)), measure_held_out_losses(state.average, testing))
            tested_at, losses = state.elapsed_s, []
        if state.elapsed_s - saved_at > SAVE_EVERY_S or state.elapsed_s >= 60 * minutes:
            state.save()
            saved_at = state.elapsed_s


def export(folder: Path, weights: Path) -> Path:
    """Write the running average as the file that the studio ships."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    model = MusicTransformer(CONFIG)
    model.load_state_dict(state["average"])
    facts = {
        "steps": str(state["step"]),
        "minutes": f"{state['elapsed_s'] / 60:.0f}",
        "trained_on": f"POP909, OpenScore Lieder, Groove MIDI, JSB chorales ({MIX_NOTE})",
    }
    path = weights / MUSIC_FILE
    save_model(path, model, facts)
    return path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    prepare = commands.add_parser("prepare", help="read and tokenise the collections")
    prepare.add_argument("--data", type=Path, required=True, help="folder of the collections")
    train = commands.add_parser("run", help="train")
    train.add_argument("--minutes", type=float, default=65.0, help="of one core, over all starts")
    commands.add_parser("export", help="write the weight file")
    commands.add_parser("guard", help="write the index of the training pieces' runs of notes")
    for command in commands.choices.values():
        command.add_argument("--runs", type=Path, default=RUNS, help="where the corpus and checkpoints are kept")
    arguments = parser.parse_args()
    corpus_path = arguments.runs / "corpus.npz"
    if arguments.command == "prepare":
        corpus = Corpus.from_sources(read_collections(arguments.data, arguments.runs / "collections"))
        corpus.save(corpus_path)
        print(f"{len(corpus.pieces):,} pieces, {len(corpus.tokens):,} tokens in {corpus_path}")
    elif arguments.command == "run":
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        run(corpus_path, arguments.runs, arguments.minutes)
    elif arguments.command == "guard":
        corpus = Corpus.load(corpus_path)
        training = (index for index, piece in enumerate(corpus.pieces) if not piece["held_out"])
        CopyDetector.from_pieces(corpus.read_piece(index) for index in training).save(WEIGHTS / COPY_INDEX_FILE)
        print(WEIGHTS / COPY_INDEX_FILE)
    else:
        print(export(arguments.runs, WEIGHTS))


if __name__ == "__main__":
    main()
