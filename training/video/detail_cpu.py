"""Recipe of the enlargement that draws detail, for one thread of a CPU: an hour instead of minutes on a GPU.

    python -m training.video.detail_cpu --judge vgg16.safetensors --photos FOLDER --characters FOLDER --minutes 45

The losses are those of `training.video.detail`, with the features of the first two blocks of the VGG-16 alone and small
crops. Clips are rendered, noised and denoised by the first stage one after the other while the training goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from models.style.vgg import Vgg, load_vgg
from models.video.detail import DetailConfig, DetailNetwork
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table
from models.video.unet3d import Condition, UNet3DConfig
from models.video.upscaler import SCALE, UPSCALER_WEIGHTS
from models.weights_io import load_safetensors, save_safetensors
from training.loop import update_average, weigh_update
from training.team import require_one_process
from training.video.clip_pool import ClipPool, VideoPlan
from training.video.detail import load_crops, to_unit
from training.video.detail_losses import (
    PatchDiscriminator,
    descend,
    measure_change,
    measure_hinge,
    measure_perceptual,
    measure_sharpness,
    weigh_adversary,
)
from training.video.first_stage import FirstStage
from training.video.train import WEIGHTS_FOLDER

SHALLOW = 3  # convolutions of the VGG-16 that are asked: as far as the first one of the second block


def make_shallow(vgg: Vgg) -> Vgg:
    """Leave the first convolutions of a VGG alone."""
    for number in list(vgg.features)[SHALLOW:]:
        del vgg.features[number]
    return vgg.eval().requires_grad_(False)


class ClipBank:
    """Frames as the first stage makes them, beside what it should have made; more of them all the time.

    Attributes:
        small, large: uint8 (N, 2 * PAIRS, 3, S, S), pairs of frames that follow each other.
        sampled: uint8 (M, 3, S, S), frames of clips that were drawn from noise.
    """

    PAIRS = 3

    def __init__(self, pool: ClipPool, stage: FirstStage, most: int) -> None:
        self.pool, self.stage, self.most = pool, stage, most
        self.random = torch.Generator().manual_seed(5)
        self.small: list[Tensor] = []
        self.large: list[Tensor] = []
        self.sampled: list[Tensor] = []

    def render(self) -> tuple[Tensor, Condition]:
        """Render a clip (1, 3, F, 256, 256) in [-1, 1] and what is said of it."""
        clip = self.pool.render()
        words, said = self.pool.table.embed([clip.write_caption(self.pool.rng)], self.pool.max_words)
        frames = torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        return frames, Condition(words, said, torch.tensor([clip.attributes]))

    @torch.inference_mode()
    def add(self, seen: tuple[float, float]) -> None:
        """Add a clip, denoised from a time between two."""
        clean, condition = self.render()
        small = F.avg_pool3d(clean, (1, SCALE, SCALE))
        at = seen[0] + (seen[1] - seen[0]) * torch.rand(1, generator=self.random)
        made = self.stage.redo(
            small, condition, at, 1 + int(torch.randint(2, (1,), generator=self.random)), self.random
        )
        firsts = torch.randint(clean.shape[2] - 1, (self.PAIRS,), generator=self.random)
        places = torch.stack([firsts, firsts + 1], dim=1).flatten()
        for rows, values in ((self.small, made), (self.large, clean)):
            rows.append((to_unit(values[0, :, places]).transpose(0, 1) * 255).byte())
        if len(self.small) > self.most:
            del self.small[0], self.large[0]

    @torch.inference_mode()
    def add_sampled(self, steps: int, scale: float) -> None:
        """Add every third frame of a clip that the first stage draws from noise."""
        clean, condition = self.render()
        shape = (1, 3, clean.shape[2], clean.shape[3] // SCALE, clean.shape[4] // SCALE)
        made = self.stage.draw(condition, shape, steps, scale, self.random)[0].transpose(0, 1)
        self.sampled += list((to_unit(made[::3]) * 255).byte())

    def draw(self, clips: int, sampled: int, crop: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw pairs of small crops (2 * clips, ...), their targets, and small crops without."""
        low = crop // SCALE

        def draw_below(bound: int) -> int:
            return int(torch.randint(bound, (1,), generator=self.random))

        smalls, larges, free = [], [], []
        for _ in range(clips):
            number, first = draw_below(len(self.small)), 2 * draw_below(self.PAIRS)
            small, large = self.small[number][first : first + 2], self.large[number][first : first + 2]
            top, left = draw_below(small.shape[2] - low + 1), draw_below(small.shape[3] - low + 1)
            smalls.append(small[:, :, top : top + low, left : left + low])
            larges.append(large[:, :, top * SCALE : top * SCALE + crop, left * SCALE : left * SCALE + crop])
        for _ in range(sampled):
            frame = self.sampled[draw_below(len(self.sampled))]
            top, left = draw_below(frame.shape[1] - low + 1), draw_below(frame.shape[2] - low + 1)
            free.append(frame[:, top : top + low, left : left + low])
        made = torch.cat(smalls).float() / 255, torch.cat(larges).float() / 255, torch.stack(free).float() / 255
        if draw_below(2):
            return made[0].flip(3), made[1].flip(3), made[2].flip(3)
        return made


