"""Recipe of the video model: rendered data, training that resumes, samples, export.

    python -m training.video.train run --folder .runs/video            # until stopped; resumes from its checkpoint
    python -m training.video.train sheet --folder .runs/video --out sheet.png
    python -m training.video.train export --folder .runs/video

Clips come from `models.video.scenes` and wait in a pool, a few new ones each step; captions are worded anew each time
a clip is drawn, and disturbed by `training.video.caption_augmentation`. With `--characters FOLDER` a share of them are
animated characters (`training.video.characters`) on plain paper. At first most batches are many short pieces of clips,
which teach what words look like for a fraction of the work; their share falls to none. Words and attributes are left
out at random, so that classifier-free guidance works and each attribute may be said or not; sometimes the first frames
are given, so that the model can start from a picture and extend a clip. The learning rate falls over the last quarter
of `--steps`. This is the recipe for a CPU; `training.video.gpu_training` goes through the same data many times as
fast.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.video.diffusion import Guidance, compute_loss, predict, sample
from models.video.generator import UNET_WEIGHTS
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.weights_io import save_safetensors
from training.loop import TrainingLoop, weigh_update
from training.video.clip_pool import ClipPool, VideoPlan

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "models" / "weights"
SHEET_PROMPTS = (
    "a red ball bouncing to the right",
    "blue ocean waves at sunset",
    "a green aurora",
    "an orange campfire at night",
    "a purple galaxy turning clockwise",
    "yellow flowers in the wind by day",
    "a red hot-air balloon rising",
    "pink fireworks over the city",
    "a woman with pink hair in a blue shirt walks left",
    "a man with black hair in a red shirt casts a spell towards us",
)


def compute_rate(step: int, steps: int, plan: VideoPlan) -> float:
    """Compute the learning rate: a warm-up, a plain, and a straight fall to `last_rate` of it at the end."""
    left = (steps - step) / max(1.0, plan.calm_share * steps)
    return plan.learning_rate * min(1.0, (step + 1) / plan.warm_up) * max(plan.last_rate, min(1.0, left))


class VideoTraining(TrainingLoop[UNet3D]):
    """Training of the video model up to `steps`, from the folder's checkpoint or anew."""

    def __init__(
        self, folder: Path, plan: VideoPlan, config: UNet3DConfig, steps: int, table: TextTable, characters: Path | None
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.steps = plan, steps
        model = UNet3D(config)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=plan.weight_decay
        )
        super().__init__(model, config, optimizer, folder / "checkpoint.pt")
        self.pool = ClipPool(plan, table, config.max_words, self.seed_draws(plan.seed), characters)
        self.random = torch.Generator().manual_seed(self.seed_draws(plan.seed))

    def measure_progress(self) -> float:
        """Return the share of the steps that is done."""
        return self.step / self.steps

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate of `compute_rate`."""
        return (compute_rate(self.step, self.steps, self.plan),)

    def weigh_average(self) -> float:
        """Return the weight of the newest state, whose limit the plan gives."""
        return weigh_update(self.step, self.plan.average)

    def train_step(self) -> dict[str, float]:
        """Do one step and render new clips; return the loss and the number of clips in the pool."""
        clean, condition, known = self.pool.draw(self.step)
        loss = compute_loss(self.model, clean, condition, known, self.random)
        self.descend(loss, 1.0)
        self.pool.add(self.plan.new_clips)
        return {"loss": float(loss.detach()), "clips": len(self.pool.clips)}


def train(
    folder: Path, plan: VideoPlan, config: UNet3DConfig, steps: int, table: TextTable, characters: Path | None = None
) -> int:
    """Train from the folder's checkpoint, or anew, up to `steps`; return the step that was reached."""
    training = VideoTraining(folder, plan, config, steps, table, characters)
    training.run(log_every=10, save_every_s=plan.save_every_s)
    return training.step


def load_average(checkpoint: Path) -> tuple[UNet3D, int]:
    """Load the averaged model of a checkpoint, ready for sampling, and its step."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = UNet3D(UNet3DConfig.from_dict(state["config"]))
    model.load_state_dict(state["average"])
    return model.eval().requires_grad_(False), state["step"]


def embed_prompts(table: TextTable, texts: list[str], config: UNet3DConfig) -> Condition:
    """Make a condition of prompts without attributes."""
    words, said = table.embed(texts, config.max_words)
    return Condition(words, said, torch.zeros(len(texts), len(config.attributes), dtype=torch.long))


def sample_prompts(
    model: UNet3D, table: TextTable, texts: list[str], plan: VideoPlan, steps: int = 16, scale: float = 3.0
) -> Iterator[Tensor]:
    """Yield predicted clean clips (B, 3, F, R, S) after each step, one row a prompt."""
    shape = (len(texts), 3, plan.frames, plan.size, plan.size)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(plan.seed))
    wanted = embed_prompts(table, texts, model.config)
    unwanted = embed_prompts(table, [""] * len(texts), model.config)
    with torch.inference_mode():
        yield from sample(lambda z, t: predict(model, z, t, wanted, unwanted, Guidance(scale)), noise, steps)


def draw_contact_sheet(clips: Tensor, columns: int = 6) -> np.ndarray:
    """Draw (B, 3, F, R, S) in [-1, 1] as one picture uint8, a row a clip."""
    frames = np.linspace(0, clips.shape[2] - 1, columns).round().astype(int)
    pixels = ((clips.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1).numpy()
    return np.concatenate([np.concatenate(list(clip[frames]), axis=1) for clip in pixels])


def export(checkpoint: Path, folder: Path) -> Path:
    """Write the averaged weights as the studio ships them."""
    model, step = load_average(checkpoint)
    path = folder / UNET_WEIGHTS
    metadata = {"config": json.dumps(model.config.to_dict()), "steps": str(step)}
    save_safetensors(path, model.state_dict(), metadata)
    return path


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "sheet", "export"))
    parser.add_argument("--folder", type=Path, default=Path(".runs/video"))
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"), help="picture of `sheet`")
    parser.add_argument("--text", type=Path, default=WEIGHTS_FOLDER / TEXT_WEIGHTS, help="table of distil_text")
    parser.add_argument("--characters", type=Path, help="folder of the Liberated Pixel Cup sheets")
    for name in fields(VideoPlan):
        parser.add_argument(f"--{name.name.replace('_', '-')}", type=type(name.default), default=name.default)
    options = parser.parse_args()
    plan = VideoPlan(**{name.name: getattr(options, name.name) for name in fields(VideoPlan)})
    if options.action == "run":
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
        torch.set_flush_denormal(True)
        table = load_text_table(options.text)
        train(options.folder, plan, UNet3DConfig(text_width=table.width), options.steps, table, options.characters)
    elif options.action == "export":
        print(export(options.folder / "checkpoint.pt", WEIGHTS_FOLDER))
    else:
        from PIL import Image

        model, step = load_average(options.folder / "checkpoint.pt")
        clips = list(sample_prompts(model, load_text_table(options.text), list(SHEET_PROMPTS), plan))[-1]
        Image.fromarray(draw_contact_sheet(clips)).save(options.out)
        print(f"{options.out}: step {step}")


if __name__ == "__main__":
    main()
