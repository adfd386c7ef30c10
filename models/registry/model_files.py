"""The files of catalogue entries: whether they are here, how to bring them, check them and delete them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.contracts import Progress
from models.errors import ModelError
from models.hub import download as hub_files
from models.hub.download import Hub, OnProgress
from models.hub.spec import Bundled, ModelSpec, Source


@dataclass(frozen=True)
class ModelFiles:
    """Where files are kept, and how the Hub is asked for those that are missing.

    Attributes:
        weights_dir: where bundled files are.
        cache_dir: where downloads are kept; None is the Hub cache that all programs share.
        endpoint: address of the Hub; None is HF_ENDPOINT or huggingface.co.
        offline: never use the network; None follows HF_HUB_OFFLINE.
    """

    weights_dir: Path
    cache_dir: Path | str | None = None
    endpoint: str | None = None
    offline: bool | None = None

    def are_here(self, spec: ModelSpec) -> bool:
        """Return whether all files of an entry are on disk; verifies nothing and makes no request."""
        if spec.snapshots or any(hub_files.find_missing_files(hub, self.cache_dir) for hub in spec.hubs):
            return False
        return all(path.is_file() for path in self._find_bundled(spec))

    def count_bytes(self, spec: ModelSpec) -> int:
        """Return how many bytes the files of an entry that are here take."""
        shipped = sum(path.stat().st_size for path in self._find_bundled(spec) if path.is_file())
        return shipped + sum(hub_files.count_bytes_on_disk(hub, self.cache_dir) for hub in spec.hubs)

    def list_snapshots(self, spec: ModelSpec) -> ModelSpec:
        """Ask the Hub which files the snapshots of an entry hold, and return the entry with them named.

        Raises:
            ModelError: as `describe.list_files`.
        """
        from models.hub.describe import list_files

        return list_files(spec, cache_dir=self.cache_dir, endpoint=self.endpoint, offline=self.offline)

    def fetch(self, spec: ModelSpec, report: OnProgress) -> dict[str, Path]:
        """Return all files of an entry by the names that its loader knows, downloading what is missing.

        Raises:
            ModelError: a file cannot be had, or a bundled one is missing.
        """
        files: dict[str, Path] = {}
        missing = {hub: hub_files.find_missing_files(hub, self.cache_dir) for hub in spec.hubs}
        waiting = [sum(file.size_bytes for file in missing[hub]) for hub in spec.hubs]
        for source in spec.sources:
            for name in _name_bundled(source):
                files[name] = self.weights_dir / name
                if not files[name].is_file():
                    raise ModelError(
                        f"The file {name} of {spec.title} is missing from the studio. Get the studio's files again.",
                        "weights",
                    )
            if isinstance(source, Hub):
                position = spec.hubs.index(source)
                done, later = sum(waiting[:position]), sum(waiting[position + 1 :])

                def over_all(progress: Progress, done: int = done, later: int = later) -> None:
                    report(Progress(progress.stage, done + progress.done, done + progress.total + later))

                paths = hub_files.fetch(
                    source, over_all, cache_dir=self.cache_dir, endpoint=self.endpoint, offline=self.offline
                )
                files.update({f"{source.repo_id}/{path}": found for path, found in paths.items()})
        return files

    def verify(self, spec: ModelSpec, on_progress: OnProgress | None = None) -> tuple[str, ...]:
        """Hash the downloaded files of an entry again, delete damaged ones, and return what was damaged or missing."""
        bad = [snapshot.repo_id for snapshot in spec.snapshots]
        for hub in spec.hubs:
            bad += hub_files.verify(hub, on_progress, self.cache_dir)
        return (*bad, *(path.name for path in self._find_bundled(spec) if not path.is_file()))

    def delete(self, spec: ModelSpec, others: Iterable[ModelSpec]) -> None:
        """Delete the downloads of an entry that none of the others needs.

        Raises:
            ModelError: a file cannot be deleted.
        """
        needed = {
            (hub.repo_id, hub.revision, file.path) for other in others for hub in other.hubs for file in hub.files
        }
        for hub in spec.hubs:
            spare = [file for file in hub.files if (hub.repo_id, hub.revision, file.path) not in needed]
            hub_files.remove(hub, spare, self.cache_dir)

    def _find_bundled(self, spec: ModelSpec) -> list[Path]:
        return [self.weights_dir / name for source in spec.sources for name in _name_bundled(source)]


def _name_bundled(source: Source) -> tuple[str, ...]:
    return source.files if isinstance(source, Bundled) else ()