class CpuTraining:
    """The network, the discriminator and their clips, in one thread."""

    def __init__(self, bank: ClipBank, vgg: Vgg, photos: Tensor, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        self.bank, self.vgg, self.photos, self.options = bank, vgg, photos, options
        self.network, self.judge = DetailNetwork(DetailConfig()), PatchDiscriminator(48)
        if options.start is not None:
            self.network.load_state_dict(load_safetensors(options.start))
        self.optimizers = (
            torch.optim.Adam(self.network.parameters(), options.learning_rate, (0.9, 0.99)),
            torch.optim.Adam(self.judge.parameters(), 3e-4, (0.5, 0.99)),
        )
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.step = 0

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a batch, one crop of a photograph after the pairs."""
        options = self.options
        small, large, free = self.bank.draw(options.clips, options.sampled, options.crop)
        number, *place = (
            int(torch.randint(bound, (1,), generator=self.bank.random))
            for bound in (len(self.photos), *(side - options.crop + 1 for side in self.photos.shape[2:]))
        )
        photo = self.photos[number, :, place[0] : place[0] + options.crop, place[1] : place[1] + options.crop][None]
        photo = photo.float() / 255
        return torch.cat([small, F.avg_pool2d(photo, SCALE)]), torch.cat([large, photo]), free

    def train_step(self, share: float) -> dict[str, float]:
        """Take a step when `share` of the time is over; return the figures."""
        options = self.options
        rate = options.learning_rate * min(1.0, (1 - share) / 0.3, (self.step + 1) / 30) + 1e-6
        self.optimizers[0].param_groups[0]["lr"] = rate
        small, large, free = self.draw()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.half):
            both = self.network(torch.cat([small, free])).float()
            made, alone = both[: len(small)], both[len(small) :]
            pairs = 2 * options.clips
            loss = (made - large).abs().mean() + measure_change(made[:pairs], large[:pairs])
            loss = loss + 2 * (F.avg_pool2d(alone, SCALE) - free).abs().mean()
            rows = torch.randperm(len(small))[:4]
            likeness = measure_perceptual(self.vgg, made[rows].clamp(0, 1), large[rows])
            loss = loss + options.perceptual * likeness
            figures = {"loss": float(loss.detach()), "likeness": float(likeness.detach())}
            if share >= options.plain:
                fooled = -self.judge(both).float().mean()
                weight = options.adversarial * weigh_adversary(loss, fooled, self.network.leave.weight)
                loss = loss + min(1.0, (share - options.plain) / 0.05) * weight * fooled
                figures["weight"] = float(weight)
        descend(self.optimizers[0], loss)
        if share >= 0.7 * options.plain:
            with torch.autocast("cpu", torch.bfloat16, enabled=options.half):
                told = measure_hinge(self.judge, large, both.detach())
            descend(self.optimizers[1], told)
            figures["judge"] = float(told.detach())
        self.step += 1
        update_average(self.average, self.network, weigh_update(self.step, 0.995))
        figures["sharpness"] = float(measure_sharpness(made.detach()).mean() / measure_sharpness(large).mean())
        figures["sharpness_sampled"] = float(measure_sharpness(alone.detach()).mean())
        return figures

    def save(self, folder: Path) -> None:
        """Write the averaged weights, whole or not at all."""
        told = {"config": json.dumps(self.network.config.to_dict()), "steps": str(self.step)}
        save_safetensors(folder / UPSCALER_WEIGHTS, self.average, told)


def train(training: CpuTraining, until_s: float, folder: Path) -> None:
    """Train until a time of the monotonic clock, with weights every two minutes."""
    began = saved = time.monotonic()
    options = training.options
    while (now := time.monotonic()) < until_s:
        figures: dict[str, Any] = training.train_step((now - began) / (until_s - began))
        if training.step % options.new_every == 0:
            training.bank.add(options.seen)
        if training.step % (6 * options.new_every) == 0:
            training.bank.add_sampled(8, 1.5)
        if training.step % 10 == 0:
            line = {"step": training.step, "s": round(now - began, 1), "clips": len(training.bank.small)}
            print(json.dumps(line | {name: round(value, 4) for name, value in figures.items()}), flush=True)
        if now - saved > 120:
            saved = now
            training.save(folder)
    training.save(folder)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unet", type=Path, default=WEIGHTS_FOLDER / "video_unet3d.safetensors", help="first stage")
    parser.add_argument("--text", type=Path, default=WEIGHTS_FOLDER / TEXT_WEIGHTS)
    parser.add_argument("--judge", type=Path, required=True, help="VGG-16 of training.style_picture.judge")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--characters", type=Path)
    parser.add_argument("--out", type=Path, default=Path(".runs/detail_cpu"))
    parser.add_argument("--minutes", type=float, default=45.0, help="the first clips among them")
    parser.add_argument("--first", type=int, default=60, help="clips that are there when the training begins")
    parser.add_argument("--first-sampled", type=int, default=8)
    parser.add_argument("--most", type=int, default=500, help="clips that are kept")
    parser.add_argument("--new-every", type=int, default=6, help="steps from one new clip to the next")
    parser.add_argument("--seen", type=float, nargs=2, default=(0.15, 0.9), help="times that clips are denoised from")
    parser.add_argument("--clips", type=int, default=4, help="pairs of crops in a step")
    parser.add_argument("--sampled", type=int, default=4)
    parser.add_argument("--crop", type=int, default=96)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--perceptual", type=float, default=1.0)
    parser.add_argument("--adversarial", type=float, default=0.6)
    parser.add_argument("--plain", type=float, default=0.15, help="share of the time without a discriminator")
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--character-share", type=float, default=0.12)
    parser.add_argument("--half", action="store_true", help="compute in bfloat16")
    options = parser.parse_args()
    began = time.monotonic()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    table = load_text_table(options.text)
    plan = replace(VideoPlan(), size=SCALE * VideoPlan().size, first_clips=0, character_share=options.character_share)
    pool = ClipPool(plan, table, UNet3DConfig().max_words, 1, options.characters)
    bank = ClipBank(pool, FirstStage(options.unet, Path("no such file"), "cpu"), options.most)
    for _ in range(options.first):
        bank.add(options.seen)
    for _ in range(options.first_sampled):
        bank.add_sampled(8, 1.5)
    print(f"{len(bank.small)} clips after {time.monotonic() - began:.0f} s", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    training = CpuTraining(
        bank, make_shallow(load_vgg(options.judge, "vgg16")), load_crops(options.photos, 160, 900), options
    )
    train(training, began + 60 * options.minutes, options.out)


if __name__ == "__main__":
    require_one_process()
    main()
