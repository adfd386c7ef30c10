"""Bring the notes' listener into the studio's form: from the ONNX file of Spotify's `basic-pitch` to safetensors.

    pip download basic-pitch==0.4.0 --no-deps && unzip basic_pitch-0.4.0-*.whl
    python -m training.music.import_listener basic_pitch/saved_models/icassp_2022/nmp.onnx

It needs the package `onnx`, which the studio itself does not.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from models.music.note_listener import CQT_BINS, LISTENER_FILE, NoteListener
from models.registry.registry import WEIGHTS_DIR

CREDIT = {"licence": "Apache-2.0", "source": "basic-pitch 0.4.0, copyright 2022 Spotify AB"}
SHAPES = {  # of the convolutions' weights, which no two of them share
    "contour_hidden": (8, 8, 3, 39),
    "contour": (1, 8, 5, 5),
    "note_hidden": (32, 1, 7, 7),
    "note": (1, 32, 7, 3),
    "onset_hidden": (32, 8, 5, 5),
    "onset": (1, 33, 3, 3),
}


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the state of a `NoteListener` out of the ONNX graph.

    Raises:
        ValueError: it is another graph.
    """
    import onnx
    from onnx import numpy_helper

    graph: Any = onnx.load(str(path)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    state: dict[str, np.ndarray] = {}
    kernels = []
    for node in graph.node:
        if node.op_type == "Conv":
            weight, bias = values[node.input[1]], values[node.input[2]]
            name = next((name for name, shape in SHAPES.items() if weight.shape == shape), "")
            if name:
                state |= {f"{name}.weight": weight, f"{name}.bias": bias}
            elif weight.shape[0] == 1:
                state["transform.low_pass"] = weight[:, :, 0]
            else:
                kernels.append(weight[:, :, 0])
        elif node.op_type in ("Mul", "Add") and values.get(node.input[-1], np.zeros(2)).shape == (1,):
            state["gain" if node.op_type == "Mul" else "offset"] = values[node.input[1]].reshape(())
    scales = [value for value in values.values() if value.shape == (CQT_BINS, 1, 1)]
    state |= {"transform.real": kernels[0], "transform.imaginary": kernels[1], "transform.scale": scales[0].reshape(-1)}
    expected = NoteListener().state_dict()
    if {name: tuple(value.shape) for name, value in state.items()} != {n: tuple(v.shape) for n, v in expected.items()}:
        raise ValueError("This is not the graph of basic-pitch 0.4.0.")
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in state.items()}


def main() -> None:
    """Write the listener's weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR / LISTENER_FILE)
    chosen = parser.parse_args()
    save_file(read_weights(chosen.onnx), chosen.out, CREDIT)
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
