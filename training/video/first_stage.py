"""The first stage of the video model as the training of the second asks it: clips spoilt by it, clips drawn by it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.video.diffusion import add_noise, rescale, sample
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.weights_io import load_network


class FirstStage:
    """The first stage, with the newest weights of a file."""

    def __init__(self, path: Path, newer: Path, device: str) -> None:
        """Take the weights of `path` until those of `newer` are there."""
        self.path, self.newer, self.device, self.stamp = path, newer, device, 0.0
        self.load(path)

    def load(self, path: Path) -> None:
        """Load weights."""
        network = load_network(path, lambda values: UNet3D(UNet3DConfig.from_dict(values)), "the network")
        self.model = network.to(self.device).eval().requires_grad_(False)

    def refresh(self) -> bool:
        """Load the newer weights if they have changed; tell whether they have."""
        if not self.newer.is_file() or self.newer.stat().st_mtime == self.stamp:
            return False
        self.stamp = self.newer.stat().st_mtime
        self.load(self.newer)
        return True

    def fit(self, condition: Condition) -> Condition:
        """Leave out the attributes that this network does not have."""
        return Condition(condition.words, condition.said, condition.attributes[:, : len(self.model.config.attributes)])

    def redo(self, clean: Tensor, condition: Condition, seen: Tensor, steps: int, random: torch.Generator) -> Tensor:
        """Noise clips (B, 3, F, R, S) down to the times `seen` (B,), and denoise them again."""
        condition = self.fit(condition)
        noise = torch.randn(clean.shape, generator=random, device=clean.device)
        z, made = add_noise(clean, noise, seen), clean
        for step in range(steps):
            now, following = (1 - seen) * (1 - step / steps), (1 - seen) * (1 - (step + 1) / steps)
            made = self.model(z, 1 - now, condition).float().clamp(-1, 1)
            share = (following / now).view(-1, 1, 1, 1, 1)
            z = share * z + (1 - share) * made
        return made

    def draw(
        self, condition: Condition, shape: tuple[int, ...], steps: int, scale: float, random: torch.Generator
    ) -> Tensor:
        """Draw clips from noise alone, in so many steps at a scale of guidance."""
        condition = self.fit(condition)
        rows = shape[0]
        nothing = Condition(
            torch.zeros_like(condition.words), torch.zeros_like(condition.said), torch.zeros_like(condition.attributes)
        )
        both = Condition.cat([condition, nothing])

        def denoise(z: Tensor, t: float) -> Tensor:
            times = torch.full((2 * rows,), t, device=z.device)
            wanted, unwanted = self.model(torch.cat([z, z]), times, both).float().split(rows)
            guided = unwanted + scale * (wanted - unwanted)
            return rescale(guided, wanted, 0.5).clamp(-1, 1)

        noise = torch.randn(shape, generator=random, device=self.device)
        return list(sample(denoise, noise, steps))[-1]
