"""The recipe of the shipped picture style network.

    python -m training.style_picture.train train --pictures FOLDER --out FOLDER --minutes 40
    python -m training.style_picture.train export --checkpoint FOLDER/last.pt

`--pictures` is any folder of pictures (training/README.md names those that were used); the kind of each is told by the
folder it lies in. Encoder and decoder learn together. Every batch pairs crops of pictures with crops of styles, and one
pair in four has the picture as its own style. Three things are asked of the result: the patches of the style at four
scales (`measure_style_distance`), the light and dark of the content (`measure_structure_distance`), and for a picture
that is its own style the picture itself. A second pass over slightly noisy sketches asks for the same result, so that
the frames of a clip do not flicker. Training can be interrupted at any time and goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.style.picture_network import NOISE_SIZE, PictureStyle, PictureStyleConfig, PictureStyleNetwork, recolour
from models.weights_io import save_safetensors
from training.loop import TrainingLoop
from training.style_picture.losses import measure_excess, measure_structure_distance, measure_style_distance
from training.style_picture.patterns import PATTERNS, draw_pattern

FILE = "style_picture.safetensors"
SHORTER_SIDE = 224  # of a picture in memory
PATTERN_PICTURES = 160
SUFFIXES = {".webp", ".jpg", ".jpeg", ".png"}
HOLD_OUT_EVERY = 8  # of the paintings in the order of their names, from the fourth on; never trained on
SAVE_EVERY_S = 120.0


@dataclass(frozen=True)
class TrainConfig:
    """Weights of the losses, and the shape of a batch."""

    batch: int = 4
    crop: int = 96
    late_crop: int = 128  # for the last third
    learning_rate: float = 2e-3
    style: float = 25.0
    structure: float = 0.8
    identity: float = 8.0
    steadiness: float = 1.0
    range: float = 10.0
    steady_share: float = 0.1  # of the steps


@dataclass
class TrainingPictures:
    """All pictures in memory, uint8 (H, W, 3), by their use."""

    paintings: list[NDArray[np.uint8]] = field(default_factory=list)
    photos: list[NDArray[np.uint8]] = field(default_factory=list)
    scenes: list[NDArray[np.uint8]] = field(default_factory=list)
    patterns: list[NDArray[np.uint8]] = field(default_factory=list)


def list_held_out(paintings: list[Path]) -> set[Path]:
    """List the paintings kept for measuring."""
    return set(sorted(paintings)[3::HOLD_OUT_EVERY])


def load_pictures(folder: Path, most_photos: int = 1500) -> TrainingPictures:
    """Read a folder: `art_*` are paintings, `flowers_*` photos, the rest scenes; patterns are drawn.

    Raises:
        ValueError: it holds no pictures.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise ValueError(f"{folder} holds no pictures.")
    kinds = {"art": "paintings", "flowers": "photos"}
    groups: dict[str, list[Path]] = {"paintings": [], "photos": [], "scenes": []}
    for path in files:
        groups[kinds.get(path.parent.name.split("_")[0], "scenes")].append(path)
    unseen = list_held_out(groups["paintings"])
    groups["paintings"] = [path for path in groups["paintings"] if path not in unseen]
    groups["photos"] = groups["photos"][:most_photos]
    pictures = TrainingPictures(**{name: [_read(path) for path in paths] for name, paths in groups.items()})
    kinds_drawn = list(PATTERNS)
    pictures.patterns = [
        draw_pattern(kinds_drawn[i % len(kinds_drawn)], 1000 + i, 192) for i in range(PATTERN_PICTURES)
    ]
    return pictures


def _read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        scale = SHORTER_SIDE / min(image.size)
        size = (max(SHORTER_SIDE, round(image.width * scale)), max(SHORTER_SIDE, round(image.height * scale)))
        picture = image.convert("RGB")
        return np.asarray(picture.resize(size, Image.Resampling.LANCZOS) if scale < 1 else picture)


class CropSampler:
    """A source of batches of random crops."""

    def __init__(self, pictures: TrainingPictures, rng: np.random.Generator) -> None:
        self.pictures, self.rng = pictures, rng

    def draw_contents(self, count: int, crop: int) -> Tensor:
        """Draw (count, 3, crop, crop) in [0, 1]."""
        return self._draw_batch(count, crop, (("photos", 0.5), ("scenes", 0.3), ("paintings", 0.2)))

    def draw_styles(self, count: int, crop: int) -> Tensor:
        """Draw (count, 3, crop, crop) in [0, 1]."""
        shares = (("paintings", 0.52), ("patterns", 0.38), ("scenes", 0.05), ("photos", 0.05))
        return self._draw_batch(count, crop, shares, change_colours=True)

    def _draw_batch(
        self, count: int, crop: int, shares: tuple[tuple[str, float], ...], change_colours: bool = False
    ) -> Tensor:
        there = [(name, share) for name, share in shares if getattr(self.pictures, name)]
        chances = np.array([share for _, share in there])
        crops = []
        for _ in range(count):
            name = there[int(self.rng.choice(len(there), p=chances / chances.sum()))][0]
            group = getattr(self.pictures, name)
            crops.append(self._draw_crop(group[int(self.rng.integers(len(group)))], crop))
        batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255.0
        if change_colours and self.rng.random() < 0.3:
            batch = batch[:, torch.from_numpy(self.rng.permutation(3))]
        return batch.contiguous()

    def _draw_crop(self, picture: NDArray[np.uint8], crop: int) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        side = int(min(height, width, crop * self.rng.uniform(1.0, 2.0)))
        top, left = self.rng.integers(height - side + 1), self.rng.integers(width - side + 1)
        piece = picture[top : top + side, left : left + side]
        if self.rng.random() < 0.5:
            piece = piece[:, ::-1]
        return np.asarray(Image.fromarray(piece).resize((crop, crop), Image.Resampling.BILINEAR))


