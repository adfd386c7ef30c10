"""Recipe of the video model: renders its own data, trains, resumes, shows samples, exports.

    python -m models.video.train run --folder .runs/video            # until stopped; resumes from its checkpoint
    python -m models.video.train sheet --folder .runs/video --out sheet.png
    python -m models.video.train export --folder .runs/video

Clips come from `models.video.scenes` and wait in a pool, a few new ones each step; captions are worded anew each time a
clip is drawn, and disturbed by `models.video.wording`. With `--characters FOLDER` a share of them are animated
characters (`models.video.characters`) on plain paper. At first most batches are many short pieces of clips, which teach
what words look like for a fraction of the work; their share falls to none. Words and attributes are left out at random,
so that classifier-free guidance works and each attribute may be said or not; sometimes the first frames are given, so
that the model can start from a picture and extend a clip. The learning rate falls over the last quarter of `--steps`.
On a GPU the passes run in bfloat16.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.training import follow, save_checkpoint
from models.video.characters import (
    PAPER,
    CharacterSpec,
    character_caption,
    on_background,
    random_character,
    render_character,
)
from models.video.diffusion import Guidance, predict, sample, training_loss
from models.video.generator import UNET_WEIGHTS
from models.video.scenes import SceneClip, caption, random_spec, render
from models.video.scenes.spec import CAMERAS, COLOURS, SPEEDS, SceneSpec
from models.video.text import WEIGHTS as TEXT_WEIGHTS
from models.video.text import TextTable, load_text_table
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.video.wording import Disturbance, LooseWording
from models.weights_io import save_safetensors

WEIGHTS_FOLDER = Path(__file__).parent.parent / "weights"
ATTRIBUTES = ("motion", "speed", "camera", "colour")
MOTION_LIMITS = (3.0, 8.0)  # mean change from frame to frame, of 255, that parts little, some and much motion
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


@dataclass(frozen=True)
class VideoPlan:
    """Numbers of the recipe."""

    batch: int = 12
    frames: int = 16
    size: int = 64
    short_batch: int = 40
    short_frames: int = 4
    short_share: float = 0.9
    short_until: int = 2000
    character_share: float = 0.15
    new_clips: int = 3
    first_clips: int = 120
    pool: int = 5000
    learning_rate: float = 1.5e-3
    warm_up: int = 100
    weight_decay: float = 0.01
    average: float = 0.998
    captions: int = 20_000  # in which the words of captions are looked up
    no_words: float = 0.12
    no_attribute: float = 0.5
    given_frames: float = 0.12
    calm_share: float = 0.25
    last_rate: float = 0.05
    save_every_s: float = 150.0
    seed: int = 1


def motion_of(frames: np.ndarray) -> int:
    """1 little, 2 some, 3 much motion; frames uint8 (F, R, S, 3)."""
    change = float(np.abs(np.diff(frames.astype(np.float32), axis=0)).mean()) if len(frames) > 1 else 0.0
    return 1 + sum(change > limit for limit in MOTION_LIMITS)


def attributes_of(clip: SceneClip) -> tuple[int, int, int, int]:
    """Numbers of the clip's attributes, from 1, in the order of ATTRIBUTES."""
    spec = clip.spec
    return (
        motion_of(clip.frames),
        1 + list(SPEEDS).index(spec.speed),
        1 + CAMERAS.index(spec.camera),
        1 + list(COLOURS).index(spec.colour),
    )


def rate_at(step: int, steps: int, plan: VideoPlan) -> float:
    """Learning rate: a warm-up, a plain, and a straight fall to `last_rate` of it over the last `calm_share`."""
    left = (steps - step) / max(1.0, plan.calm_share * steps)
    return plan.learning_rate * min(1.0, (step + 1) / plan.warm_up) * max(plan.last_rate, min(1.0, left))


@dataclass(frozen=True)
class PooledClip:
    """Frames uint8 (F, R, S, 3), what they show, and the numbers of their attributes, 0 where it has none."""

    frames: np.ndarray
    spec: SceneSpec | CharacterSpec
    attributes: tuple[int, ...]

    def caption(self, rng: np.random.Generator) -> str:
        """What a person might type for it."""
        if isinstance(self.spec, SceneSpec):
            return caption(self.spec, rng)
        return character_caption(self.spec, rng)


