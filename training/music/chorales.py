"""The public benchmark: how well a small Music Transformer predicts Bach's chorales.

Huang et al. 2018, section 4.1: the JSB chorales (Boulanger-Lewandowski et al. 2012, their split) on a grid of
sixteenths, in raster order: soprano, alto, tenor, bass of the first sixteenth, then of the second, and so on; one token
for each voice and sixteenth. The measure is the negative log-likelihood of a token in nats, over all tokens of a split.

What the paper leaves open is done so: a token is a MIDI pitch or a rest; where a sixteenth has fewer than four pitches
the lower voices rest; the data does not tell held notes from repeated ones, so neither do the tokens. Besides the token
the network is given which voice and which sixteenth of the bar comes next (counted from the start of the piece), a
fixed clock that says nothing about the music. A piece is read in windows that move on by half their length, each token
judged once, where most of the past is in sight. Training pieces are heard in every key that keeps each voice within the
range it has in the training split. Nothing but the training split is learned from; of the running averages of the
weights the one that does best on the validation split is judged, once, on the test split.

    python -m training.music.chorales FILE --seconds 60 --position relative --out FOLDER

Letters: B batch, L tokens, W width, V vocabulary.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.music.transformer import Layer, MusicTransformerConfig, compute_sinusoids, make_attention_mask
from training.loop import TrainingLoop
from training.music.optimizers import make_optimizers

VOICES, STEPS_PER_BAR = 4, 16
CLOCK = VOICES * STEPS_PER_BAR
REST, START, VOCABULARY = 128, 129, 130
WINDOW = 256
JUDGED_ROWS = 32  # windows at once
Tokens = NDArray[np.int64]


def serialise(steps: Sequence[Sequence[float]]) -> Tokens:
    """Lay out a chorale, for each sixteenth its pitches from soprano to bass, as int64 (4 * steps,)."""
    grid = np.full((len(steps), VOICES), REST, dtype=np.int64)
    for row, pitches in zip(grid, steps, strict=True):
        row[: len(pitches)] = [int(pitch) for pitch in pitches[:VOICES]]
    return grid.reshape(-1)


def read_splits(path: Path) -> dict[str, list[Tokens]]:
    """Read the splits train, valid and test of jsb-chorales-16th.json.

    Raises:
        ValueError: the file is missing or holds something else.
    """
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
        return {name: [serialise(steps) for steps in splits[name]] for name in ("train", "valid", "test")}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not the JSB chorales on sixteenths, as JSON with train, valid and test."
        ) from error


def measure_voice_ranges(pieces: Sequence[Tokens]) -> NDArray[np.int64]:
    """Measure the lowest and highest pitch of each voice, int64 (4, 2)."""
    steps = np.concatenate(pieces).reshape(-1, VOICES)
    low = np.where(steps == REST, 999, steps).min(axis=0)
    high = np.where(steps == REST, -1, steps).max(axis=0)
    return np.stack([low, high], axis=1)


def list_transpositions(piece: Tokens, ranges: NDArray[np.int64]) -> list[int]:
    """List by how many semitones (-6 to 6) a piece can move with every voice in its range."""
    own = measure_voice_ranges([piece])
    sings = own[:, 1] >= 0
    down, up = (ranges[sings, 0] - own[sings, 0]).max(), (ranges[sings, 1] - own[sings, 1]).min()
    return list(range(max(-6, int(down)), min(6, int(up)) + 1))


def transpose(piece: Tokens, semitones: int) -> Tokens:
    """Move all pitches; rests stay."""
    return np.where(piece == REST, REST, piece + semitones)


class ChoraleTransformer(nn.Module):
    """The layers of the Music Transformer on chorale tokens, with a clock of voice and sixteenth.

    With "absolute" positions, sinusoids of a token's place in the piece are added to the input instead of relative
    logits to attention.
    """

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.n_tokens, config.width)
        self.clock = nn.Embedding(CLOCK, config.width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.dim() == 2:
                is_residual = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 * (2 * config.layers) ** (-0.5 if is_residual else 0.0))

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Map the last tokens int64 (B, L), and the places int64 (B, L) in the piece of those asked for, to (B, L,
        V).
        """
        x = self.embedding(tokens) + self.clock(places % CLOCK)
        if self.config.position == "absolute":
            x = x + 0.02 * compute_sinusoids(places, self.config.width)
        x = self.dropout(x)
        needs_mask = self.config.position == "relative"
        mask = make_attention_mask(tokens.shape[1], tokens.shape[1], None, tokens.device) if needs_mask else None
        for layer in self.layers:
            x = layer(x, mask)
        return F.linear(self.norm(x), self.embedding.weight)


