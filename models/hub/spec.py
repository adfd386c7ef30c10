"""A model's entry in the catalogue, and the sources of its files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from models.contracts import Task, Voice
from models.hub.download import Hub
from models.hub.names import check_repository

_KEY = re.compile(r"[a-z0-9_]+/[a-z0-9][a-z0-9._-]*")
_LOADER = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*:[a-z_][a-z0-9_]*", re.IGNORECASE)

MEMORY_SHARE, MEMORY_EXTRA_MB = 1.15, 300  # of the weights, and beside them: what a model takes in use
GGUF = ".gguf"  # how the name of a quantised file ends
QUANTISED = "transformer"  # the part of a pipeline whose weights it holds


@dataclass(frozen=True)
class Bundled:
    """Files shipped inside the repository; paths relative to `models/weights`, with forward slashes.

    Files of a person's own folder are named by their absolute paths.
    """

    files: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """All that a backend needs of one repository; which files these are is asked of the Hub when first needed.

    Attributes:
        repo_id, revision: as of `Hub`.
        size_mb: of those files together, as the repository's page says; the exact size comes with the list of files.
    """

    repo_id: str
    revision: str
    size_mb: float

    def __post_init__(self) -> None:
        check_repository(self.repo_id, self.revision)
        if self.size_mb <= 0:
            raise ValueError(f"size_mb of {self.repo_id} is {self.size_mb!r}; it must be more than 0.")


Source: TypeAlias = Bundled | Hub | Snapshot


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue.

    Attributes:
        key: "task/name"; the name by which everything else asks for the model.
        task: which tab it serves; the first part of the key.
        title: short name, as a person reads it in a list.
        summary: one sentence for a person who is choosing.
        licence: of the weights, by its SPDX name where it has one.
        commercial_use: whether that licence allows it.
        credit: whom to thank, or must be named.
        sources: where the files are; all of them are needed.
        memory_mb: what the loaded model takes, in use; the registry's budget counts it.
        needs_gpu: whether it is hopeless without one.
        speed: typical speed, as text.
        loader: "package.module:function", imported when first needed and called as `function(files, spec)`. `files`
            maps names to paths: a bundled file by its path as written in `Bundled`, a Hub file as "repo_id/path".
            It returns a `contracts.Generator`.
        voices: what a speech model can sound like; the first is the default.
        languages: codes of ISO 639 that it understands, as its page says; () where none are named.
        hardware: what it is made for, as text; "" where any machine will do.
        backend: class of transformers or diffusers that runs it; "" for the studio's own networks and for ONNX graphs.
        added: whether a person added it, so that it can be removed again.
        mixes_voices: whether a speech model speaks between two of its voices.
        read_on: the day on which its facts were read on its page, as "2026-11-25"; "" where the Hub was asked itself.

    Raises:
        ValueError: names the field and what is wrong with it.
    """

    key: str
    task: Task
    title: str
    summary: str
    licence: str
    commercial_use: bool
    credit: str
    sources: tuple[Source, ...]
    memory_mb: int
    needs_gpu: bool
    speed: str
    loader: str
    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ()
    hardware: str = ""
    backend: str = ""
    added: bool = False
    mixes_voices: bool = False
    read_on: str = ""

    def __post_init__(self) -> None:
        if self.task not in tuple(Task):
            raise ValueError(f"task is {self.task!r}; it must be one of {', '.join(Task)}.")
        object.__setattr__(self, "task", Task(self.task))  # from JSON it comes as text
        if not _KEY.fullmatch(self.key) or self.key.split("/")[0] != self.task:
            raise ValueError(f"key is {self.key!r}; it must read like '{self.task}/name' in small letters.")
        if not _LOADER.fullmatch(self.loader):
            raise ValueError(f"loader is {self.loader!r}; it must read like 'package.module:function'.")
        if self.memory_mb <= 0:
            raise ValueError(f"memory_mb is {self.memory_mb!r}; it must be more than 0.")
        if not self.sources:
            raise ValueError(f"sources of {self.key} is empty; a model needs at least one file.")
        keys = [voice.key for voice in self.voices]
        if len(set(keys)) != len(keys):
            raise ValueError(f"voices of {self.key} name a key twice: {', '.join(keys)}.")

    @property
    def hubs(self) -> tuple[Hub, ...]:
        """Return the sources that are on the Hub."""
        return tuple(source for source in self.sources if isinstance(source, Hub))

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return the sources on the Hub whose files are not listed yet."""
        return tuple(source for source in self.sources if isinstance(source, Snapshot))

    @property
    def is_native(self) -> bool:
        """Return whether no class of transformers or diffusers runs it, but the studio by itself."""
        return not self.backend

    @property
    def is_remote(self) -> bool:
        """Return whether anything of it comes from the Hub."""
        return bool(self.hubs or self.snapshots)

    @property
    def download_mb(self) -> float:
        """Return how many megabytes (10^6 bytes) a first use downloads; 0 for a model that ships with the studio."""
        listed = sum(hub.size_bytes for hub in self.hubs) / 1e6
        return listed + sum(snapshot.size_mb for snapshot in self.snapshots)