@dataclass
class LossParts:
    """The parts of one step, for the log."""

    total: Tensor
    parts: dict[str, float]


def compute_loss(
    network: PictureStyleNetwork, contents: Tensor, styles: Tensor, config: TrainConfig, generator: torch.Generator
) -> LossParts:
    """Compute what one batch costs; the last picture is its own style."""
    styles = torch.cat([styles[:-1], contents[-1:]])
    offsets = tuple(int(torch.randint(NOISE_SIZE, (1,), generator=generator)) for _ in range(2))
    at = offsets[0], offsets[1]
    with torch.no_grad():
        pages = network.extract_style(styles)
        base = recolour(contents, network.measure_band_colours(contents), pages.statistics)
        sketch = network.sketch(base, pages, at)
    style = PictureStyle(network.measure_statistics(styles), pages.pages)
    made = network.paint(contents, sketch, network.encoder(sketch), style, offsets=at)
    parts = {
        "style": config.style * measure_style_distance(made[:-1], styles[:-1], generator, 32, 768).mean(),
        "structure": config.structure * measure_structure_distance(made[:-1], contents[:-1]).mean(),
        "identity": config.identity * F.mse_loss(made[-1], contents[-1]),
        "range": config.range * measure_excess(made).mean(),
    }
    if float(torch.rand(1, generator=generator)) < config.steady_share:
        shaken = sketch + 0.02 * torch.randn(contents.shape, generator=generator)
        again = network.paint(contents, shaken, network.encoder(shaken), style, offsets=at)
        parts["steadiness"] = config.steadiness * F.l1_loss(again, made)
    return LossParts(
        torch.stack(list(parts.values())).sum(), {name: float(part.detach()) for name, part in parts.items()}
    )


class PictureStyleTraining(TrainingLoop[PictureStyleNetwork]):
    """Training of the picture style network for so many minutes in all; resumes from `last.pt` in its folder."""

    AVERAGE_LIMIT = 0.995

    def __init__(
        self,
        pictures: TrainingPictures,
        out: Path,
        minutes: float,
        plan: TrainConfig,
        network_config: PictureStyleConfig | None,
        seed: int,
    ) -> None:
        torch.manual_seed(seed)
        self.plan, self.minutes = plan, minutes
        network = PictureStyleNetwork(network_config)
        optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate, betas=(0.9, 0.99))
        super().__init__(network, network.config, optimizer, out / "last.pt")
        self.sampler = CropSampler(pictures, np.random.default_rng(seed + self.step))
        self.generator = torch.Generator().manual_seed(seed + self.step)

    def measure_progress(self) -> float:
        """Return the share of the time that has passed, over all interruptions."""
        return self.elapsed_s / (60 * self.minutes)

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a warm-up, then a fall to a twentieth."""
        share = self.measure_progress()
        return (self.plan.learning_rate * min(1.0, (self.step + 1) / 50) * (1.0 - 0.95 * share**1.5),)

    def train_step(self) -> dict[str, float]:
        """Do one step; return the parts of the loss."""
        plan, sampler = self.plan, self.sampler
        crop = plan.crop if self.measure_progress() < 2 / 3 else plan.late_crop
        contents, styles = sampler.draw_contents(plan.batch, crop), sampler.draw_styles(plan.batch, crop)
        loss = compute_loss(self.model, contents, styles, plan, self.generator)
        self.descend(loss.total, 5.0)
        return loss.parts


def train(
    folder: Path,
    out: Path,
    minutes: float,
    config: TrainConfig | None = None,
    network_config: PictureStyleConfig | None = None,
    seed: int = 6,
) -> Path:
    """Train for so many minutes in all, over all interruptions; return the checkpoint."""
    plan = config or TrainConfig()
    training = PictureStyleTraining(load_pictures(folder), out, minutes, plan, network_config, seed)
    training.run(log_every=25, save_every_s=SAVE_EVERY_S)
    return out / "last.pt"


def export(checkpoint: Path, folder: Path) -> Path:
    """Write the running average as the file that the studio ships."""
    state = torch.load(checkpoint, weights_only=True)
    path = folder / FILE
    save_safetensors(path, state["average"], {"config": json.dumps(state["config"]), "steps": str(state["step"])})
    return path


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("--pictures", type=Path, required=True)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--minutes", type=float, default=40.0)
    training.add_argument("--threads", type=int, default=1)
    exporting = commands.add_parser("export")
    exporting.add_argument("--checkpoint", type=Path, required=True)
    exporting.add_argument("--out", type=Path, default=Path("models/weights"))
    arguments = parser.parse_args()
    if arguments.command == "train":
        torch.set_num_threads(arguments.threads)
        torch.set_flush_denormal(True)
        print(train(arguments.pictures, arguments.out, arguments.minutes))
    else:
        print(export(arguments.checkpoint, arguments.out))


if __name__ == "__main__":
    main()
