"""Recipe of the light upscaler: rendered pictures, training that resumes, measuring, export.

    python -m training.video.upscaler prepare --characters FOLDER    # some minutes, once; resumes
    python -m training.video.upscaler train
    python -m training.video.upscaler measure                        # PSNR beside bicubic, held-out scenes
    python -m training.video.upscaler export

Pictures of the world at 256 pixels are brought down to 64 by the mean of 4 x 4 pixels and spoilt a little, as the video
model spoils them: blur, noise, steps between patches of 4 x 4 pixels, coarse colours. With `--characters` (the sheets
of `training.video.characters`) some pictures are pixel art, whose target has each pixel as a hard square of 4 x 4.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.video.scenes import draw_spec, render
from models.video.upscaler import LIGHT_WEIGHTS, SCALE, UpscalerConfig, UpscalerNetwork, enlarge_bicubic
from models.weights_io import save_safetensors
from training.loop import PlannedTraining
from training.video.characters import draw_character, lay_on_background, render_character

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "models" / "weights"
LARGE = 256
SHARD = 64
HELD_OUT_SHARD = 1_000_000
CHARACTERS_A_SHARD = 10


@dataclass(frozen=True)
class UpscalerPlan:
    """Numbers of the recipe; crops are in pixels of the small picture."""

    steps: int = 5000
    batch: int = 16
    crop: int = 32
    learning_rate: float = 2e-3
    last_learning_rate: float = 2e-5
    warm_up: int = 50
    average: float = 0.998
    spoilt: float = 0.75
    seed: int = 1


def render_shard(number: int, characters: Path | None, pictures: int = SHARD, size: int = LARGE) -> NDArray[np.uint8]:
    """Render large pictures of shard `number`, uint8 (pictures, size, size, 3): scenes, then pixel art."""
    rng = np.random.default_rng([5, number])
    art = min(CHARACTERS_A_SHARD, pictures // 4) if characters else 0
    made = [render(draw_spec(rng), 1, size).frames[0] for _ in range(pictures - art)]
    for _ in range(art):
        strip = render_character(draw_character(characters, rng), characters, frames=4)  # type: ignore[arg-type]
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        frame = lay_on_background(strip, colour)[int(rng.integers(4))]  # type: ignore[arg-type]
        scale = size // len(frame)
        made.append(frame.repeat(scale, axis=0).repeat(scale, axis=1))
    return np.stack(made)


def prepare(folder: Path, shards: int, characters: Path | None) -> None:
    """Render the training shards and two held-out ones (without characters, and with), those that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in (HELD_OUT_SHARD, HELD_OUT_SHARD + 1, *range(shards)):
        path = folder / f"shard_{number}.npy"
        if not path.exists():
            part = path.with_suffix(".part.npy")
            np.save(part, render_shard(number, characters))
            part.replace(path)
            print(path, flush=True)


def reduce_size(large: Tensor) -> Tensor:
    """Reduce (B, 3, 4 R, 4 S) to (B, 3, R, S), the mean of 4 x 4 pixels."""
    return F.avg_pool2d(large, SCALE)


def degrade_frames(small: Tensor, random: torch.Generator) -> Tensor:
    """Add faults as the video model makes them to (B, 3, R, S) in [0, 1]; strengths differ from row to row."""
    batch, _, rows, columns = small.shape

    def amount(most: float) -> Tensor:
        return most * torch.rand(batch, 1, 1, 1, generator=random)

    side = torch.exp(-1 / (2 * (0.2 + amount(0.7)) ** 2))  # of a Gaussian of three taps
    near, far = 1 / (1 + 2 * side), side / (1 + 2 * side)
    padded = F.pad(small, (1, 1, 1, 1), mode="replicate")
    small = near * padded[:, :, :, 1:-1] + far * (padded[:, :, :, :-2] + padded[:, :, :, 2:])
    small = near * small[:, :, 1:-1] + far * (small[:, :, :-2] + small[:, :, 2:])
    patches = torch.randn(batch, 3, math.ceil(rows / 4) + 1, math.ceil(columns / 4) + 1, generator=random)
    steps = patches.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    down, right = (int(torch.randint(4, (1,), generator=random)) for _ in range(2))
    small = small + amount(0.010) * steps[:, :, down : down + rows, right : right + columns]
    small = small + amount(0.015) * torch.randn(small.shape, generator=random)
    return ((small * 255).round() / 255).clamp(0, 1)


