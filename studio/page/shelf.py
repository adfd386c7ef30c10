"""The shelf that visitors may change: repositories of the Hub and folders of one's own are put on it."""

from __future__ import annotations

import os
from pathlib import Path

from models.contracts import Task
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from studio.page import html

TASKS: dict[str, str] = {
    Task.SPEECH: "Speech",
    Task.MUSIC: "Music",
    Task.VIDEO: "Video",
    Task.STYLE_VIDEO: "Style of pictures",
    Task.STYLE_AUDIO: "Style of sound",
}
OPEN = "AURALUME_SHELF"
CLOSED_SAID = "On this public page the shelf can be looked at, but not changed."


def is_open() -> bool:
    """Tell whether visitors may change the shelf: by default everywhere but on a public Space."""
    told = os.environ.get(OPEN, "").lower()
    return told == "open" if told in {"open", "closed"} else not os.environ.get("SPACE_ID")


def check_open() -> None:
    """Raise ModelError where visitors may not change the shelf."""
    if not is_open():
        raise ModelError(CLOSED_SAID, "forbidden")


def put_on_shelf(registry: Registry, repository: str, revision: str = "", quantised: str = "") -> ModelSpec:
    """Look at a repository or a folder, and put it on the shelf.

    Args:
        repository: id or address on the Hub, or a folder of this machine; a public Space reads no folders.
        revision: branch, tag or commit; "" is the main branch.
        quantised: "owner/name/file.gguf" that stands for the weights of a pipeline's denoiser; "" for none.

    Raises:
        ValueError: no repository is named.
        ModelError: the shelf is closed, or it cannot be reached or is not of a supported kind.
    """
    check_open()
    spec = _describe(registry, repository.strip(), revision.strip(), quantised)
    registry.add(spec)
    return spec


def _describe(registry: Registry, repository: str, revision: str, quantised: str) -> ModelSpec:
    from models.backends.native_weights import describe_folder
    from models.backends.onnx_folder import describe_onnx_folder
    from models.hub.describe import describe

    if not repository:
        raise ValueError("Type the id of a repository first, such as facebook/mms-tts-eng.")
    folder = Path(repository).expanduser()
    if folder.is_dir() and not os.environ.get("SPACE_ID"):
        return describe_onnx_folder(folder) or describe_folder(folder)
    return describe(
        repository,
        revision or "main",
        cache_dir=registry.cache_dir,
        endpoint=registry.endpoint,
        offline=registry.offline,
        quantised=quantised,
    )


def status_of_new(registry: Registry, spec: ModelSpec) -> str:
    """Say as HTML what was put on the shelf, or why it is too big for this machine."""
    reason = registry.find_obstacle(spec.key)
    if reason:
        return html.problem(reason)
    detail = f"pinned to {spec.hubs[0].revision[:12]}" if spec.hubs else "from your folder"
    return html.finished(f"{spec.title} is on the shelf of {task_name(spec.task)}", detail)


def task_name(task: str) -> str:
    """Return a task as people call it."""
    return TASKS.get(task, task.replace("_", " ").capitalize())
