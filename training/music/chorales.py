"""The public benchmark: how well a small Music Transformer predicts Bach's chorales.

Huang et al. 2018, section 4.1: the JSB chorales (Boulanger-Lewandowski et al. 2012, their split) on a grid of
sixteenths, in raster order: soprano, alto, tenor, bass of the first sixteenth, then of the second, and so on; one token
for each voice and sixteenth. The measure is the negative log-likelihood of a token in nats, over all tokens of a split.

What the paper leaves open is done so: a token is a MIDI pitch or a rest; where a sixteenth has fewer than four pitches
the lower voices rest; the data does not tell held notes from repeated ones, so neither do the tokens. Besides the token
the network is given which voice and which sixteenth of the bar comes next (counted from the start of the piece), a
fixed clock that says nothing about the music. A piece is read in windows of 256 tokens that move on by 128, each token
judged once, where most of the past is in sight. Training pieces are heard in every key that keeps each voice within the
range it has in the training split.

Letters: B batch, L tokens, W width, V vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
WINDOW, STRIDE = 256, 128
VALIDATE_EVERY = 250
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
    """How the benchmark's networks are trained; the same for all kinds of positions."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    feedforward: int = 512
    dropout: float = 0.1
    rows: int = 12
    steps: int = 1500
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
            max_distance=WINDOW,
        )


def _shift(piece: Tokens, first: int, stop: int) -> Tokens:
    """Return what stands before each of the tokens first to stop - 1."""
    return np.concatenate([[START], piece])[first:stop]


class Crops:
    """Draws training rows: a piece as often as it is long, a key, a place."""

    def __init__(self, pieces: Sequence[Tokens], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        ranges = measure_voice_ranges(pieces)
        self.pieces = pieces
        self.keys = [list_transpositions(piece, ranges) for piece in pieces]
        lengths = np.array([len(piece) for piece in pieces], dtype=float)
        self.chances = lengths / lengths.sum()

    def draw_rows(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw inputs, places and targets, each int64 (count, WINDOW); targets are -1 past the end of a piece."""
        inputs, places, targets = (np.full((count, WINDOW), fill) for fill in (REST, 0, -1))
        for row in range(count):
            index = int(self.random.choice(len(self.pieces), p=self.chances))
            piece = transpose(self.pieces[index], int(self.random.choice(self.keys[index])))
            last = max(0, (len(piece) - WINDOW) // VOICES)
            first = VOICES * int(self.random.integers(-8, last + 9))
            first = min(max(first, 0), VOICES * last)  # the ends come more often than their share
            stop = min(first + WINDOW, len(piece))
            inputs[row, : stop - first] = _shift(piece, first, stop)
            targets[row, : stop - first] = piece[first:stop]
            places[row] = first + np.arange(WINDOW)
        return torch.from_numpy(inputs), torch.from_numpy(places), torch.from_numpy(targets)


@torch.no_grad()
def measure_nll(model: ChoraleTransformer, pieces: Sequence[Tokens]) -> float:
    """Measure the mean negative log-likelihood over all tokens of all pieces, in nats."""
    model.eval()
    total, count = 0.0, 0
    for piece in pieces:
        judged = 0
        for first in range(0, max(1, len(piece) - WINDOW + STRIDE), STRIDE):
            stop = min(first + WINDOW, len(piece))
            places = torch.arange(first, stop)[None]
            logits = model(torch.from_numpy(_shift(piece, first, stop))[None], places)[0]
            losses = F.cross_entropy(logits, torch.from_numpy(piece[first:stop]), reduction="none")
            total += float(losses[judged - first :].sum())
            judged = stop
        count += len(piece)
    model.train()
    return total / count


class ChoraleTraining(TrainingLoop[ChoraleTransformer]):
    """One network's training, which can be stopped and started; only the running average of the weights is judged."""

    def __init__(
        self, recipe: ChoraleRecipe, position: str, splits: Mapping[str, list[Tokens]], checkpoint: Path
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.splits = recipe, splits
        config = recipe.make_config(position)
        model = ChoraleTransformer(config)
        super().__init__(model, config, make_optimizers(model, recipe.muon_rate, recipe.adam_rate), checkpoint)
        self.crops = Crops(splits["train"], recipe.seed + self.step)  # rows that were not drawn before

    def measure_progress(self) -> float:
        """Return the share of the steps that is done."""
        return self.step / self.recipe.steps

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rates of Muon and AdamW: a warm-up, then a straight line to 0."""
        recipe = self.recipe
        rate = min(1.0, (self.step + 1) / recipe.warmup_steps) * (1 - self.step / recipe.steps)
        return rate * recipe.muon_rate, rate * recipe.adam_rate

    def weigh_average(self) -> float:
        """Return the weight of the newest state: of all at first, in the end of so many steps."""
        return max(1 / self.step, 1 / self.recipe.average_over_steps)

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        inputs, places, targets = self.crops.draw_rows(self.recipe.rows)
        logits = self.model(inputs, places)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
        self.descend(loss, 1.0)
        return {"loss": float(loss.detach())}

    def finish_step(self) -> None:
        """Measure the validation loss now and then."""
        if self.step % VALIDATE_EVERY == 0:
            self.write_log(
                {"step": self.step, "valid": round(measure_nll(self.build_average(), self.splits["valid"]), 4)}
            )


def train_chorales(path: Path, position: str, recipe: ChoraleRecipe, checkpoint: Path) -> dict[str, float]:
    """Train (or load what was trained) one network and judge it.

    Returns:
        Negative log-likelihoods of a token: "train" (first 40 pieces), "valid", "test"; "parameters" and "steps".
    """
    splits = read_splits(path)
    training = ChoraleTraining(recipe, position, splits, checkpoint)
    training.run(log_every=50, save_every_s=120)
    average = training.build_average()
    judged = {"train": splits["train"][:40], "valid": splits["valid"], "test": splits["test"]}
    results = {name: measure_nll(average, pieces) for name, pieces in judged.items()}
    parameters = sum(parameter.numel() for parameter in average.parameters())
    return {**results, "parameters": float(parameters), "steps": float(training.step)}
