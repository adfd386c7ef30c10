"""From a catalogue entry and its files to a generator: the loader is imported now and no earlier."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.contracts import Generator
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.machine import has_gpu as _has_gpu
from models.workers.contracts import WorkerHealth

_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
_REASON_CHARACTERS = 200


class SameProcess:
    """The usual home of models: the process of the page itself."""

    places, brings_gpu = 1, False

    def build(self, spec: ModelSpec, files: Mapping[str, Path]) -> Generator:
        """Load a model here."""
        return build_generator(spec, files)

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        """Return no workers: there are none."""
        return ()

    def close(self) -> None:
        """Leave all as it is."""


def build_generator(spec: ModelSpec, files: Mapping[str, Path]) -> Generator:
    """Import the loader and call it.

    Raises:
        ModelError: whatever the loader raised, as a sentence; or the machine has no GPU and the model needs one.
    """
    try:
        if spec.needs_gpu and not _has_gpu():
            raise ModelError(f"{spec.title} needs a GPU and this machine has none. Choose another model.", "gpu")
        module_name, _, function_name = spec.loader.partition(":")
        model: Any = getattr(importlib.import_module(module_name), function_name)(files, spec)
        if not isinstance(model, Generator):
            raise TypeError(f"{spec.loader} returned {type(model).__name__}, which cannot stream")
        return model
    except ModelError:
        raise
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{spec.title} needs the package {error.name}. Install the requirements and start again.", "loader"
        ) from error
    except Exception as error:
        if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _NO_MEMORY):
            raise ModelError(
                f"There was too little memory to load {spec.title}. Close other programs or choose a smaller model.",
                "memory",
            ) from error
        raise loading_error(spec, error) from error


def loading_error(spec: ModelSpec, error: BaseException) -> ModelError:
    """Return the error for a failure that nobody foresaw, with the first line of its text for whoever reports it."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:_REASON_CHARACTERS]
    return ModelError(f"{spec.title} could not be loaded ({reason}).", "loader")
