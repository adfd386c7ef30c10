"""The recipe of the shipped music model.

    python -m training.music.train prepare --data FOLDER     read the collections (see `corpus`) into a table of notes
    python -m training.music.train run --minutes 4           train, on a GPU if there is one
    python -m training.music.train export                    write the weight file that the studio ships
    python -m training.music.train guard                     write the index that finds copies of training pieces

The learning rate warms up and then falls to nothing at the end of `--minutes` of the clock, so that a slow machine
makes fewer steps and not a half-cooled model. Everything is kept under `.runs/music`; the weights so far are written
there every half minute. All pieces are arranged anew every few steps and tokenised where the network is (`arranging`,
`token_stream`), so that one CPU core keeps a GPU busy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.music.copy_detector import COPY_INDEX_FILE, CopyDetector
from models.music.musical_context import BAR_FEATURES, FIRST_ROWS, UNKNOWN
from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import PAD, STYLES
from models.music.weights import MUSIC_FILE, save_model
from training.loop import TrainingLoop
from training.music.arranging import NoteTensors, arrange, cut_loops
from training.music.note_table import NoteTable
from training.music.optimizers import make_optimizers
from training.music.rows import MIX, RowDrawer, Rows
from training.music.token_stream import encode_stream

RUNS = Path(".runs") / "music"
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
TABLE_FILE = "notes.npz.xz"
CONFIG = MusicTransformerConfig(
    width=256, layers=5, heads=8, feedforward=1024, dropout=0.1, position="musical", context_tokens=2048
)
MIX_NOTE = ", ".join(f"{name} {share:.0%}" for name, share in MIX.items())


@dataclass(frozen=True)
class MusicRecipe:
    """How the network is trained.

    Args:
        length: tokens of a row.
        rows: in a step.
        arrange_every: steps between two arrangements of all pieces.
        average_over_steps: how many of the last steps the shipped weights are an average of.
        test_every_s: seconds between measurements of the held-out pieces; the weights are written then.
        test_rows: excerpts of each collection.
    """

    config: MusicTransformerConfig = CONFIG
    length: int = CONFIG.context_tokens
    rows: int = 32
    muon_rate: float = 0.02
    adam_rate: float = 0.003
    warmup_steps: int = 60
    arrange_every: int = 120
    average_over_steps: int = 100
    test_every_s: float = 30.0
    test_rows: int = 12


SMALL = MusicRecipe(
    config=MusicTransformerConfig.debug(position="musical", heads=4),
    length=128,
    rows=2,
    warmup_steps=2,
    test_every_s=5.0,
    test_rows=2,
)

SMALL_EVERY = 24  # so many pieces apart lie those of a small run


def compute_loss(model: MusicTransformer, rows: Rows) -> Tensor:
    """Compute the mean negative log-likelihood a token of rows, Pad left out, in nats."""
    logits = model(rows.tokens[:, :-1], context=rows.context)
    return F.cross_entropy(logits.flatten(0, 1).float(), rows.tokens[:, 1:].flatten(), ignore_index=PAD.first)


def compute_learning_rate(step: int, progress: float, warmup_steps: int) -> float:
    """Compute the share of the full rate: a linear warm-up, then a straight line to 0 at progress 1."""
    return min(1.0, (step + 1) / warmup_steps) * max(0.0, 1.0 - progress)


def forget_plan(rows: Rows) -> Rows:
    """Return rows of which nothing is planned, so that the tokens alone are predicted from the tokens alone."""
    unknown = torch.tensor(FIRST_ROWS[BAR_FEATURES]) + torch.tensor(UNKNOWN[BAR_FEATURES])
    features = rows.context.features.clone()
    key = features[..., 7].clone()
    features[..., BAR_FEATURES] = unknown.to(features.device)
    features[..., 7] = key  # it stands in front
    return Rows(rows.tokens, replace(rows.context, features=features, reference_times=rows.context.times))


class HeldOutRows:
    """The held-out pieces of each collection as they are: always the same excerpts."""

    def __init__(self, table: NoteTable, length: int, count: int, device: torch.device) -> None:
        held = table.select(table.held_out == 1)
        notes = NoteTensors(held, device)
        drawer = RowDrawer(
            notes, encode_stream(notes, arrange(notes, cut_loops(table, device), None)), length, 0, varies=False
        )
        random = np.random.default_rng(7)
        self.rows: dict[str, Rows] = {}
        for style in MIX:
            pieces = np.flatnonzero(held.collection == STYLES.index(style))
            if len(pieces):
                chosen = random.choice(pieces, count)
                firsts = np.where(np.arange(count) % 2 == 0, 0, held.bars[chosen] // 3)
                self.rows[style] = drawer.list_excerpts(chosen, firsts)

    @torch.no_grad()
    def measure(self, model: MusicTransformer) -> dict[str, float]:
        """Measure nats a token of each collection, and with nothing planned ("_free")."""
        losses = {}
        for name, rows in self.rows.items():
            losses[name] = float(compute_loss(model, rows))
            losses[f"{name}_free"] = float(compute_loss(model, forget_plan(rows)))
        return losses


class MusicTraining(TrainingLoop[MusicTransformer]):
    """Training of the music model for so many seconds of the clock, with held-out losses now and then."""

    def __init__(
        self, table: NoteTable, folder: Path, seconds: float, recipe: MusicRecipe, device: torch.device | None = None
    ) -> None:
        self.begun_at = time.perf_counter()
        torch.manual_seed(0)
        torch.set_float32_matmul_precision("high")
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.folder, self.seconds, self.recipe = folder, seconds, recipe
        model = MusicTransformer(recipe.config).to(self.device)
        optimizers = make_optimizers(model, recipe.muon_rate, recipe.adam_rate)
        super().__init__(model, recipe.config, optimizers, folder / "checkpoint.pt")
        self.spent_s = self.elapsed_s
        self.notes = NoteTensors(table.select(table.held_out == 0), self.device)
        self.loops = cut_loops(table, self.device)
        self.held_out = HeldOutRows(table, recipe.length, recipe.test_rows, self.device)
        self.random = torch.Generator().manual_seed(self.seed_draws(1))
        self.drawer = self._arrange()
        self.tested_at_s = self.measure_clock()

    def _arrange(self) -> RowDrawer:
        stream = encode_stream(self.notes, arrange(self.notes, self.loops, self.random))
        return RowDrawer(self.notes, stream, self.recipe.length, self.seed_draws(1))

    def _narrow(self) -> AbstractContextManager[object]:
        """Compute in bfloat16 where that is fast."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")

    def measure_clock(self) -> float:
        """Return the seconds of the clock, over all starts."""
        return self.spent_s + time.perf_counter() - self.begun_at

    def measure_progress(self) -> float:
        """Return the share of the time that has passed."""
        return self.measure_clock() / self.seconds

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rates of Muon and AdamW."""
        rate = compute_learning_rate(self.step, self.measure_progress(), self.recipe.warmup_steps)
        return rate * self.recipe.muon_rate, rate * self.recipe.adam_rate

    def weigh_average(self) -> float:
        """Return the weight of the newest state: of all at first, in the end of `average_over_steps`."""
        return max(1 / self.step, 1 / self.recipe.average_over_steps)

    def learn(self, rows: Rows) -> Tensor:
        """Do one step; return the loss."""
        with self._narrow():
            loss = compute_loss(self.model, rows)
        self.descend(loss, 1.0)
        return loss.detach()

    def train_step(self) -> dict[str, Tensor]:
        """Do one step on new rows; return the loss."""
        if self.step % self.recipe.arrange_every == 0:
            self.drawer = self._arrange()
        return {"loss": self.learn(self.drawer.draw(self.recipe.rows))}

    def finish_step(self) -> None:
        """Measure the held-out losses now and then, and write the weights so far."""
        clock = self.measure_clock()
        if self.writes and clock - self.tested_at_s > self.recipe.test_every_s:
            self.test()
            self.tested_at_s = clock

    def test(self) -> None:
        """Log the held-out losses of the average, and write it."""
        average = self.build_average()
        with self._narrow():
            losses = {name: round(value, 4) for name, value in self.held_out.measure(average).items()}
        self.write_log({"step": self.step, "seconds": round(self.measure_clock(), 1), "held_out": losses})
        write_weights(self.folder / MUSIC_FILE, average, self.step, self.measure_clock(), self.recipe)


def write_weights(path: Path, model: MusicTransformer, step: int, seconds: float, recipe: MusicRecipe) -> None:
    """Write the file that the studio ships."""
    facts = {
        "steps": str(step),
        "minutes": f"{seconds / 60:.1f}",
        "tokens": str(step * recipe.rows * recipe.length),
        "trained_on": f"POP909, OpenScore Lieder, Groove MIDI, JSB chorales ({MIX_NOTE})",
    }
    save_model(path, model, facts)


def run(table: NoteTable, folder: Path, seconds: float, recipe: MusicRecipe) -> MusicTraining:
    """Train until `seconds` of the clock have been spent in all."""
    training = MusicTraining(table, folder, seconds, recipe)
    training.run(log_every=50, save_every_s=600)
    training.test()
    return training


def export(folder: Path, weights: Path, config: MusicTransformerConfig = CONFIG) -> Path:
    """Write the running average of the checkpoint as the file that the studio ships."""
    state: Mapping[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")
    model = MusicTransformer(config)
    model.load_state_dict(state["average"])
    write_weights(weights / MUSIC_FILE, model, int(state["step"]), float(state["elapsed_s"]), MusicRecipe())
    return weights / MUSIC_FILE


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    prepare = commands.add_parser("prepare", help="read the collections")
    prepare.add_argument("--data", type=Path, required=True, help="folder of the collections")
    train = commands.add_parser("run", help="train")
    train.add_argument("--minutes", type=float, default=4.0, help="of the clock, over all starts")
    train.add_argument("--table", type=Path, help=f"what `prepare` wrote (default: {TABLE_FILE} in the runs)")
    train.add_argument("--small", action="store_true", help="a tiny network, to try the recipe")
    commands.add_parser("export", help="write the weight file")
    commands.add_parser("guard", help="write the index of the training pieces' runs of notes")
    for command in commands.choices.values():
        command.add_argument("--runs", type=Path, default=RUNS, help="where the table and checkpoints are kept")
    arguments = parser.parse_args()
    table_path = arguments.runs / TABLE_FILE
    if arguments.command == "prepare":
        from training.music.corpus import Corpus, read_collections

        sources = list(read_collections(arguments.data, arguments.runs / "collections"))
        table = NoteTable.from_sources(sources)
        table.save(table_path)
        Corpus.from_sources(iter(sources)).save(arguments.runs / "corpus.npz")
        print(f"{len(table.bars):,} pieces, {len(table.start):,} notes in {table_path}")
    elif arguments.command == "run":
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        recipe, table = MusicRecipe(), NoteTable.load(arguments.table or table_path)
        if arguments.small:
            recipe, table = SMALL, table.select(np.arange(len(table.bars)) % SMALL_EVERY == 0)
        run(table, arguments.runs, 60 * arguments.minutes, recipe)
    elif arguments.command == "guard":
        from training.music.corpus import Corpus

        corpus = Corpus.load(arguments.runs / "corpus.npz")
        training = (index for index, piece in enumerate(corpus.pieces) if not piece["held_out"])
        CopyDetector.from_pieces(corpus.read_piece(index) for index in training).save(WEIGHTS / COPY_INDEX_FILE)
        print(WEIGHTS / COPY_INDEX_FILE)
    else:
        print(export(arguments.runs, WEIGHTS))


if __name__ == "__main__":
    main()
