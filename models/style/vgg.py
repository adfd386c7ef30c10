"""VGG-16 and VGG-19 (Simonyan and Zisserman 2015) as far as style transfer reads them: plain safetensors of the Hub.

The names of the weights are those of torchvision and timm: `features.<number>.weight`. Pixels are in [0, 1] and are
normalised as for ImageNet. Letters: B pictures, C channels, H and W height and width.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import ModelError
from models.weights_io import load_safetensors

BLOCKS = {"vgg16": (2, 2, 3, 3), "vgg19": (2, 2, 4, 4)}  # convolutions of the first four blocks
WIDTHS = (64, 128, 256, 512)
STYLE_LAYERS = ("1_1", "2_1", "3_1", "4_1")
CONTENT_LAYER = "4_1"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Vgg(nn.Module):
    """The first four blocks, as far as the last layer that is read.

    Args:
        architecture: "vgg16" or "vgg19".
        widths: channels of the four blocks; the true ones are WIDTHS.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: str, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.features = nn.ModuleDict()
        self.names: dict[str, str] = {}  # number of a convolution to the name of its ReLU
        number, inputs = 0, 3
        for block, (count, width) in enumerate(zip(BLOCKS[architecture], widths, strict=True), 1):
            for at in range(1, count + 1):
                name = f"{block}_{at}"
                self.features[str(number)] = nn.Conv2d(inputs, width, 3, padding=1)
                self.names[str(number)] = name
                number, inputs = number + 2, width
                if name == STYLE_LAYERS[-1]:
                    break
            number += 1
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Map (B, 3, H, W) in [0, 1] to the layers that are read, by name: (B, C, H / 2^(block - 1), ...)."""
        x = (pixels - self.mean) / self.std
        found = {}
        block = "1"
        for number, layer in self.features.items():
            name = self.names[number]
            if name[0] != block:
                x, block = F.avg_pool2d(x, 2), name[0]  # smoother than the maximum (Gatys et al. 2016, section 2)
            x = F.relu(layer(x))
            if name in STYLE_LAYERS:
                found[name] = x
        return found


def load_vgg(path: Path, architecture: str) -> Vgg:
    """Load a downloaded VGG.

    Raises:
        ModelError: the file is damaged, or holds another network.
    """
    if architecture not in BLOCKS:
        raise ModelError(f"{architecture or 'This network'} is no VGG-16 or VGG-19.", "format")
    state = load_safetensors(path)
    firsts = [state.get(f"features.{number}.weight") for number in (0, 5, 10)]
    if any(weight is None for weight in firsts):
        raise ModelError(f"{path.name} holds no VGG: its layers have other names.", "weights")
    last = "17" if architecture == "vgg16" else "19"
    top = state.get(f"features.{last}.weight")
    if top is None:
        raise ModelError(f"{path.name} is not the {architecture} that its configuration names.", "weights")
    network = Vgg(architecture, tuple(int(weight.shape[0]) for weight in (*firsts, top)))  # type: ignore[union-attr]
    wanted = {name: state[name] for name in network.state_dict() if name in state}
    try:
        network.load_state_dict(wanted)
    except RuntimeError as error:
        raise ModelError(f"{path.name} is not the {architecture} that its configuration names.", "weights") from error
    return network.eval().requires_grad_(False)
