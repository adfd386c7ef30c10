"""Recipe of the enlargement that draws detail, on a GPU beside the training of the first stage.

    python -m training.video.detail --judge vgg16.safetensors --things FOLDER --photos FOLDER --characters FOLDER

Processes render clips at 256 pixels. Their 64-pixel versions are noised and denoised again by the first stage, so that
the network sees that stage's faults beside what it should have drawn. The loss is that of Ledig et al. 2017 with the
adaptive weight of Esser et al. 2021, section 3.1: absolute error, features of a VGG-16, a discriminator of patches; the
change from frame to frame counts too, against flicker. Clips that the first stage made from noise alone have no target:
there the discriminator judges, and the mean over 4 x 4 pixels must be what was enlarged. A light network for live
streams learns to do as the large one does. Both are written now and then.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from models.style.vgg import Vgg, load_vgg
from models.video.detail import DetailConfig, DetailNetwork
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table
from models.video.unet3d import UNet3DConfig
from models.video.upscaler import LIGHT_WEIGHTS, SCALE, UPSCALER_WEIGHTS, UpscalerConfig, UpscalerNetwork
from models.weights_io import save_safetensors
from training.loop import update_average, weigh_update
from training.team import require_one_process
from training.video.clip_pool import VideoPlan
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
from training.video.gpu_training import ClipStore
from training.video.photos import list_photos, load_photo
from training.video.train import WEIGHTS_FOLDER

Network = DetailNetwork | UpscalerNetwork


@dataclass(frozen=True)
class DetailPlan:
    """Numbers of the recipe; crops are in pixels of the large picture.

    Attributes:
        bank, clips: clips that are denoised together, and those of a step, of each of which two pairs of frames serve.
        photos, sampled: crops of photographs and of clips made from noise in a step.
        most_seen: greatest time, of 1, from which clips are denoised; least_seen the smallest.
        plain_share: share of the time without a discriminator.
        temporal, perceptual, consistent, adversarial: weights of the losses, the last a share of the others' gradient.
    """

    bank: int = 48
    clips: int = 16
    photos: int = 16
    sampled: int = 24
    crop: int = 128
    sample_steps: int = 10
    sample_guidance: float = 1.5
    least_seen: float = 0.2
    most_seen: float = 0.95
    untouched: float = 0.12
    plain_share: float = 0.2
    calm: float = 0.3
    learning_rate: float = 6e-4
    judge_rate: float = 4e-4
    perceptual: float = 1.0
    temporal: float = 1.0
    consistent: float = 2.0
    adversarial: float = 0.6
    average: float = 0.998
    log_every_s: float = 5.0
    save_every_s: float = 40.0


def to_unit(clips: Tensor) -> Tensor:
    """Bring [-1, 1] to [0, 1], as whole numbers of 255 give it."""
    return ((clips.clamp(-1, 1) + 1) * 127.5).round() / 255


def load_crops(folder: Path, side: int, most: int) -> Tensor:
    """Load the middles of photographs, uint8 (N, 3, side, side)."""
    found = []
    for path in list_photos(folder)[:most]:
        picture = load_photo(path)
        rows, columns = picture.shape[:2]
        if min(rows, columns) >= side:
            top, left = (rows - side) // 2, (columns - side) // 2
            found.append(torch.from_numpy(picture[top : top + side, left : left + side].copy()).permute(2, 0, 1))
    return torch.stack(found)


class DetailTraining:
    """Both networks, the discriminator, and the clips they learn from."""

    def __init__(
        self, store: ClipStore, stage: FirstStage, vgg: Vgg, photos: Tensor, plan: DetailPlan, out: Path,
        networks: tuple[Network, Network],
    ) -> None:  # fmt: skip
        self.store, self.stage, self.plan, self.out, self.device = store, stage, plan, out, store.device
        self.random = torch.Generator(self.device).manual_seed(3)
        self.vgg = vgg.to(self.device).eval().requires_grad_(False)
        self.photos = photos.to(self.device)
        self.fine, self.light = (each.to(self.device) for each in networks)
        self.judge = PatchDiscriminator().to(self.device)
        self.optimizers = [
            torch.optim.Adam(self.fine.parameters(), plan.learning_rate, (0.9, 0.99)),
            torch.optim.Adam(self.light.parameters(), plan.learning_rate, (0.9, 0.99)),
            torch.optim.Adam(self.judge.parameters(), plan.judge_rate, (0.5, 0.99)),
        ]
        self.averages = [
            {name: value.detach().clone() for name, value in each.state_dict().items()}
            for each in (self.fine, self.light)
        ]
        self.step, self.kept = 0, 0
        self.small = self.large = self.sampled = torch.zeros(0, device=self.device)

    @contextmanager
    def half(self) -> Iterator[None]:
        """Compute in bfloat16 on a GPU."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            yield

    def draw_whole(self, *shape: int, below: int) -> Tensor:
        """Draw whole numbers from 0 below a bound."""
        return torch.randint(below, shape, generator=self.random, device=self.device)

    @torch.no_grad()
    def refill(self) -> None:
        """Denoise other clips, and now and then draw some from noise."""
        plan = self.plan
        clean, condition, _ = self.store.draw(plan.bank)
        batch = len(clean)
        small = F.avg_pool3d(clean, (1, SCALE, SCALE))
        seen = torch.rand(batch, generator=self.random, device=self.device)
        seen = plan.least_seen + (plan.most_seen - plan.least_seen) * seen
        with self.half():
            made = self.stage.redo(small, condition, seen, 1 + int(self.draw_whole(below=3)), self.random)
            if self.stage.refresh() or not len(self.sampled):
                drawn = self.stage.draw(
                    condition, tuple(small.shape), plan.sample_steps, plan.sample_guidance, self.random
                )
                self.sampled = to_unit(drawn).transpose(1, 2).flatten(0, 1)
        kept = torch.rand(batch, generator=self.random, device=self.device) < plan.untouched
        made = torch.where(kept.view(-1, 1, 1, 1, 1), small, made)
        self.small, self.large = to_unit(made).transpose(1, 2), to_unit(clean).transpose(1, 2)
        self.kept = batch // plan.clips

    def crop(self, small: Tensor, large: Tensor | None, side: int) -> tuple[Tensor, Tensor]:
        """Cut the same place out of small frames (B, 3, r, s) and, if given, of large ones."""
        low = side // SCALE
        top, left = (int(self.draw_whole(below=small.shape[axis] - low + 1)) for axis in (2, 3))
        cut = small[:, :, top : top + low, left : left + low]
        if large is None:
            return cut, cut
        top, left = top * SCALE, left * SCALE
        return cut, large[:, :, top : top + side, left : left + side]

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Draw small crops, their targets (pairs of frames that follow each other first), and crops without target."""
        plan = self.plan
        if not self.kept:
            self.refill()
        self.kept -= 1
        smalls, larges = [], []
        frames = self.small.shape[1]
        for clip in self.draw_whole(plan.clips, below=len(self.small)).tolist():
            for first in self.draw_whole(2, below=frames - 1).tolist():
                pair = self.crop(self.small[clip, first : first + 2], self.large[clip, first : first + 2], plan.crop)
                smalls.append(pair[0])
                larges.append(pair[1])
        chosen = self.photos[self.draw_whole(plan.photos, below=len(self.photos))].float() / 255
        top, left = (int(self.draw_whole(below=chosen.shape[2] - plan.crop + 1)) for _ in range(2))
        photos = chosen[:, :, top : top + plan.crop, left : left + plan.crop]
        spoilt = F.avg_pool2d(photos, SCALE)
        strength = 0.02 * torch.rand(len(spoilt), 1, 1, 1, generator=self.random, device=self.device)
        spoilt = spoilt + strength * torch.randn(spoilt.shape, generator=self.random, device=self.device)
        small = torch.cat([*smalls, spoilt.clamp(0, 1)])
        rows = self.draw_whole(plan.sampled, below=len(self.sampled))
        free = self.crop(self.sampled[rows], None, plan.crop)[0]
        large = torch.cat([*larges, photos])
        if self.draw_whole(below=2):
            small, large, free = small.flip(3), large.flip(3), free.flip(3)
        return small, large, free

    def train_step(self, share: float) -> dict[str, Tensor]:
        """Take a step when `share` of the time is over; return the figures."""
        plan = self.plan
        falling = min(1.0, (1 - share) / plan.calm, (self.step + 1) / 100)
        rates = plan.learning_rate, plan.learning_rate, plan.judge_rate
        for optimizer, rate in zip(self.optimizers, rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * max(falling, 1e-3)
        small, large, free = self.draw()
        with self.half():
            made = self.fine(torch.cat([small, free])).float()
            made, alone = made[: len(small)], made[len(small) :]
            pairs = 4 * plan.clips
            error = (made - large).abs().mean() + plan.temporal * measure_change(made[:pairs], large[:pairs])
            error = error + plan.consistent * (F.avg_pool2d(alone, SCALE) - free).abs().mean()
            likeness = measure_perceptual(self.vgg, made.clamp(0, 1), large)
            loss = error + plan.perceptual * likeness
            figures = {"error": error.detach(), "likeness": likeness.detach()}
            if share >= plan.plain_share:
                both = torch.cat([made, alone])
                fooled = -self.judge(both).float().mean()
                weight = plan.adversarial * weigh_adversary(loss, fooled, self.fine.leave.weight)
                ramp = min(1.0, (share - plan.plain_share) / 0.08)
                loss = loss + ramp * weight * fooled
                figures["weight"] = weight
        descend(self.optimizers[0], loss)
        if share >= plan.plain_share * 0.7:
            figures["judge"] = self.train_judge(large, torch.cat([made, alone]).detach())
        self.train_light(small, made.detach())
        self.step += 1
        for average, network in zip(self.averages, (self.fine, self.light), strict=True):
            update_average(average, network, weigh_update(self.step, plan.average))
        ratio = measure_sharpness(made[:pairs].detach()).median() / measure_sharpness(large[:pairs]).median()
        return figures | {"sharpness": ratio, "sharpness_sampled": measure_sharpness(alone.detach()).median()}

    def train_judge(self, real: Tensor, made: Tensor) -> Tensor:
        """Teach the discriminator."""
        with self.half():
            loss = measure_hinge(self.judge, real, made)
        descend(self.optimizers[2], loss)
        return loss.detach()

    def train_light(self, small: Tensor, aim: Tensor) -> None:
        """Teach the light network what the large one makes."""
        rows = torch.randperm(len(small), generator=self.random, device=self.device)[:32]
        with self.half():
            made = self.light(small[rows]).float()
            loss = (made - aim[rows]).abs().mean()
            loss = loss + self.plan.perceptual * measure_perceptual(self.vgg, made.clamp(0, 1), aim[rows].clamp(0, 1))
        descend(self.optimizers[1], loss)

    def save(self) -> None:
        """Write both networks, each whole or not at all."""
        for name, network, average in zip(
            (UPSCALER_WEIGHTS, LIGHT_WEIGHTS), (self.fine, self.light), self.averages, strict=True
        ):
            told = {"config": json.dumps(network.config.to_dict()), "steps": str(self.step)}
            save_safetensors(self.out / name, average, told)


def train(training: DetailTraining, until_s: float) -> int:
    """Train until a time of the monotonic clock; return the number of steps."""
    began = time.monotonic()
    logged = saved = began
    with (training.out / "detail.jsonl").open("a", encoding="utf-8") as log:
        while (now := time.monotonic()) < until_s:
            training.store.collect()
            figures = training.train_step((now - began) / (until_s - began))
            if now - logged > training.plan.log_every_s or training.step == 1:
                logged = now
                line: dict[str, Any] = {"step": training.step, "s": round(now - began, 1), "clips": training.store.seen}
                line |= {name: round(float(value), 4) for name, value in figures.items()}
                print(json.dumps(line), file=log, flush=True)
            if now - saved > training.plan.save_every_s:
                saved = now
                training.save()
    training.save()
    return training.step


def main() -> None:
    """Run the command line."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unet", type=Path, default=WEIGHTS_FOLDER / "video_unet3d.safetensors", help="first stage")
    parser.add_argument("--newer", type=Path, default=Path("no such file"), help="of the same, once it is there")
    parser.add_argument("--text", type=Path, default=WEIGHTS_FOLDER / TEXT_WEIGHTS)
    parser.add_argument("--judge", type=Path, required=True, help="VGG-16 of training.style_picture.judge")
    parser.add_argument("--things", type=Path)
    parser.add_argument("--characters", type=Path)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(".runs/detail"))
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--begin", type=float, default=0.0, help="seconds of rendering before the training begins")
    parser.add_argument("--capacity", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=7)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small batches, for a try on a CPU")
    options = parser.parse_args()
    plan = DetailPlan()
    if options.tiny:
        plan = replace(plan, bank=2, clips=1, photos=2, sampled=2, sample_steps=2, crop=64)
    table = load_text_table(options.text)
    clips = replace(VideoPlan(), size=SCALE * VideoPlan().size, seed=1000, thing_share=0.5)
    options.out.mkdir(parents=True, exist_ok=True)
    store = ClipStore(
        clips, table, UNet3DConfig().max_words, options.characters, options.capacity, options.workers, options.device,
        3, options.things,
    )  # fmt: skip
    try:
        torch.backends.cudnn.benchmark = True
        stage = FirstStage(options.unet, options.newer, options.device)
        networks = DetailNetwork(DetailConfig()), UpscalerNetwork(UpscalerConfig(softens=False))
        photos = load_crops(options.photos, 160, 20 if options.tiny else 3000)
        training = DetailTraining(store, stage, load_vgg(options.judge, "vgg16"), photos, plan, options.out, networks)
        while store.count < (8 if options.tiny else 96):
            store.collect(wait=True)
        while time.monotonic() < began + options.begin:
            store.collect()
            time.sleep(0.2)
        steps = train(training, began + options.seconds - 4)
    finally:
        store.close()
    print(json.dumps({"steps": steps, "clips": store.seen}))


if __name__ == "__main__":
    require_one_process()
    main()
