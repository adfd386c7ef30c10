"""Training objective, guidance and samplers of the video model.

A rectified flow (Liu et al. 2022; Lipman et al. 2022): z_t = t x + (1 - t) e with e ~ N(0, 1), whose velocity is
v = x - e. The network predicts x; since v = (x - z_t) / (1 - t), the loss on v is the loss on x divided by
(1 - t)^2 (Li and He 2025, "Back to Basics: Let Denoising Generative Models Denoise", table 1), with 1 - t bounded from
below. sigma = 1 - t, as schedulers call it.

Letters: B batch, F frames, R x S pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.video.unet3d import Condition, UNet3D

LEAST_SIGMA = 0.08
# Of logit(t) in training (Esser et al. 2024, section 3.1). Neighbouring pixels and frames repeat one another, so a clip
# shows through far more noise than a small picture: what it shows is decided at t below 0.1.
TIME_MEAN, TIME_SPREAD = -2.2, 1.5
# The error of means over so many frames, rows and columns counts beside that of every value, so often as much: colour
# and layout are what words say, and drown in textures that nothing foretells. The best prediction is the same for both.
COARSE, COARSE_SHARE = (4, 16, 16), 1.0
SHIFT = 5.0  # of the sampler's levels, for the same reason
SOLVERS = ("dpm++", "euler")


def add_noise(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Compute z_t of the clean clip (B, ...) at the times t (B,)."""
    t = t.view(-1, *[1] * (clean.dim() - 1))
    return t * clean + (1 - t) * noise


def compute_loss(
    model: UNet3D, clean: Tensor, condition: Condition, known: Tensor | None, random: torch.Generator
) -> Tensor:
    """Compute the mean square error of the velocity, and of its means over windows, over frames that are not given.

    Args:
        clean: (B, 3, F, R, S) in [-1, 1].
        known: bool (B, F) or None, frames that the model is given clean.
        random: on the device of `clean`.
    """
    t = torch.sigmoid(TIME_MEAN + TIME_SPREAD * torch.randn(len(clean), generator=random, device=clean.device))
    noisy = add_noise(clean, torch.randn(clean.shape, generator=random, device=clean.device), t)
    if known is not None:
        noisy = torch.where(known[:, None, :, None, None], clean, noisy)
    error = (model(noisy, t, condition, known) - clean) / (1 - t).clamp(min=LEAST_SIGMA).view(-1, 1, 1, 1, 1)
    share = torch.ones((), device=clean.device)
    if known is not None:
        wanted = (~known).to(error.dtype)
        error = error * wanted[:, None, :, None, None]
        share = wanted.mean().clamp(min=1 / wanted.numel())
    window = [min(side, whole) for side, whole in zip(COARSE, clean.shape[2:], strict=True)]
    coarse = F.avg_pool3d(error, window)
    return (error.square().mean() + COARSE_SHARE * coarse.square().mean()) / share


