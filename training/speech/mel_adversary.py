"""Discriminators of mel frames, for acoustic models that would else draw the mean of what could be.

After Wu and Luan 2020, "Adversarially Trained Multi-Singer Sequence-To-Sequence Singing Synthesizer" (multi-window).
What they say is weighted so that its gradient at the mel frames is a fixed share of the distance's.

Letters: B batch, T frames, M mel bands.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WINDOWS = (32, 64, 128)  # frames that the discriminators see
ADVERSARIAL_SHARE = 0.5  # of the discriminators' gradient at the mel frames, to that of the distance
LEAD = 0.1  # progress for which the discriminators watch before they are heard, and until they are heard wholly


class MelDiscriminator(nn.Module):
    """A judge of windows of mel frames: strided 2-D convolutions, a score for each patch."""

    def __init__(self, channels: int = 48) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        widths = [1, channels, 2 * channels, 2 * channels, 2 * channels]
        self.layers = nn.ModuleList(
            norm(nn.Conv2d(a, b, (3, 5), stride=(2, 2), padding=(1, 2))) for a, b in itertools.pairwise(widths)
        )
        self.output = norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, mel: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the scores of mel (B, T, M), and the features of each layer."""
        x, features = mel[:, None], []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return torch.as_tensor(self.output(x)), features


def take_windows(mel: Tensor, starts: Tensor, size: int) -> Tensor:
    """Cut a window (B, size, M) out of each of mel (B, T, M), from `starts` (B,) on."""
    at = (starts[:, None] + torch.arange(size, device=mel.device)).clamp_max(mel.shape[1] - 1)
    return mel.gather(1, at[..., None].expand(-1, -1, mel.shape[2]))


class MelAdversary:
    """The discriminators, one for each length of window, with their optimizer.

    Args:
        device: where they work.
        joins_at: the progress at which they join in, after they have watched for a while; above 1 they never do.
    """

    RATE = 4e-4

    def __init__(self, device: torch.device, joins_at: float) -> None:
        self.joins_at = joins_at
        self.judges = nn.ModuleList(MelDiscriminator() for _ in WINDOWS).to(device)
        fused = device.type == "cuda"
        self.optimizer = torch.optim.AdamW(self.judges.parameters(), self.RATE, (0.5, 0.9), fused=fused)

    def send_back(
        self, mel: Tensor, distance: Tensor, others: Tensor, true: Tensor, frames: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Send the gradients of two losses back; the discriminators learn, if it is time, and add theirs.

        Args:
            mel: (B, T, M), the frames that a network made; distance: their loss; others: all other losses.
            true: (B, T, M), the frames that were wanted; frames: (B,) lengths.

        Returns:
            what to report of the discriminators.
        """
        pull = torch.autograd.grad(distance, mel, retain_graph=True)[0]
        made, report = mel.detach(), dict[str, Tensor]()
        if progress > self.joins_at - LEAD:
            report["judges"] = self.train(*cut_windows(made, true, frames), progress)
        if progress > self.joins_at:
            share = ADVERSARIAL_SHARE * min(1.0, (progress - self.joins_at) / LEAD)
            fooled, matched, push = self.compute_push(made.requires_grad_(), true, frames)
            pull = pull + share * push * (pull.norm() / push.norm().clamp_min(1e-12))
            report |= {"fooled": fooled, "features": matched}
        torch.autograd.backward([mel, others], [pull, torch.ones_like(others)])
        return report

    def train(self, made: list[Tensor], real: list[Tensor], progress: float) -> Tensor:
        """Train the discriminators by least squares (Mao et al. 2017); return their mean loss."""
        loss = real[0].new_zeros(())
        with torch.autocast(real[0].device.type, torch.bfloat16):
            for judge, true, false in zip(self.judges, real, made, strict=True):
                scores = judge(torch.cat([true, false]))[0].float().chunk(2)
                loss = loss + ((1 - scores[0]) ** 2).mean() + (scores[1] ** 2).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self.RATE * min(1.0, 2.0 * (1.0 - progress) + 0.05)
        self.optimizer.step()
        return loss.detach() / len(WINDOWS)

    def compute_push(self, mel: Tensor, true: Tensor, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return how well the discriminators are fooled, how far features lie apart, and their gradient at mel."""
        fooled, matched = mel.new_zeros(()), mel.new_zeros(())
        self.judges.requires_grad_(False)
        made, real = cut_windows(mel, true, frames)
        with torch.autocast(mel.device.type, torch.bfloat16):
            for judge, wanted_mel, false in zip(self.judges, real, made, strict=True):
                scores, features = judge(false)
                with torch.no_grad():
                    wanted = judge(wanted_mel)[1]
                fooled = fooled + ((1 - scores.float()) ** 2).mean()
                pairs = list(zip(features, wanted, strict=True))
                matched = matched + sum((a - b).float().abs().mean() for a, b in pairs) / len(pairs)
        self.judges.requires_grad_(True)
        push = torch.autograd.grad(fooled + 2.0 * matched, mel)[0]
        return fooled.detach() / len(WINDOWS), matched.detach() / len(WINDOWS), push


def cut_windows(mel: Tensor, true: Tensor, frames: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Cut the same windows, at random places, out of made and true mel frames: one pair a discriminator."""
    made, real = [], []
    for size in WINDOWS:
        room = (frames - size).clamp_min(0)
        starts = (torch.rand(len(room), device=mel.device) * (room + 1)).long()
        made.append(take_windows(mel, starts, size))
        real.append(take_windows(true, starts, size))
    return made, real
