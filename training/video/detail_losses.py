"""What the enlargement that draws detail is judged by: features of a VGG-16, a discriminator of patches, sharpness."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.vgg import Vgg


class PatchDiscriminator(nn.Module):
    """Judges patches of 70 pixels (Isola et al. 2017), with spectral norms (Miyato et al. 2018)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        sizes = [(3, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(inputs, outputs, 4, stride, 1))
            for inputs, outputs, stride in sizes
        )
        self.last = nn.Conv2d(4 * width, 1, 4, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (B, 3, R, S) in [0, 1] to a judgement of each patch."""
        x = pixels * 2 - 1
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        judged: Tensor = self.last(x)
        return judged


def measure_perceptual(vgg: Vgg, made: Tensor, wanted: Tensor) -> Tensor:
    """Measure the distance of features of unit length, the mean over places, the sum over layers."""
    found, aims = vgg(made), vgg(wanted)
    total = made.new_zeros(())
    for name, features in found.items():
        difference = F.normalize(features.float(), dim=1) - F.normalize(aims[name].float(), dim=1)
        total = total + difference.square().sum(dim=1).mean()
    return total


def measure_change(made: Tensor, wanted: Tensor) -> Tensor:
    """Measure the error of the change within pairs of frames that follow each other, (2 * B, 3, R, S)."""
    return ((made[1::2] - made[::2]) - (wanted[1::2] - wanted[::2])).abs().mean()


def weigh_adversary(loss: Tensor, fooled: Tensor, last: Tensor) -> Tensor:
    """Weigh an adversarial loss so that its gradient at the last layer is as long as that of the others (Esser et al.
    2021, section 3.1).
    """
    plain = torch.autograd.grad(loss, last, retain_graph=True)[0].norm()
    sharp = torch.autograd.grad(fooled, last, retain_graph=True)[0].norm()
    return (plain / (sharp + 1e-6)).clamp(0, 20).detach()


def measure_hinge(judge: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    """Measure the hinge loss of a discriminator."""
    loss: Tensor = F.relu(1 - judge(real).float()).mean()
    return loss + F.relu(1 + judge(made.clamp(-0.1, 1.1)).float()).mean()


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step of an optimizer, its gradient no longer than 1."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], 1.0)
    optimizer.step()


def measure_sharpness(pixels: Tensor) -> Tensor:
    """Measure the variance of the Laplacian of each picture (B, 3, R, S) in [0, 1], of 255 squared."""
    grey = 255 * (pixels * pixels.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    kernel = grey.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]).view(1, 1, 3, 3)
    return F.conv2d(grey, kernel).flatten(1).var(dim=1)
