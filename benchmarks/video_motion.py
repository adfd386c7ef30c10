"""The direction in which a clip moves: a small network over local cross-correlations of neighbouring frames.

    python -m benchmarks.video_motion --folder .runs/classifier     # after benchmarks.video_classifier has rendered

Where a patch of one frame is found again in the next ones says how it moves, at whatever speed and whatever it shows
(Barron et al. 1994, "Performance of Optical Flow Techniques", section 2.2). It is trained on rendered clips alone and
does not know what was asked for. Directions are judged in kinds of scenes where it reads at least LEAST_RIGHT of
held-out rendered clips right; the list is kept with the weights.

Letters: N clips, F frames, S = 32 pixels a side, K cells, D features.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.video_classifier import NAMES, SIZE, list_moving_kinds, read, to_tensor
from models.weights_io import load_into, load_safetensors, parse_metadata, save_safetensors

WEIGHTS = Path(__file__).parent / "video_motion.safetensors"
CELL, HOP, REACH = 16, 8, 6  # pixels: a patch, the way to the next one, and how far it is looked for
LATER = (1, 2)  # frames
LEAST_RIGHT = 0.85
CELLS = ((SIZE - CELL) // HOP + 1) ** 2
FEATURES = 2 * len(LATER) * CELLS * (2 * REACH + 1) ** 2
WIDTHS = 96, 96
STEPS, BATCH, RATE = 1200, 64, 1e-3


def correlate_patches(picture: Tensor, later: int) -> Tensor:
    """Correlate picture (N, F, S, S) with itself moved: (N, K, (2 REACH + 1)^2), the fit of each patch."""
    clips, frames = len(picture), picture.shape[1] - later
    side = CELL + 2 * REACH
    first = F.unfold(picture[:, :-later].reshape(-1, 1, SIZE, SIZE), CELL, stride=HOP)
    second = F.unfold(F.pad(picture[:, later:].reshape(-1, 1, SIZE, SIZE), [REACH] * 4), side, stride=HOP)
    patches = first.transpose(1, 2).unflatten(2, (CELL, CELL))  # (N * F', K, CELL, CELL)
    patches = patches - patches.mean(dim=(-2, -1), keepdim=True)
    fields = second.transpose(1, 2).unflatten(2, (side, side))
    size = (32, 32)  # a patch is found within 28 pixels: no wrap
    product = torch.fft.rfft2(patches, s=size).conj() * torch.fft.rfft2(fields, s=size)
    found = torch.fft.irfft2(product, s=size)[..., : 2 * REACH + 1, : 2 * REACH + 1].flatten(2)
    energy = patches.square().sum(dim=(-2, -1)).unflatten(0, (clips, frames)).sum(dim=1)
    score = found.unflatten(0, (clips, frames)).sum(dim=1) / (energy[..., None] + 0.03)
    return score - score.mean(dim=-1, keepdim=True)


def extract_features(clips: NDArray[np.uint8], batch: int = 50) -> Tensor:
    """Extract float32 (N, D) from uint8 (N, F, S, S, 3): of what changes, and of what is finer than 5 pixels."""
    rows = []
    for at in range(0, len(clips), batch):
        light = to_tensor(clips[at : at + batch]).mean(dim=2)
        around = F.avg_pool2d(F.pad(light, [2] * 4, mode="replicate"), 5, 1)
        for_each = [light - light.mean(dim=1, keepdim=True), light - around]
        parts = [correlate_patches(picture, later).flatten(1) for picture in for_each for later in LATER]
        rows.append(torch.cat(parts, dim=1))
    return torch.cat(rows)


class DirectionClassifier(nn.Module):
    """A network from features to a direction."""

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        first, second = WIDTHS
        self.layers = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(features, first), nn.ReLU(),
            nn.Dropout(0.3), nn.Linear(first, second), nn.ReLU(),
            nn.Linear(second, len(NAMES["direction"])),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, D) to logits (N, directions)."""
        logits: Tensor = self.layers((features - self.mean) / self.spread)
        return logits

    def classify(self, clips: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Classify uint8 (N, F, S, S, 3): numbers of directions (N,)."""
        with torch.inference_mode():
            return self(extract_features(clips)).argmax(dim=1).numpy()


def train(features: Tensor, directions: Tensor, steps: int = STEPS, seed: int = 1) -> DirectionClassifier:
    """Train a classifier of features (N, D) and their directions (N,)."""
    torch.manual_seed(seed)
    classifier = DirectionClassifier(features.shape[1])
    classifier.mean.copy_(features.mean(dim=0))
    classifier.spread.copy_(features.std(dim=0) + 1e-3)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=RATE, weight_decay=0.1)
    for step in range(steps):
        rows = torch.randint(len(features), (BATCH,))
        loss = F.cross_entropy(classifier(features[rows]), directions[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = RATE * max(0.01, 1 - step / steps)
    return classifier.eval().requires_grad_(False)


def measure(found: NDArray[np.int64], labels: NDArray[np.int64]) -> tuple[dict[str, float], list[str]]:
    """Measure the shares of right directions (N,) against labels (N, 3), and the kinds that are read well enough."""
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for direction, (kind, _, truth) in zip(found, labels, strict=True):
        by_kind[NAMES["kind"][kind]].append(bool(direction == truth))
    judged = [kind for kind in list_moving_kinds() if np.mean(by_kind.get(kind, [False])) >= LEAST_RIGHT]
    inside = [right for kind in judged for right in by_kind[kind]]
    everywhere = [right for kind in list_moving_kinds() for right in by_kind.get(kind, [])]
    figures = {
        "classifier_direction": float(np.mean(inside or [False])),
        "classifier_direction_all_kinds": float(np.mean(everywhere or [False])),
    }
    return figures, judged


def load_direction_classifier(path: Path = WEIGHTS) -> tuple[DirectionClassifier, tuple[str, ...], dict[str, float]]:
    """Load the network, the kinds whose direction it judges, and what it reached on held-out rendered clips.

    Raises:
        ModelError: the file is missing or damaged.
    """
    reader = DirectionClassifier()
    load_into(reader, load_safetensors(path), f"the reader of directions in {path.name}")
    judged, figures = parse_metadata(path, lambda kinds, values: (tuple(kinds), values), ["judged", "figures"])
    return reader.eval().requires_grad_(False), judged, figures


def select_moving(clips: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Select the kinds that can move in more than one way."""
    rows = np.isin(labels[:, 0], [NAMES["kind"].index(kind) for kind in list_moving_kinds()])
    return clips[rows], labels[rows]


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".runs/classifier"))
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    clips, labels = select_moving(*read(options.folder, held_out=False))
    classifier = train(extract_features(clips), torch.from_numpy(labels[:, 2]))
    held_out, truth = select_moving(*read(options.folder, held_out=True))
    figures, judged = measure(classifier.classify(held_out), truth)
    save_safetensors(WEIGHTS, classifier.state_dict(), {"judged": json.dumps(judged), "figures": json.dumps(figures)})
    left_out = sorted(set(list_moving_kinds()) - set(judged))
    print(json.dumps({**{k: round(v, 4) for k, v in figures.items()}, "left_out": left_out}))


if __name__ == "__main__":
    main()
