"""Import transformers, diffusers and onnxruntime when a model first needs them, and open what was downloaded.

The first two import torchaudio where it is installed, so its import is mended first. Nothing is fetched here, no
code of a repository is run, and their weights are read as safetensors alone.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from models.contracts import Task
from models.errors import ModelError
from models.hub.download import Hub
from models.hub.formats import BY_NAME, Format, read_format_name
from models.hub.spec import ModelSpec
from models.torchaudio_import import import_torchaudio

PACKAGES = {
    "transformers": "transformers>=5,<6",
    "diffusers": "diffusers>=0.36,<1",
    "onnxruntime": "onnxruntime>=1.20,<2",
    "onnx": "onnx>=1.17,<2",
    "gguf": "gguf>=0.10,<1",
}
SAFE: dict[str, Any] = {"local_files_only": True}


@contextmanager
def explain_missing(name: str) -> Iterator[None]:
    """Turn an import that fails into a sentence that says how to get the package.

    Raises:
        ModelError: it is not installed, or cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        raise ModelError(
            f'This model needs the package {name}. Install it with `pip install "{PACKAGES[name]}"` and start '
            "the studio again.",
            "loader",
        ) from error


def import_library(name: str) -> ModuleType:
    """Return transformers or diffusers.

    Raises:
        ModelError: it is not installed, or cannot be imported; the sentence says how to get it.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with explain_missing(name):
        import_torchaudio()
        module = importlib.import_module(name)
        module.utils.logging.set_verbosity_error()
        return module


def import_backend(kind: Format) -> Any:
    """Return the class that runs a kind.

    Raises:
        ModelError: the installed version of the library does not have it.
    """
    package = import_library(kind.library)
    found = getattr(package, kind.backend, None)
    if found is None:
        raise ModelError(
            f"The installed version of {kind.library} has no {kind.backend}. Install a newer one with "
            f"`pip install -U {kind.library}`.",
            "loader",
        )
    return found


def find_folder(files: Mapping[str, Path], hub: Hub) -> Path:
    """Return the folder in which a repository lies, as its files' paths tell."""
    name = next(file.path for file in hub.files)
    return files[f"{hub.repo_id}/{name}"].parents[name.count("/")]


def read_json(path: Path) -> dict[str, Any]:
    """Return what a small configuration file holds; {} where it is not there.

    Raises:
        ModelError: it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path.name} of the model is damaged. Delete the model and get it again.", "weights"
        ) from error
    return content if isinstance(content, dict) else {}


def detect_format(folder: Path) -> Format:
    """Return the kind of a folder that was detected before.

    Raises:
        ModelError: it is of no known kind any more.
    """
    config = read_json(folder / "config.json")
    found = BY_NAME.get(str(read_json(folder / "model_index.json").get("_class_name") or read_format_name(config)))
    if found is None:
        raise ModelError("The files of this model are of no known kind. Delete it and get it again.", "weights")
    return found


def open_pretrained(made: Any, folder: Path, **options: Any) -> Any:
    """Call `from_pretrained` on a downloaded folder, with failures as sentences.

    Raises:
        ModelError: a file is damaged, or belongs to another version of the library.
    """
    with report_unfitting():
        return made.from_pretrained(str(folder), **SAFE, **options)


@contextmanager
def report_unfitting() -> Iterator[None]:
    """Turn what a library raises over files into a sentence.

    Raises:
        ModelError: a file is damaged, or belongs to another version of the library.
    """
    try:
        yield
    except ImportError as error:
        raise ModelError(f"This model needs one more package: {first_line(error)}", "loader") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        if "memory" in str(error).lower():
            raise
        raise ModelError(
            f"The files of this model do not fit the installed library ({first_line(error)}). "
            "Verify it in the Models tab, or choose another revision.",
            "weights",
        ) from error
    except Exception as error:  # safetensors has an exception of its own
        if type(error).__name__ != "SafetensorError":
            raise
        raise ModelError("The weights of this model are damaged. Delete it and get it again.", "weights") from error


def locate_model(files: Mapping[str, Path], spec: ModelSpec, task: Task, otherwise: str) -> tuple[Path, Format]:
    """Return the folder of the model's own repository, and its kind.

    Args:
        otherwise: what is said of a repository of another task, as in "makes no music but is of".

    Raises:
        ModelError: it is of another task, or of no known kind.
    """
    hub = get_main_hub(spec)
    folder = find_folder(files, hub)
    kind = detect_format(folder)
    if kind.task != task:
        raise ModelError(f"{hub.repo_id} {otherwise} the kind {kind.name}.", "format")
    return folder, kind


def count_parameters(pipeline: Any) -> int:
    """Count the weights of the networks of a diffusers pipeline."""
    parts = [part for part in pipeline.components.values() if hasattr(part, "parameters")]
    return sum(weight.numel() for part in parts for weight in part.parameters())


def find_variant(hub: Hub) -> str | None:
    """Return the variant of a pipeline's files: "fp16" where a part has its weights in half precision alone."""
    return "fp16" if any(".fp16." in file.path for file in hub.files) else None


def get_main_hub(spec: ModelSpec) -> Hub:
    """Return the repository of the model itself; companions come after it."""
    return spec.hubs[0]


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says of a failure, or the failure's name where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:160]
