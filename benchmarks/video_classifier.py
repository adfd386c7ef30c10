"""A small classifier of clips: which scene, and which main colour. It judges the video model's clips.

    python -m benchmarks.video_classifier --folder .runs/classifier     # renders, trains, measures, writes the weights

It is trained on rendered clips alone, brought down to 32 pixels and spoilt a little, and never sees a generated one.
The weights lie beside this file, so that figures can be compared over time. It learns directions too, so that motion is
among its features, but reads them badly: `benchmarks.video_motion` judges them.

Letters: B batch, F frames, S pixels a side, D features.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.video.scene_spec import COLOURS, DIRECTIONS
from models.video.scenes import KINDS, SceneSpec, draw_spec, render
from models.weights_io import load_network, parse_metadata, save_safetensors
from training.loop import PlannedTraining

WEIGHTS = Path(__file__).parent / "video_classifier.safetensors"
SIZE, FRAMES = 32, 16
SHARD = 100
HELD_OUT_FROM = 1_000_000
NAMES: dict[str, tuple[str, ...]] = {
    "kind": tuple(KINDS),
    "colour": tuple(COLOURS),
    "direction": DIRECTIONS,
}
MIRRORED = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}


@dataclass(frozen=True)
class ClassifierConfig:
    """Sizes of the network."""

    channels: tuple[int, int, int] = (32, 64, 96)
    features: int = 128

    @classmethod
    def debug(cls) -> ClassifierConfig:
        """Return the sizes of a tiny network for tests."""
        return cls((8, 8, 8), 12)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class ClassifierPlan:
    """Numbers of the recipe."""

    steps: int = 1500
    batch: int = 24
    learning_rate: float = 2e-3
    last_learning_rate: float = 2e-5
    warm_up: int = 50
    average: float = 0.995
    seed: int = 1


class ClipClassifier(nn.Module):
    """Convolutions over space that see neighbouring frames, then the mean and the greatest over space and time."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.channels
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(3 * 3 * 4, first, 1),
                nn.Conv2d(first, second, 3, stride=2, padding=1),
                nn.Conv2d(3 * second, third, 3, stride=2, padding=1),
            ]
        )
        self.norms = nn.ModuleList(nn.GroupNorm(4, width) for width in config.channels)
        self.mix = nn.Conv1d(third, third, 5, padding=2)
        self.features = nn.Linear(2 * third, config.features)
        self.heads = nn.ModuleDict({name: nn.Linear(config.features, len(values)) for name, values in NAMES.items()})

    def embed(self, clips: Tensor) -> Tensor:
        """Embed clips (B, F, 3, S, S) in [-1, 1] as (B, D)."""
        batch = len(clips)
        x = F.pixel_unshuffle(clips, 2)
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if layer != 1:
                x = torch.cat([_take_earlier(x), x, _take_later(x)], dim=2)
            x = F.relu(norm(conv(x.flatten(0, 1)))).unflatten(0, (batch, -1))  # (B, F, C, H, W)
        over_time = F.relu(self.mix(x.permute(0, 3, 4, 2, 1).flatten(0, 2)))  # (B * H * W, C, F)
        places = over_time.mean(dim=2).unflatten(0, (batch, -1))  # (B, H * W, C)
        return F.gelu(self.features(torch.cat([places.mean(dim=1), places.amax(dim=1)], dim=1)))

    def forward(self, clips: Tensor) -> dict[str, Tensor]:
        """Compute the logits of kind, colour and direction, each (B, values)."""
        features = self.embed(clips)
        return {name: head(features) for name, head in self.heads.items()}


def _take_earlier(x: Tensor) -> Tensor:
    return torch.cat([x[:, :1], x[:, :-1]], dim=1)


def _take_later(x: Tensor) -> Tensor:
    return torch.cat([x[:, 1:], x[:, -1:]], dim=1)


def shrink(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink uint8 (..., S, S, 3) to SIZE x SIZE by the mean; S is a multiple of SIZE."""
    step = frames.shape[-2] // SIZE
    shape = (*frames.shape[:-3], SIZE, step, SIZE, step, 3)
    return frames.reshape(shape).mean(axis=(-4, -2)).round().astype(np.uint8)


def to_tensor(frames: NDArray[np.uint8]) -> Tensor:
    """Convert uint8 (B, F, SIZE, SIZE, 3) to (B, F, 3, SIZE, SIZE) in [-1, 1]."""
    return torch.from_numpy(frames).permute(0, 1, 4, 2, 3).float() / 127.5 - 1


def label(spec: SceneSpec) -> tuple[int, int, int]:
    """Return the numbers of kind, colour and direction."""
    return tuple(values.index(getattr(spec, name)) for name, values in NAMES.items())  # type: ignore[return-value]


def prepare(folder: Path, shards: int, first: int = 0) -> None:
    """Render clips and their labels, those shards that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + shards):
        path = folder / f"shard_{number}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng([7, number])
        specs = [draw_spec(rng) for _ in range(SHARD)]
        frames = np.stack([shrink(render(spec, FRAMES, 2 * SIZE).frames) for spec in specs])
        part = path.with_suffix(".part.npz")
        np.savez(part, frames=frames, labels=np.array([label(spec) for spec in specs]))
        part.replace(path)
        print(path, flush=True)