class UpscalerTraining(PlannedTraining[UpscalerNetwork]):
    """Random crops, mirrored; charbonnier loss."""

    def __init__(self, pictures: NDArray[np.uint8], config: UpscalerConfig, plan: UpscalerPlan, folder: Path) -> None:
        self.plan, self.pictures = plan, pictures
        torch.manual_seed(plan.seed)
        network = UpscalerNetwork(config)
        optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
        super().__init__(network, config, optimizer, folder / "checkpoint.pt")
        self.rng = np.random.default_rng([plan.seed, self.seed_draws(0)])
        self.random = torch.Generator().manual_seed(self.seed_draws(plan.seed))

    def draw_batch(self) -> tuple[Tensor, Tensor]:
        """Draw degraded small crops (B, 3, crop, crop) and their large targets."""
        plan, rng = self.plan, self.rng
        side = plan.crop * SCALE
        crops = []
        for index in rng.integers(len(self.pictures), size=plan.batch):
            picture = self.pictures[int(index)]
            top, left = (SCALE * int(rng.integers((picture.shape[0] - side) // SCALE + 1)) for _ in range(2))
            crop = picture[top : top + side, left : left + side]
            crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
        large = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
        small = reduce_size(large)
        rows = torch.from_numpy(rng.random(plan.batch) < plan.spoilt)[:, None, None, None]
        return torch.where(rows, degrade_frames(small, self.random), small), large

    def train_step(self) -> dict[str, float]:
        """Take one step."""
        small, large = self.draw_batch()
        loss = torch.sqrt((self.model(small) - large).square() + 1e-6).mean()
        self.descend(loss, 1.0)
        return {"loss": float(loss.detach())}


def measure_psnr(first: Tensor, second: Tensor) -> Tensor:
    """Measure the peak signal-to-noise ratio in dB of each row of (B, ...) in [0, 1], each at most 60."""
    error = (first.clamp(0, 1) - second).square().flatten(1).mean(dim=1)
    return -10 * torch.log10(error.clamp(min=1e-6))


def measure(network: UpscalerNetwork, pictures: NDArray[np.uint8], spoilt: bool) -> dict[str, float]:
    """Measure the mean PSNR in dB of the network and of bicubic over held-out pictures."""
    large = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    small = reduce_size(large)
    if spoilt:
        small = degrade_frames(small, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        learned, plain = measure_psnr(network.eval()(small), large), measure_psnr(enlarge_bicubic(small), large)
    return {"psnr": float(learned.mean()), "psnr_bicubic": float(plain.mean())}


def load_average(folder: Path) -> UpscalerNetwork:
    """Load the averaged network of a folder's checkpoint."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    network = UpscalerNetwork(UpscalerConfig.from_dict(state["config"]))
    network.load_state_dict(state["average"])
    return network.eval()


def export(folder: Path, target: Path) -> Path:
    """Write the averaged weights as the studio ships them."""
    network = load_average(folder)
    path = target / LIGHT_WEIGHTS
    save_safetensors(path, network.state_dict(), {"config": json.dumps(network.config.to_dict())})
    return path


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("prepare", "train", "measure", "export"))
    parser.add_argument("--folder", type=Path, default=Path(".runs/upscaler"))
    parser.add_argument("--characters", type=Path, help="folder of the character sheets")
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--steps", type=int, default=UpscalerPlan.steps)
    options = parser.parse_args()
    if options.action == "prepare":
        prepare(options.folder, options.shards, options.characters)
    elif options.action == "train":
        paths = [p for p in options.folder.glob("shard_*.npy") if int(p.stem.split("_")[1]) < HELD_OUT_SHARD]
        pictures = np.concatenate([np.load(path) for path in sorted(paths)])
        plan = UpscalerPlan(steps=options.steps)
        UpscalerTraining(pictures, UpscalerConfig(), plan, options.folder).run(log_every=50, save_every=250)
    elif options.action == "measure":
        network = load_average(options.folder)
        held_out = np.concatenate([np.load(options.folder / f"shard_{HELD_OUT_SHARD + i}.npy") for i in range(2)])
        is_art = np.arange(len(held_out)) % SHARD >= SHARD - CHARACTERS_A_SHARD
        for name, rows in (("scenes", ~is_art), ("characters", is_art)):
            for spoilt in (False, True):
                figures = measure(network, held_out[rows], spoilt)
                print(json.dumps({"pictures": name, "spoilt": spoilt, **{k: round(v, 2) for k, v in figures.items()}}))
    else:
        print(export(options.folder, WEIGHTS_FOLDER))


if __name__ == "__main__":
    main()
