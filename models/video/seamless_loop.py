"""Seamless loops: time is a ring, denoised in windows that move from step to step.

At every step of the sampler the ring is cut into windows as long as the model's own clips, each of which is denoised by
itself; the next step cuts elsewhere. So the place where the last frame meets the first is the middle of a window as
often as any other place is (Bi et al. 2025, "Mobius: Text to Seamless Looping Video Generation via Latent Shift",
section 3.2; windows that overlap are averaged as in Bar-Tal et al. 2023, "MultiDiffusion", equation 5).

Letters: F frames of the ring, W frames of a window, N windows, R x S pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TURN = 0.382  # of a window, from step to step: the golden section, whose multiples spread evenly
SHARED_NOISE = 0.5  # of the variance: what all windows begin with, so that they agree on what they show
Denoise = Callable[[Tensor, float, Tensor], Tensor]


def list_ring_windows(frames: int, window: int, multiple: int, step: int) -> Tensor:
    """List the numbers of the frames in each window at a step, int64 (N, W); together they cover the ring.

    Args:
        frames: of the ring, a multiple of `multiple`, as are the starts of all windows.
        window: W at most; a shorter ring is one window.
    """
    window = min(window, frames)
    count = -(-frames // window)
    turn = max(1, round(TURN * window / multiple)) * multiple
    starts = torch.tensor([multiple * round(index * frames / count / multiple) for index in range(count)])
    return (starts[:, None] + step * turn + torch.arange(window)) % frames


def draw_ring_noise(shape: tuple[int, ...], window: int, random: torch.Generator) -> Tensor:
    """Draw Gaussian noise (1, C, F, R, S) of which a share repeats every W frames."""
    own = torch.randn(shape, generator=random)
    if shape[2] <= window:
        return own
    base = torch.randn((*shape[:2], window, *shape[3:]), generator=random)
    repeated = base[:, :, torch.arange(shape[2]) % window]
    return SHARED_NOISE**0.5 * repeated + (1 - SHARED_NOISE) ** 0.5 * own


def make_ring_denoiser(
    denoise: Denoise, window: int, multiple: int, known: Tensor, at_once: int = 4
) -> Callable[[Tensor, float], Tensor]:
    """Make a denoiser of whole rings (1, 3, F, R, S) from one of windows; each call is the next step.

    Args:
        denoise: of windows (n, 3, W, R, S), t, and which of their frames are given (n, W).
        known: bool (1, F), which frames of the ring are given.
        at_once: windows in one batch.
    """
    step = -1

    def ring(z: Tensor, t: float) -> Tensor:
        nonlocal step
        step += 1
        frames = list_ring_windows(z.shape[2], window, multiple, step)
        ramp = torch.arange(1, frames.shape[1] + 1)
        weight = torch.minimum(ramp, ramp.flip(0)).to(z.dtype)[None, :, None, None]
        total, weights = torch.zeros_like(z[0]), torch.zeros(1, z.shape[2], 1, 1, dtype=z.dtype)
        for some in frames.split(at_once):
            clips = z[0][:, some].transpose(0, 1)  # (n, 3, W, R, S)
            for clip, places in zip(denoise(clips, t, known[0, some]), some, strict=True):
                total[:, places] += weight * clip
                weights[:, places] += weight
        return (total / weights)[None]

    return ring
