"""A checked ONNX graph in onnxruntime, which is imported when the first one is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.backends.library import explain_missing, first_line
from models.backends.onnx_graph import NOISE_COUNT, NOISE_INPUT, add_outputs, load_graph, take_noise
from models.errors import ModelError

MOST_THREADS = 4


class OnnxModel:
    """A graph ready to run.

    Args:
        path: of the file.
        title: of the model, for errors.
        durations: operator that gives how long each letter lasts, and the one that it reads from or "".

    Attributes:
        inputs: names of the graph's own inputs.
        tells_durations: whether `run` gives them.
    """

    def __init__(self, path: Path, title: str, durations: tuple[str, str]) -> None:
        runtime = import_runtime()
        data, graph = load_graph(path, title)
        data, self.is_noisy = take_noise(data, graph)
        found = graph.find_outputs(*durations)
        self.inputs, self.outputs = graph.inputs, list(graph.outputs)
        self.tells_durations = len(found) == 1
        self._durations = found if self.tells_durations else []
        self.parameters_mb = len(data) / 1e6
        try:
            self.session: Any = runtime.InferenceSession(
                add_outputs(data, self._durations), make_options(runtime), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # a class of its own for each of its codes
            raise ModelError(
                f"onnxruntime cannot open {path.name} of {title} ({first_line(error)}). Verify it in the Models tab, "
                "or choose another revision.",
                "weights",
            ) from error

    def run(self, values: Mapping[str, Any], seed: int, options: Any = None) -> tuple[list[Any], Any]:
        """Return the graph's outputs in its order, and the durations, float (K,), or None where it tells none.

        Args:
            values: of the graph's own inputs.
            seed: of its noise.
            options: onnxruntime's RunOptions, whose `terminate` ends the run.
        """
        given = dict(values)
        if self.is_noisy:
            given[NOISE_INPUT] = np.random.default_rng(seed).standard_normal(NOISE_COUNT, dtype=np.float32)
        made = self.session.run([*self.outputs, *self._durations], given, options)
        return made[: len(self.outputs)], np.asarray(made[-1]).reshape(-1) if self.tells_durations else None


def import_runtime() -> Any:
    """Return onnxruntime.

    Raises:
        ModelError: it is not installed; the sentence says how to get it.
    """
    with explain_missing("onnxruntime"):
        import onnxruntime

        return onnxruntime


def make_options(runtime: Any) -> Any:
    """Return options for a machine that others use, too: few threads, which sleep while they wait."""
    options = runtime.SessionOptions()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options.intra_op_num_threads = max(1, min(MOST_THREADS, cores))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def require_inputs(model: OnnxModel, wanted: tuple[str, ...], title: str) -> None:
    """Raise ModelError where a model's graph lacks one of these inputs."""
    missing = [name for name in wanted if name not in model.inputs]
    if missing:
        raise ModelError(
            f"The ONNX graph of {title} is of another kind: it has no input {', '.join(missing)}. "
            "Choose another model.",
            "format",
        )