@dataclass(frozen=True)
class ChoraleRecipe:
    """How the benchmark's networks are trained; the same for all kinds of positions.

    Args:
        window: tokens of a row.
        steps: of the training; with `seconds` they do not count.
        seconds: of the clock, in which the learning rate falls to nothing.
    """

    width: int = 128
    layers: int = 4
    heads: int = 4
    feedforward: int = 512
    dropout: float = 0.1
    window: int = WINDOW
    rows: int = 12
    steps: int = 1500
    seconds: float | None = None
    validate_every: int = 250
    warmup_steps: int = 50
    muon_rate: float = 0.02
    adam_rate: float = 0.003
    average_over_steps: int = 60
    seed: int = 0

    def make_config(self, position: str) -> MusicTransformerConfig:
        """Make the network's sizes with one kind of positions."""
        return MusicTransformerConfig(
            n_tokens=VOCABULARY,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            feedforward=self.feedforward,
            dropout=self.dropout,
            position=position,
            max_distance=self.window,
        )


def _shift(piece: Tokens, first: int, stop: int) -> Tokens:
    """Return what stands before each of the tokens first to stop - 1."""
    return np.concatenate([[START], piece])[first:stop]


class Crops:
    """Draws training rows: a piece as often as it is long, a key, a place."""

    def __init__(self, pieces: Sequence[Tokens], seed: int, window: int = WINDOW) -> None:
        self.window = window
        self.random = np.random.default_rng(seed)
        ranges = measure_voice_ranges(pieces)
        self.pieces = pieces
        self.keys = [list_transpositions(piece, ranges) for piece in pieces]
        lengths = np.array([len(piece) for piece in pieces], dtype=float)
        self.chances = lengths / lengths.sum()

    def draw_rows(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw inputs, places and targets, each int64 (count, window); targets are -1 past the end of a piece."""
        window = self.window
        inputs, places, targets = (np.full((count, window), fill) for fill in (REST, 0, -1))
        for row in range(count):
            index = int(self.random.choice(len(self.pieces), p=self.chances))
            piece = transpose(self.pieces[index], int(self.random.choice(self.keys[index])))
            last = max(0, (len(piece) - window) // VOICES)
            first = VOICES * int(self.random.integers(-8, last + 9))
            first = min(max(first, 0), VOICES * last)  # the ends come more often than their share
            stop = min(first + window, len(piece))
            inputs[row, : stop - first] = _shift(piece, first, stop)
            targets[row, : stop - first] = piece[first:stop]
            places[row] = first + np.arange(window)
        return torch.from_numpy(inputs), torch.from_numpy(places), torch.from_numpy(targets)


def list_windows(piece: Tokens, window: int) -> list[tuple[Tokens, Tokens, Tokens]]:
    """List inputs, places and targets of a piece's windows, each int64 (window,); -1 is a target judged before."""
    windows, judged = [], 0
    for first in range(0, max(1, len(piece) - window // 2), window // 2):
        stop = min(first + window, len(piece))
        inputs, targets = np.full(window, REST), np.full(window, -1)
        inputs[: stop - first] = _shift(piece, first, stop)
        targets[judged - first : stop - first] = piece[judged:stop]
        windows.append((inputs, first + np.arange(window), targets))
        judged = stop
    return windows


@torch.no_grad()
def measure_nll(model: ChoraleTransformer, pieces: Sequence[Tokens], window: int = WINDOW) -> float:
    """Measure the mean negative log-likelihood over all tokens of all pieces, in nats."""
    model.eval()
    device = model.embedding.weight.device
    windows = [each for piece in pieces for each in list_windows(piece, window)]
    total = 0.0
    for begin in range(0, len(windows), JUDGED_ROWS):
        some = windows[begin : begin + JUDGED_ROWS]
        inputs, places, targets = (torch.from_numpy(np.stack(rows)).to(device) for rows in zip(*some, strict=True))
        logits = model(inputs, places).float().flatten(0, 1)
        total += float(F.cross_entropy(logits, targets.flatten(), ignore_index=-1, reduction="sum"))
    model.train()
    return total / sum(map(len, pieces))


class ChoraleTraining(TrainingLoop[ChoraleTransformer]):
    """One network's training, which can be stopped and started; only running averages of the weights are judged."""

    def __init__(
        self, recipe: ChoraleRecipe, position: str, splits: Mapping[str, list[Tokens]], checkpoint: Path
    ) -> None:
        self.begun_at = time.perf_counter()
        torch.manual_seed(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.recipe, self.splits = recipe, splits
        config = recipe.make_config(position)
        model = ChoraleTransformer(config).to(self.device)
        self.best: dict[str, Tensor] = {}
        self.best_valid = float("inf")
        super().__init__(model, config, make_optimizers(model, recipe.muon_rate, recipe.adam_rate), checkpoint)
        unseen = self.seed_draws(recipe.seed)  # rows that were not drawn before
        self.crops = Crops(splits["train"], unseen, recipe.window)

    def make_state(self) -> dict[str, Any]:
        """Return what the checkpoint holds."""
        return {**super().make_state(), "best": self.best, "best_valid": self.best_valid}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `make_state` returned."""
        super().load_state(state)
        self.best, self.best_valid = state["best"], state["best_valid"]

    def measure_progress(self) -> float:
        """Return the share of the steps, or of the time, that is done."""
        if self.recipe.seconds is None:
            return self.step / self.recipe.steps
        return (time.perf_counter() - self.begun_at) / self.recipe.seconds if self.step else 0.0

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rates of Muon and AdamW: a warm-up, then a straight line to 0."""
        recipe = self.recipe
        rate = min(1.0, (self.step + 1) / recipe.warmup_steps) * max(0.0, 1 - self.measure_progress())
        return rate * recipe.muon_rate, rate * recipe.adam_rate

    def weigh_average(self) -> float:
        """Return the weight of the newest state: of all at first, in the end of so many steps."""
        return max(1 / self.step, 1 / self.recipe.average_over_steps)

    def narrow(self) -> AbstractContextManager[object]:
        """Compute in bfloat16 on a GPU."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")

    def train_step(self) -> dict[str, Tensor]:
        """Do one step; return the loss."""
        inputs, places, targets = (each.to(self.device) for each in self.crops.draw_rows(self.recipe.rows))
        with self.narrow():
            logits = self.model(inputs, places)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-1)
        self.descend(loss, 1.0)
        return {"loss": loss.detach()}

    def finish_step(self) -> None:
        """Measure the validation loss now and then, and keep the average that does best."""
        if self.step % self.recipe.validate_every == 0:
            self.validate()

    def validate(self) -> None:
        """Measure the validation loss of the average, and keep it if it is the best."""
        valid = self.judge(self.average, self.splits["valid"])
        self.write_log({"step": self.step, "valid": round(valid, 4)})
        if valid < self.best_valid:
            self.best, self.best_valid = {name: value.clone() for name, value in self.average.items()}, valid

    def judge(self, weights: Mapping[str, Tensor], pieces: Sequence[Tokens]) -> float:
        """Measure the loss of some weights, in full precision."""
        network = copy.deepcopy(self.model)
        network.load_state_dict(dict(weights))
        return measure_nll(network, pieces, self.recipe.window)


def train_chorales(path: Path, position: str, recipe: ChoraleRecipe, checkpoint: Path) -> dict[str, float]:
    """Train (or load what was trained) one network and judge it.

    Returns:
        Negative log-likelihoods of a token: "train" (first 40 pieces), "valid", "test"; "parameters" and "steps".
    """
    splits = read_splits(path)
    training = ChoraleTraining(recipe, position, splits, checkpoint)
    before = training.step
    training.run(log_every=50, save_every_s=120)
    if training.step > before:
        training.validate()
        training.save()
    judged = {"train": splits["train"][:40], "valid": splits["valid"], "test": splits["test"]}
    results = {name: training.judge(training.best, pieces) for name, pieces in judged.items()}
    parameters = sum(parameter.numel() for parameter in training.model.parameters())
    return {**results, "parameters": float(parameters), "steps": float(training.step)}


GPU_RECIPE = ChoraleRecipe(
    width=192, layers=5, heads=6, feedforward=768, dropout=0.2, window=512, rows=48, average_over_steps=100,
    validate_every=100,
)  # fmt: skip
SMALL = ChoraleRecipe(width=16, layers=1, heads=2, feedforward=32, window=64, rows=2, validate_every=3)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="jsb-chorales-16th.json")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the clock; meant for a GPU")
    parser.add_argument("--position", choices=("relative", "absolute"), default="relative")
    parser.add_argument("--out", type=Path, default=Path(".runs") / "jsb")
    parser.add_argument("--small", action="store_true", help="a tiny network, to try the recipe")
    arguments = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    recipe = replace(SMALL if arguments.small else GPU_RECIPE, seconds=arguments.seconds)
    results = train_chorales(arguments.file, arguments.position, recipe, arguments.out / f"{arguments.position}.pt")
    results["seconds"] = arguments.seconds
    print(json.dumps(results), flush=True)
    (arguments.out / f"jsb_{arguments.position}.json").write_text(json.dumps(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