class ClipPool:
    """Rendered clips to draw from; new ones replace the oldest."""

    def __init__(
        self, plan: VideoPlan, table: TextTable, max_words: int, seed: int, characters: Path | None = None
    ) -> None:
        self.plan, self.table, self.max_words, self.characters = plan, table, max_words, characters
        self.rng = np.random.default_rng(seed)
        self.wording = LooseWording(table, self._captions(False), self._captions(True), Disturbance())
        self.clips: list[PooledClip] = []
        self.oldest = 0
        self.add(plan.first_clips)

    def add(self, count: int) -> None:
        """Render so many."""
        for _ in range(count):
            clip = self._render()
            if len(self.clips) < self.plan.pool:
                self.clips.append(clip)
            else:
                self.clips[self.oldest] = clip
                self.oldest = (self.oldest + 1) % self.plan.pool

    def _render(self) -> PooledClip:
        plan = self.plan
        if self.characters is not None and self.rng.random() < plan.character_share:
            spec = random_character(self.characters, self.rng)
            frames = on_background(render_character(spec, self.characters, plan.frames), PAPER)
            return PooledClip(frames, spec, (motion_of(frames), 0, 0, 0))
        clip = render(random_spec(self.rng), plan.frames, plan.size)
        return PooledClip(clip.frames, clip.spec, attributes_of(clip))

    def _captions(self, held_out: bool) -> list[str]:
        """Captions without pictures."""
        rng, count = np.random.default_rng(0), self.plan.captions
        texts = [caption(random_spec(rng), rng, held_out) for _ in range(count)]
        if self.characters is not None:
            specs = [random_character(self.characters, rng) for _ in range(count // 20)]
            texts += [character_caption(spec, rng, held_out) for spec in specs for _ in range(4)]
        return texts

    def draw(self, step: int) -> tuple[Tensor, Condition, Tensor]:
        """A batch: clips (B, 3, F, R, S) in [-1, 1], what is said of them, which frames are given (B, F)."""
        plan, rng = self.plan, self.rng
        short = rng.random() < plan.short_share * max(0.0, 1 - step / max(1, plan.short_until))
        batch, frames = (plan.short_batch, plan.short_frames) if short else (plan.batch, plan.frames)
        chosen = [self.clips[int(i)] for i in rng.integers(len(self.clips), size=batch)]
        starts = rng.integers(plan.frames - frames + 1, size=batch)
        pieces = [clip.frames[start : start + frames] for clip, start in zip(chosen, starts, strict=True)]
        pixels = torch.from_numpy(np.stack(pieces)).permute(0, 4, 1, 2, 3)
        texts = ["" if rng.random() < plan.no_words else clip.caption(rng) for clip in chosen]
        words, said = self.wording.embed(texts, self.max_words, rng)
        kept = (rng.random((batch, len(ATTRIBUTES))) > plan.no_attribute) & np.array([[bool(t)] for t in texts])
        attributes = torch.from_numpy(np.array([clip.attributes for clip in chosen]) * kept)
        known = torch.zeros(batch, frames, dtype=torch.bool)
        for row in np.flatnonzero(rng.random(batch) < plan.given_frames):
            known[row, : int(rng.choice([n for n in (1, 2, 4, 8) if n < frames]))] = True
        return pixels.float() / 127.5 - 1, Condition(words, said, attributes), known


def train(
    folder: Path, plan: VideoPlan, config: UNet3DConfig, steps: int, table: TextTable, characters: Path | None = None
) -> int:
    """Train from the folder's checkpoint, or anew, up to `steps`; returns the step that was reached."""
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    model = UNet3D(config).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=plan.weight_decay
    )
    average = {name: value.detach().clone().float() for name, value in model.state_dict().items()}
    step = 0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average, step = state["average"], state["step"]
    pool = ClipPool(plan, table, config.max_words, plan.seed + step, characters)
    random = torch.Generator().manual_seed(plan.seed + step)
    saved, smooth = time.monotonic(), 0.0
    while step < steps:
        started = time.monotonic()
        clean, condition, known = pool.draw(step)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps, plan)
        with torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext():
            loss = training_loss(model, clean.to(device), _to(condition, device), known.to(device), random)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        follow(average, model, step, plan.average)
        pool.add(plan.new_clips)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RuntimeError(f"the loss is {value} at step {step}; start again from the last checkpoint.")
        smooth = value if not smooth else 0.97 * smooth + 0.03 * value
        if step % 10 == 0:
            print(
                f"step {step} loss {smooth:.4f} {time.monotonic() - started:.1f} s, {len(pool.clips)} clips", flush=True
            )
        if time.monotonic() - saved > plan.save_every_s or step == steps:
            _save(checkpoint, model, optimiser, average, step, config)
            saved = time.monotonic()
    return step


def _to(condition: Condition, device: torch.device) -> Condition:
    return Condition(condition.words.to(device), condition.said.to(device), condition.attributes.to(device))


def _save(
    path: Path, model: UNet3D, optimiser: torch.optim.Optimizer, average: dict[str, Tensor], step: int,
    config: UNet3DConfig,
) -> None:  # fmt: skip
    state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step}
    save_checkpoint(path, {**state, "config": json.dumps(config.to_dict())})


def load_average(checkpoint: Path) -> tuple[UNet3D, int]:
    """The averaged model of a checkpoint, ready for sampling, and its step."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = UNet3D(UNet3DConfig.from_dict(json.loads(state["config"])))
    model.load_state_dict(state["average"])
    return model.eval().requires_grad_(False), state["step"]


def prompts_condition(table: TextTable, texts: list[str], config: UNet3DConfig) -> Condition:
    """Prompts without attributes."""
    words, said = table.embed(texts, config.max_words)
    return Condition(words, said, torch.zeros(len(texts), len(config.attributes), dtype=torch.long))


def sample_prompts(
    model: UNet3D, table: TextTable, texts: list[str], plan: VideoPlan, steps: int = 16, scale: float = 3.0
) -> Iterator[Tensor]:
    """Predicted clean clips (B, 3, F, R, S) after each step, one row a prompt."""
    shape = (len(texts), 3, plan.frames, plan.size, plan.size)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(plan.seed))
    wanted = prompts_condition(table, texts, model.config)
    unwanted = prompts_condition(table, [""] * len(texts), model.config)
    with torch.inference_mode():
        yield from sample(lambda z, t: predict(model, z, t, wanted, unwanted, Guidance(scale)), noise, steps)


def contact_sheet(clips: Tensor, columns: int = 6) -> np.ndarray:
    """(B, 3, F, R, S) in [-1, 1] to one picture uint8, a row a clip."""
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
    """Command line."""
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
        Image.fromarray(contact_sheet(clips)).save(options.out)
        print(f"{options.out}: step {step}")


if __name__ == "__main__":
    main()