def rescale(guided: Tensor, conditional: Tensor, share: float) -> Tensor:
    """Give the guided prediction the spread of the conditional one, in part (Lin et al. 2023, equations 15 and 16)."""
    axes = tuple(range(1, guided.dim()))
    spread = conditional.std(dim=axes, keepdim=True) / guided.std(dim=axes, keepdim=True).clamp(min=1e-6)
    return guided * (share * spread + 1 - share)


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance (Ho and Salimans 2022).

    Attributes:
        scale: 1 is the conditional prediction alone, 0 the unconditional; more follows the words more.
        rescale: share of `rescale`.
        clip: bound of the predicted values; pictures lie in [-1, 1].
    """

    scale: float = 3.0
    rescale: float = 0.5
    clip: float = 1.0


def predict(
    model: UNet3D,
    noisy: Tensor,
    t: float,
    wanted: Condition,
    unwanted: Condition,
    guidance: Guidance,
    known: Tensor | None = None,
) -> Tensor:
    """Predict the clean clip under guidance: conditional and unconditional (or negative) rows in one batched pass."""
    rows = len(noisy)
    times = torch.full((rows,), t, dtype=noisy.dtype)
    if guidance.scale == 1:
        return model(noisy, times, wanted, known).clamp(-guidance.clip, guidance.clip)
    both_known = None if known is None else torch.cat([known, known])
    both = model(torch.cat([noisy, noisy]), torch.cat([times, times]), Condition.cat([wanted, unwanted]), both_known)
    conditional, unconditional = both[:rows], both[rows:]
    guided = unconditional + guidance.scale * (conditional - unconditional)
    return rescale(guided, conditional, guidance.rescale).clamp(-guidance.clip, guidance.clip)


def compute_sigmas(steps: int, shift: float = SHIFT) -> list[float]:
    """Compute steps + 1 levels from 1 to 0; shift > 1 favours much noise (Esser et al. 2024, equation 23)."""
    even = [1 - step / steps for step in range(steps + 1)]
    return [shift * sigma / (1 + (shift - 1) * sigma) for sigma in even]


def step_euler(z: Tensor, clean: Tensor, sigma: float, following: float) -> Tensor:
    """Take a step along the velocity: dz / dsigma = e - x = (z - x) / sigma."""
    return z + (following - sigma) * (z - clean) / sigma


def step_dpm(z: Tensor, clean: Tensor, earlier: Tensor | None, sigmas: tuple[float, float, float]) -> Tensor:
    """Take a step of DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2) with alpha = 1 - sigma.

    Args:
        clean, earlier: predictions at the present and the previous level; None on the first step.
        sigmas: of the previous, the present and the following step.
    """
    before, now, following = (torch.tensor(sigma, dtype=torch.float64) for sigma in sigmas)

    def half_log_snr(sigma: Tensor) -> Tensor:
        return torch.log((1 - sigma).clamp(min=1e-12)) - torch.log(sigma)

    if following == 0:
        return clean
    direction = clean
    if earlier is not None and before < 1:
        h, last_h = half_log_snr(following) - half_log_snr(now), half_log_snr(now) - half_log_snr(before)
        direction = clean + float(0.5 * h / last_h) * (clean - earlier)
    if now == 1:  # alpha is 0 there: h is infinite, and the exact first-order step remains
        return float(following) * z + float(1 - following) * direction
    h = half_log_snr(following) - half_log_snr(now)
    return float(following / now) * z - float((1 - following) * torch.expm1(-h)) * direction


def sample(
    denoise: Callable[[Tensor, float], Tensor],
    noise: Tensor,
    steps: int,
    solver: str = "dpm++",
    shift: float = SHIFT,
    given: Tensor | None = None,
    known: Tensor | None = None,
    begin: float = 1.0,
) -> Iterator[Tensor]:
    """Denoise; yields the predicted clean clip after every step, the last of which is the result.

    Args:
        denoise: from the noisy clip and t to the clean clip.
        noise: (B, 3, F, R, S); with `begin` below 1 a clip with so much noise.
        begin: the level that it begins at.
        given, known: clean frames (B, 3, F, R, S) and bool (B, F), which of them hold.

    Raises:
        ValueError: an unknown solver, or fewer than one step.
    """
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; it must be one of {', '.join(SOLVERS)}.")
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1.")
    sigmas, z, earlier = [begin * sigma for sigma in compute_sigmas(steps, shift)], noise, None

    def hold(clip: Tensor) -> Tensor:
        if given is None or known is None:
            return clip
        return torch.where(known[:, None, :, None, None], given, clip)

    for step in range(steps):
        clean = hold(denoise(hold(z), 1 - sigmas[step]))
        if solver == "euler":
            z = step_euler(z, clean, sigmas[step], sigmas[step + 1])
        else:
            z = step_dpm(z, clean, earlier, (sigmas[max(step - 1, 0)], sigmas[step], sigmas[step + 1]))
        earlier = clean
        yield clean
