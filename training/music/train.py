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
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.music.copy_detector import COPY_INDEX_FILE, CopyDetector
from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import PAD
from models.music.weights import CONTEXT_TOKENS, MUSIC_FILE, save_model
from training.loop import TrainingLoop
from training.music.corpus import COLLECTIONS, Corpus, read_collections
from training.music.examples import MIX, Examples
from training.music.optimizers import make_optimizers

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
    """Compute the mean negative log-likelihood a token of rows int64 (B, L + 1), Pad left out, in nats."""
    logits = model(rows[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=PAD.first)


def compute_learning_rate(step: int, progress: float) -> float:
    """Compute the share of the full rate: a linear warm-up, then a straight line to 0 at progress 1."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * max(0.0, 1.0 - progress)


@torch.no_grad()
def measure_held_out_losses(model: MusicTransformer, examples: Examples, rows: int = HELD_OUT_ROWS) -> dict[str, float]:
    """Measure the negative log-likelihood a token of each collection's held-out excerpts."""
    model.eval()
    losses = {}
    for name in COLLECTIONS:
        if examples.by_collection[name]:
            losses[name] = float(compute_loss(model, torch.from_numpy(examples.list_held_out_rows(name, rows))))
    model.train()
    return losses


class MusicTraining(TrainingLoop[MusicTransformer]):
    """Training of the music model for so many minutes in all, with held-out losses in `log.csv` now and then."""

    def __init__(self, corpus: Corpus, folder: Path, minutes: float) -> None:
        torch.manual_seed(0)
        self.folder, self.minutes = folder, minutes
        model = MusicTransformer(CONFIG)
        super().__init__(model, CONFIG, make_optimizers(model, MUON_RATE, ADAM_RATE), folder / "checkpoint.pt")
        self.rows = Examples(corpus, CONTEXT_TOKENS).draw_rows(np.random.default_rng([1, self.step]))
        self.held_out = Examples(corpus, CONTEXT_TOKENS, held_out=True, augment=False)
        self.losses: list[float] = []  # since the last test
        self.tested_at_s = self.elapsed_s

    def measure_progress(self) -> float:
        """Return the share of the time that has passed, over all starts."""
        return self.elapsed_s / (60 * self.minutes)

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rates of Muon and AdamW."""
        rate = compute_learning_rate(self.step, self.measure_progress())
        return rate * MUON_RATE, rate * ADAM_RATE

    def weigh_average(self) -> float:
        """Return the weight of the newest state: of all at first, in the end of AVERAGE_OVER_STEPS."""
        return max(1 / self.step, 1 / AVERAGE_OVER_STEPS)

    def learn(self, rows: Tensor) -> float:
        """Do one step on rows int64 (B, L + 1); return the loss."""
        loss = compute_loss(self.model, rows)
        self.descend(loss, 1.0)
        return float(loss.detach())

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        self.losses.append(self.learn(torch.from_numpy(np.stack([next(self.rows) for _ in range(ROWS)]))))
        return {"loss": self.losses[-1]}

    def finish_step(self) -> None:
        """Measure held-out losses after some minutes, and at the end."""
        if self.elapsed_s - self.tested_at_s > TEST_EVERY_S or self.measure_progress() >= 1:
            self.log_losses(measure_held_out_losses(self.build_average(), self.held_out))
            self.tested_at_s, self.losses = self.elapsed_s, []

    def log_losses(self, held_out: dict[str, float]) -> None:
        """Append to log.csv and print it."""
        path = self.folder / "log.csv"
        row = {"step": self.step, "minutes": f"{self.elapsed_s / 60:.1f}", "train": f"{np.mean(self.losses):.4f}"}
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
    MusicTraining(Corpus.load(corpus_path), folder, minutes).run(log_every=20, save_every_s=SAVE_EVERY_S)


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
    """Run the command line."""
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