def read(folder: Path, held_out: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read clips (N, F, SIZE, SIZE, 3) and labels (N, 3)."""
    paths = [p for p in sorted(folder.glob("shard_*.npz")) if p.stem[6:].isdigit()]
    shards = [np.load(path) for path in paths if (int(path.stem[6:]) >= HELD_OUT_FROM) == held_out]
    return np.concatenate([s["frames"] for s in shards]), np.concatenate([s["labels"] for s in shards])


class ClassifierTraining(PlannedTraining[ClipClassifier]):
    """Clips mirrored (with their directions) and spoilt at random; three cross-entropies."""

    def __init__(
        self,
        clips: NDArray[np.uint8],
        labels: NDArray[np.int64],
        config: ClassifierConfig,
        plan: ClassifierPlan,
        folder: Path,
    ) -> None:
        self.plan, self.clips, self.labels = plan, clips, labels
        torch.manual_seed(plan.seed)
        network = ClipClassifier(config)
        optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=0.05)
        super().__init__(network, config, optimizer, folder / "checkpoint.pt")
        self.rng = np.random.default_rng([plan.seed, self.step])
        swap = [DIRECTIONS.index(MIRRORED.get(name, name)) for name in DIRECTIONS]
        self.mirrored = np.array(swap)

    def draw_batch(self) -> tuple[Tensor, Tensor]:
        """Draw (B, F, 3, S, S) and labels (B, 3)."""
        rng = self.rng
        rows = rng.integers(len(self.clips), size=self.plan.batch)
        frames, labels = self.clips[rows], self.labels[rows].copy()
        flips = rng.random(len(rows)) < 0.5
        frames[flips] = frames[flips][:, :, :, ::-1]
        labels[flips, 2] = self.mirrored[labels[flips, 2]]
        clips = to_tensor(frames)
        soft = F.avg_pool2d(F.pad(clips.flatten(0, 1), (1, 1, 1, 1), mode="replicate"), 3, stride=1).view_as(clips)
        share = torch.from_numpy(rng.uniform(0, 0.7, len(rows)) * (rng.random(len(rows)) < 0.5)).float()
        clips = clips + share.view(-1, 1, 1, 1, 1) * (soft - clips)
        noise = torch.from_numpy(rng.standard_normal(clips.shape, dtype=np.float32))
        level = torch.from_numpy(rng.uniform(0, 0.06, len(rows))).float().view(-1, 1, 1, 1, 1)
        return clips + level * noise, torch.from_numpy(labels)

    def train_step(self) -> dict[str, float]:
        """Take one step."""
        clips, labels = self.draw_batch()
        logits = self.model(clips)
        losses = {
            name: F.cross_entropy(logits[name], labels[:, index], label_smoothing=0.02)
            for index, name in enumerate(NAMES)
        }
        self.descend(losses["kind"] + losses["colour"] + 1.5 * losses["direction"], 2.0)
        return {name: float(value.detach()) for name, value in losses.items()}


def classify(network: ClipClassifier, clips: NDArray[np.uint8], batch: int = 32) -> tuple[NDArray, NDArray]:
    """Classify uint8 (N, F, SIZE, SIZE, 3): numbers (N, 3) of kind, colour, direction, and features (N, D)."""
    answers, features = [], []
    with torch.inference_mode():
        for at in range(0, len(clips), batch):
            found = network.embed(to_tensor(clips[at : at + batch]))
            features.append(found.numpy())
            answers.append(torch.stack([network.heads[name](found).argmax(dim=1) for name in NAMES], dim=1).numpy())
    return np.concatenate(answers), np.concatenate(features)


def list_moving_kinds() -> tuple[str, ...]:
    """List the kinds that can move in more than one way."""
    return tuple(name for name, kind in KINDS.items() if len(kind.directions) > 1)


def measure(network: ClipClassifier, clips: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, float]:
    """Measure the shares of right answers over held-out rendered clips."""
    right = classify(network, clips)[0] == labels
    return {"classifier_scene": float(right[:, 0].mean()), "classifier_colour": float(right[:, 1].mean())}


def load_classifier(path: Path = WEIGHTS) -> tuple[ClipClassifier, dict[str, float]]:
    """Load the network, and what it reached on held-out rendered clips.

    Raises:
        ModelError: the file is missing or damaged.
    """
    network = load_network(
        path,
        lambda values: ClipClassifier(ClassifierConfig(tuple(values["channels"]), values["features"])),
        "the classifier",
    )
    return network.requires_grad_(False), parse_metadata(path, dict, ["figures"])


def main() -> None:
    """Render, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".runs/classifier"))
    parser.add_argument("--shards", type=int, default=36)
    parser.add_argument("--held-out-shards", type=int, default=6)
    parser.add_argument("--steps", type=int, default=ClassifierPlan.steps)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    torch.set_flush_denormal(True)
    prepare(options.folder, options.held_out_shards, HELD_OUT_FROM)
    prepare(options.folder, options.shards)
    clips, labels = read(options.folder, held_out=False)
    plan = ClassifierPlan(steps=options.steps)
    training = ClassifierTraining(clips, labels, ClassifierConfig(), plan, options.folder)
    training.run(log_every=50, save_every=200)
    training.model.load_state_dict(training.average)
    figures = measure(training.model.eval(), *read(options.folder, held_out=True))
    metadata = {"config": json.dumps(training.config.to_dict()), "figures": json.dumps(figures)}
    save_safetensors(WEIGHTS, training.model.state_dict(), metadata)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
