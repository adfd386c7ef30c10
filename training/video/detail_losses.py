"""What the enlargement that draws detail is judged by: features of a VGG-16, a discriminator of patches, sharpness."""

from __future__ import annotations

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


def measure_sharpness(pixels: Tensor) -> Tensor:
    """Measure the variance of the Laplacian of each picture (B, 3, R, S) in [0, 1], of 255 squared."""
    grey = 255 * (pixels * pixels.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    kernel = grey.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]).view(1, 1, 3, 3)
    return F.conv2d(grey, kernel).flatten(1).var(dim=1)
