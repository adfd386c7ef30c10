"""Detect what runs a repository from its list of files, or tell why the studio does not run it.

Only plain numbers (safetensors) and graphs of known operators (ONNX) are loaded, and never a repository's own program
code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.contracts import Voice
from models.errors import ModelError
from models.hub.download import HubFile
from models.hub.formats import BY_NAME, Format, list_format_names, read_format_name
from models.hub.listing import Repository
from models.hub.onnx_layout import ReadJson, find_layout, list_voices

CONFIG, INDEX, CARD = "config.json", "model_index.json", "auralume.json"
UNSAFE = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".msgpack", ".h5", ".onnx")
PLAIN = (".json", ".txt", ".model", ".jinja")
HALF = ("float16", "bfloat16")
VARIANT = ".fp16."


@dataclass(frozen=True)
class DetectedModel:
    """The kind of a repository, and the files that it needs.

    Attributes:
        format: its kind.
        files: what is needed of it.
        weights_mb: of the weights among them.
        stored_half: whether the weights are in half precision.
        card: the content of `auralume.json`, {} for foreign repositories.
        voices: what its files name as voices; () where they are known only once it is loaded.
    """

    format: Format
    files: tuple[HubFile, ...]
    weights_mb: float
    stored_half: bool
    card: dict[str, Any]
    voices: tuple[Voice, ...] = ()


def detect_model(repository: Repository, read: ReadJson) -> DetectedModel:
    """Find the kind and the files of a repository.

    Args:
        read: fetches a small JSON file of the repository.

    Raises:
        ModelError: the repository is of no known kind, has no safetensors, or needs code of its own.
    """
    paths = repository.paths
    if CARD in paths:
        return _detect_native(repository, read(CARD))
    if INDEX in paths:
        return _detect_pipeline(repository, read(INDEX))
    voice = _detect_onnx(repository, read)
    if voice is not None:
        return voice
    if any(path.startswith("kokoro") and path.endswith(".pth") for path in paths):
        raise ModelError(
            f"{repository.repo_id} holds its weights in a format that can run programs (pickle). Choose “Kokoro, 82M” "
            "in the Model menu of the Speech tab: it is the same model as an ONNX graph.",
            "unsafe",
        )
    if CONFIG in paths:
        return _detect_transformers(repository, read(CONFIG))
    raise ModelError(
        f"{repository.repo_id} has neither {CONFIG} nor {INDEX}, so nothing tells what runs it. "
        "Look for a version of it in the format of transformers or diffusers.",
        "format",
    )


def _find_format(repository: Repository, name: str) -> Format:
    found = BY_NAME.get(name)
    if found is None:
        raise ModelError(
            f"{repository.repo_id} is of the kind {name or 'nothing'}, which the studio cannot run. "
            f"It runs {list_format_names()}.",
            "format",
        )
    return found


def _detect_onnx(repository: Repository, read: ReadJson) -> DetectedModel | None:
    """Return the kind and files of a voice that is an ONNX graph; None where it is none of a known kind."""
    try:
        layout = find_layout(repository.paths, read)
    except ModelError as error:
        raise ModelError(f"{repository.repo_id} is a voice as ONNX that cannot be used. {error}", error.kind) from error
    if layout is None:
        return None
    by_path = {file.path: file for file in repository.files}
    voices = list_voices(layout, read, repository.repo_id)
    files = tuple(by_path[path] for path in layout.paths)
    weights = _sum_megabytes(by_path[path] for path in layout.graphs)
    return DetectedModel(BY_NAME[layout.kind], files, weights, False, {}, voices)


def _detect_native(repository: Repository, card: dict[str, Any]) -> DetectedModel:
    kind = _find_format(repository, str(card.get("kind", "")))
    wanted = card.get("files")
    by_path = {file.path: file for file in repository.files}
    if not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
        raise ModelError(f"{CARD} of {repository.repo_id} names no files. Pack the weights again.", "format")
    missing = [name for name in wanted if name not in by_path]
    if missing:
        raise _incomplete_error(repository, missing)
    if not all(name.endswith(".safetensors") for name in wanted):
        raise _unsafe_error(repository)
    weights = [by_path[name] for name in wanted]
    return DetectedModel(kind, (by_path[CARD], *weights), _sum_megabytes(weights), True, card)


def _detect_transformers(repository: Repository, config: dict[str, Any]) -> DetectedModel:
    _refuse_code(repository, config)
    kind = _find_format(repository, read_format_name(config))
    top = [file for file in repository.files if "/" not in file.path]
    weights = _select_weights(repository, top)
    plain = [file for file in top if file.path.endswith(PLAIN) and not file.path.endswith(".safetensors.index.json")]
    plain += [file for file in top if file.path.endswith(".safetensors.index.json") and len(weights) > 1]
    extra = [file for file in repository.files if any(fnmatchcase(file.path, pattern) for pattern in kind.extra)]
    chosen = {file.path: file for file in (*plain, *extra, *weights)}
    stored = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return DetectedModel(kind, tuple(chosen.values()), _sum_megabytes(weights), stored in HALF, {})


def _detect_pipeline(repository: Repository, index: dict[str, Any]) -> DetectedModel:
    _refuse_code(repository, index)
    name = index.get("_class_name")
    if not isinstance(name, str):
        raise _custom_code_error(repository)
    kind = _find_format(repository, name)
    by_path = {file.path: file for file in repository.files}
    chosen = {INDEX: by_path[INDEX]}
    weights: list[HubFile] = []
    for part, made_of in index.items():
        if not isinstance(made_of, list) or len(made_of) != 2 or made_of == [None, None]:
            continue
        if f"{part}/{made_of[0]}.py" in by_path or not _is_of_a_library(str(made_of[0])):
            raise _custom_code_error(repository)
        inside = [file for file in repository.files if file.path.startswith(f"{part}/") and file.path.count("/") == 1]
        if not inside:
            raise _incomplete_error(repository, [f"{part}/"])
        is_network = f"{part}/{CONFIG}" in by_path
        if not is_network and not any(file.path.endswith("_config.json") for file in inside):
            raise _incomplete_error(repository, [f"{part}/{CONFIG}"])
        found = _select_weights(repository, inside) if is_network else []
        weights += found
        plain = [file for file in inside if file.path.endswith(PLAIN) and not _foreign_index(file.path, found)]
        chosen.update({file.path: file for file in (*plain, *found)})
    stored_half = kind.library == "diffusers" and all(VARIANT in file.path for file in weights)
    return DetectedModel(kind, tuple(chosen.values()), _sum_megabytes(weights), stored_half, {})


def _is_of_a_library(name: str) -> bool:
    """Return whether a part is made by transformers, by diffusers, or by the module of one of its pipelines."""
    if name in ("diffusers", "transformers"):
        return True
    package = find_spec("diffusers")
    folders = package.submodule_search_locations if package is not None else None
    return name.isidentifier() and any((Path(folder) / "pipelines" / name).is_dir() for folder in folders or ())


def _foreign_index(path: str, weights: Iterable[HubFile]) -> bool:
    """Return whether this is the index of shards that are not taken."""
    return path.endswith(".safetensors.index.json") and len(list(weights)) <= 1


def _select_weights(repository: Repository, files: list[HubFile]) -> list[HubFile]:
    """Select the safetensors of one model: whole, in shards, or in half precision where there is no other variant."""
    safe = [file for file in files if file.path.endswith(".safetensors")]
    if not safe:
        folder = f" in {files[0].path.split('/')[0]}/" if files and "/" in files[0].path else ""
        if any(file.path.endswith(UNSAFE) for file in files):
            raise _unsafe_error(repository, folder)
        raise _incomplete_error(repository, [f"the weights{folder}"])
    full = [file for file in safe if VARIANT not in file.path and ".non_ema." not in file.path]
    chosen = full or safe
    whole = [file for file in chosen if file.path.endswith(("model.safetensors", "model.fp16.safetensors"))]
    shards = [file for file in chosen if "-of-" in file.path]
    if not whole and shards:
        told = int(shards[0].path.rsplit("-of-", 1)[1].split(".")[0])
        if len(shards) != told:
            raise _incomplete_error(repository, [f"{told - len(shards)} of {told} parts of the weights"])
    return (whole[:1] if whole else shards) or chosen


def _refuse_code(repository: Repository, config: dict[str, Any]) -> None:
    if "auto_map" in config or "custom_pipelines" in config:
        raise _custom_code_error(repository)


def _custom_code_error(repository: Repository) -> ModelError:
    return ModelError(
        f"{repository.repo_id} brings program code of its own and would run it on this machine (auto_map, "
        "trust_remote_code). The studio never does that. Choose a model that transformers or diffusers runs by itself.",
        "unsafe",
    )


def _unsafe_error(repository: Repository, folder: str = "") -> ModelError:
    return ModelError(
        f"{repository.repo_id} holds its weights{folder} only in a format that can run programs (pickle), not as "
        "safetensors. Look among its pull requests on the Hub for one that adds safetensors, and give its revision, "
        "such as refs/pr/1.",
        "unsafe",
    )


def _incomplete_error(repository: Repository, missing: list[str]) -> ModelError:
    said = ", ".join(missing[:3])
    return ModelError(
        f"{repository.repo_id} is not complete: {said} is missing there. Choose another repository or revision.",
        "not-found",
    )


def _sum_megabytes(files: Iterable[HubFile]) -> float:
    return sum(file.size_bytes for file in files) / 1e6
